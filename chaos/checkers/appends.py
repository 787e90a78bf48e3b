"""
List-append transactions: strictly serializable, as far as reads reveal it.

Source: Kingsbury and Alvaro, Elle, VLDB 2020. Everything reported is a violation; what reads do not reveal is not seen.
Aborted transactions count for what others saw of them, unfinished ones for what was seen of them.
"""

from collections.abc import Sequence
from typing import Any

from chaos.checkers.budget import Budget, SpentError
from chaos.checkers.calls import Call
from chaos.checkers.cycles import worst_cycle
from chaos.checkers.dependencies import MOST, Dependencies
from chaos.checkers.dirty import direct
from chaos.checkers.transactions import transactions, versions
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "list-append"


def judge_appends(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether some order of all committed transactions, in real time, explains every read."""
    all_ = transactions(calls)
    known = versions(all_)
    found = list(direct(all_, known))
    try:
        dependencies = Dependencies(all_, known, budget)
        cycle = worst_cycle(dependencies, budget)
    except SpentError as spent:
        if not found:
            raise SpentError(f"{spent}; no anomaly in what single transactions read, no search for cycles") from None
        return _violated(found, [])
    if cycle is not None:
        name, steps, sorts = cycle
        sentence = "; ".join(dependencies.sentence(*step) for step in steps)
        shown = sorted({place for step in steps for place in dependencies.shown(*step)})
        found.append(
            Witness(anomaly=name, sentence=sentence, operations=tuple(all_[place].operation for place in shown))
        )
        return _violated(found, sorts)
    if found:
        return _violated(found, [])
    if dependencies.cut:
        return unknown(NAME, f"no cycle, but more than {MOST:,} pairs of a read and an unread append: too many for all")
    committed = sum(each.ok for each in all_)
    if not committed:
        return unknown(NAME, "no transaction is known to have committed")
    return holds(NAME, f"{committed} committed transactions have an order that explains every read")


def _violated(found: Sequence[Witness], cycles: Sequence[str]) -> Verdict:
    first, names = found[0], dict.fromkeys([*(witness.anomaly for witness in found), *cycles])
    others = [name for name in names if name != first.anomaly]
    reason = f"{first.anomaly}: {first.sentence}{_weaker(first.anomaly)}"
    reason += f" (also {', '.join(others)})" if others else ""
    return violated(NAME, first, reason, anomalies_count=len(names))


def _weaker(name: str) -> str:
    """What is promised all the same, if only time or sessions make it a cycle."""
    if name.endswith("-realtime"):
        return "; without the order of time no cycle is seen: serializable, but not strictly"
    if name.endswith("-process"):
        return "; without the order of sessions no cycle is seen: serializable, but not strictly"
    return ""
