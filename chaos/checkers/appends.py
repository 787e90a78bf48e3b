"""
List-append transactions: strictly serializable, as far as reads reveal it.

Source: Kingsbury and Alvaro, Elle, VLDB 2020. Everything reported is a violation; what reads do not reveal is not seen.
Aborted transactions count for what others saw of them, unfinished ones for what was seen of them.
"""

from collections.abc import Sequence
from typing import Any

from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call
from chaos.checkers.cycles import worst_cycle
from chaos.checkers.dependencies import Dependencies
from chaos.checkers.dirty import direct
from chaos.checkers.transactions import transactions, versions
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "list-append"


def judge_appends(calls: Sequence[Call], initial: Any, budget: Budget) -> Verdict:
    """Whether some order of all committed transactions, in real time, explains every read."""
    all_ = transactions(calls)
    known = versions(all_)
    found = list(direct(all_, known))
    names = dict.fromkeys(witness.anomaly for witness in found)
    dependencies = Dependencies(all_, known)
    cycle = worst_cycle(dependencies, budget)
    if cycle is not None:
        name, steps, sorts = cycle
        sentence = "; ".join(dependencies.sentence(*step) for step in steps)
        shown = sorted({place for step in steps for place in dependencies.shown(*step)})
        found.append(
            Witness(anomaly=name, sentence=sentence, operations=tuple(all_[place].operation for place in shown))
        )
        names.update(dict.fromkeys(sorts))
    if found:
        first = found[0]
        others = [name for name in names if name != first.anomaly]
        reason = f"{first.anomaly}: {first.sentence}" + (f" (also {', '.join(others)})" if others else "")
        return violated(NAME, first, reason, anomalies_count=len(names))
    committed = sum(each.ok for each in all_)
    if not committed:
        return unknown(NAME, "no transaction is known to have committed")
    return holds(NAME, f"{committed} committed transactions have an order that explains every read")
