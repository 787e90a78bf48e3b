"""
From the operations that prove a violation of a register or a mutex to the anomaly's name and a sentence.
"""

from collections.abc import Sequence
from typing import Any

from chaos.checkers.calls import Call
from chaos.history import Operation
from chaos.verdict import Witness


def _produces(call: Call) -> Any:
    return (call.value,) if call.f == "write" else (call.value[1],) if call.f == "cas" else None


def _needs(call: Call) -> Any:
    return (call.result,) if call.f == "read" else (call.value[0],) if call.f == "cas" else None


def with_sources(kept: Sequence[Call], calls: Sequence[Call], initial: Any) -> list[Call]:
    """The proof with, for each value seen in it, an operation that wrote it: else it would look like read from nowhere."""
    found = list(kept)
    for call in found:  # Grows: a source that is a cas has seen a value too.
        wanted = _needs(call)
        if wanted is None or wanted == (initial,) or any(_produces(each) == wanted for each in found):
            continue
        sources = [each for each in calls if _produces(each) == wanted and each.begin < call.end]
        if sources:
            found.append(sources[-1])
    return sorted(found, key=lambda each: each.begin)


def _asked(operation: Operation) -> str:
    came = f" -> {operation.result}" if operation.f == "read" else ""
    asked = "" if operation.f == "read" or operation.value is None else f" {operation.value}"
    return f"{operation.f}{asked}{came} of {operation.client}"


def register_witness(shown: Sequence[Call], last: Call, calls: Sequence[Call], initial: Any) -> Witness:
    """Name what happened by the operation that nobody can explain."""
    wanted = _needs(last)
    sources = [call for call in calls if call is not last and _produces(call) == wanted]
    asked = _asked(last.operation)
    others = [call for call in shown if call is not last]
    if last.f == "cas, failed":
        anomaly, why = "impossible refusal", "the value it expected was there all the time"
    elif wanted is None:
        anomaly, why = "not linearizable", "what was seen before and after it leaves it no place"
    elif not sources and wanted != (initial,):
        anomaly, why = "phantom value", "nobody wrote the value it saw"
    elif sources and wanted != (initial,) and all(call.begin > last.end for call in sources):
        anomaly, why = "read from the future", "the value it saw was written only later"
    else:
        anomaly = "stale read" if last.f == "read" else "impossible cas"
        why = "the value it saw was no longer there" if others else "the value it saw was not there yet"
    given = "; ".join(_asked(call.operation) for call in others)
    sentence = f"no order explains {asked}: {why}" + (f" (given: {given})" if 0 < len(others) <= 6 else "")
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in shown))


def mutex_witness(shown: Sequence[Call], last: Call) -> Witness:
    """Held twice, or released when free."""
    acquires = sum(call.f == "acquire" for call in shown)
    if acquires * 2 > len(shown):
        holders = ", ".join(call.operation.client for call in shown if call.f == "acquire")
        anomaly, why = "double acquire", f"it was held all the time ({holders} acquired)"
    else:
        anomaly, why = "release of a free lock", "nobody can have held it"
    sentence = f"no order explains {last.f} of {last.operation.client}: {why}"
    return Witness(anomaly=anomaly, sentence=sentence, operations=tuple(call.operation for call in shown))
