"""
Judging a saved history again: what ``chaos recheck`` does.
"""

import re
from collections.abc import Iterable

from chaos.errors import UsageError
from chaos.guarantees import BOUNDED, GUARANTEES
from chaos.guarantees.guarantee import Guarantee, among, of_client, of_kind
from chaos.history import History
from chaos.verdict import Verdict

_NAME = re.compile(
    r"(?P<name>\w+?)(_within\((?P<bound>\d+(\.\d+)?(e[+-]?\d+)?)s?\))?(\{(?P<f>[^}]+)\})?(\[(?P<clients>[^\]]+)\])?"
)


def guarantee_named(name: str) -> Guarantee:
    """The guarantee of this name, as verdicts show it: ``recovers_within(5s)``, ``recovers{acquire}``, ``recovers[c1]``."""
    parts = _NAME.fullmatch(name)
    base, bound, f, clients = parts.group("name", "bound", "f", "clients") if parts else (name, None, None, None)
    if base not in (BOUNDED if bound else GUARANTEES):
        bounded = ", ".join(f"{one}_within(…s)" for one in BOUNDED)
        raise UsageError(f"there is no guarantee {name!r}; there are: {', '.join(GUARANTEES)}, {bounded}")
    guarantee = BOUNDED[base](float(bound)) if bound else GUARANTEES[base]
    guarantee = of_kind(guarantee, f) if f else guarantee
    if not clients:
        return guarantee
    several = clients.split(",")
    return among(guarantee, *several) if len(several) > 1 else of_client(guarantee, clients)


def recheck(history: History, names: Iterable[str] | None = None) -> tuple[Verdict, ...]:
    """
    Judge a history by the guarantees named, or by all that say something of its kinds of operations.

    Recovery is about faults, so it is judged of histories that have one.
    """
    if names is not None:
        return tuple(guarantee_named(name)(history) for name in names)
    return tuple(
        guarantee(history)
        for guarantee in GUARANTEES.values()
        if guarantee.applies(history) and (guarantee.needs or history.faults)
    )
