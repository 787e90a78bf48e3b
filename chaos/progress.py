"""
Where a run stands: in one line for a person who watches, and in the words of a wait that was in vain.
"""

import linecache
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chaos.history.live import LiveHistory
from chaos.history.reader import POINT


def progress_line(live: LiveHistory | None, wanted: str, left_s: float) -> str:
    """Phase, what is being waited for, operations so far and faults in force; before the run, only what is waited for."""
    waiting = f"waiting for {wanted} ({max(0.0, left_s):.0f} s left)"
    if live is None:
        return waiting
    phase = live.phases[-1].name if live.phases else "beginning"
    harms = [f"{fault.name} on {fault.target.partition(' | ')[0]}" for fault in live.faults if not fault.healed_ns]
    return " | ".join([phase, waiting, f"{live.count(outcome=None):,} operations", *harms])


def outcomes(live: LiveHistory, f: str | None, client: str | None, since_ns: int) -> str:
    """How many of these operations ended how, and the last of them."""
    counts = {outcome: live.count(f, client, outcome, since_ns) for outcome in ("ok", "fail", "info")}
    last = live.last(f, client, None, since_ns)
    words = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    return words + (f"; the last one: {last}" if last else "")


def instead_of(live: LiveHistory, f: str, client: str | None, since_ns: int) -> str:
    """The same; of an operation that nobody ever asked for, those that were asked for: a name may be mistyped."""
    if live.count(f, client, None) or any(operation.f == f for operation in live.open_operations(client)):
        before = live.count(f, client) - live.count(f, client, "ok", since_ns)
        return outcomes(live, f, client, since_ns) + (f"; {before} ok before it was waited for" if before else "")
    asked = Counter(operation.f for operation in (*live.operations(None, client, None), *live.open_operations(client)))
    named = ", ".join(f"{count} {name!r}" for name, count in sorted(asked.items()))
    return f"no {f!r} at all; asked for so far: {named or 'nothing'}"


def on_the_way(live: LiveHistory, client: str) -> str:
    """What a client did, and the points that it passed without being held: a name may be mistyped."""
    passed = dict.fromkeys(repr(seen.value) for seen in live.observations(POINT, client))
    return f"{outcomes(live, None, client, 0)}; it came to the points: {', '.join(passed) or 'none'}"


def idle(live: LiveHistory, clients: Sequence[str], standing: Mapping[str, str]) -> str:
    """Who does nothing any more: clients whose workload returned, and those that stand at a point, with what to do about it."""
    ended = [f"; {client} has ended: its workload returned" for client in clients if live.ended(client)]
    held = [
        f"; {client} stands at {point!r}: run.release({client!r}, {point!r}) lets it go on"
        for client, point in standing.items()
    ]
    return "".join((*ended, *held))


def since_phase(live: LiveHistory, clients: Sequence[str], condition: Callable[[], Any]) -> str:
    """What clients got since the current phase began, and what the condition's cluster lacks, where it can say."""
    lacks: Sequence[str] = getattr(getattr(condition, "__self__", None), "disagreement", tuple)()
    if not live.phases:
        return "; ".join(lacks) or "nothing has begun"
    phase = live.phases[-1]
    got = [f"{client}: {outcomes(live, None, client, phase.at_ns)}" for client in clients]
    return "; ".join([*lacks, f"since {phase.name!r} began, {'; '.join(got) or 'no client'}"])


def in_words(condition: Callable[[], Any]) -> str:
    """A condition by its function's name; one without a name by its place and what stands there."""
    code = getattr(condition, "__code__", None)
    if code is None or code.co_name != "<lambda>":
        return f"{getattr(condition, '__qualname__', 'a condition')} to hold"
    line = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    return f"the condition at {Path(code.co_filename).name}:{code.co_firstlineno} to hold ({line})"
