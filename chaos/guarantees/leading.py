"""
Who led, as observers saw it: observations of the kinds ``role`` and ``leader``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chaos.guarantees.evidence import NEVER, harmed_ns
from chaos.history import Fault, History, Observation

LEADING = frozenset({"leader", "master", "primary", "controller", "active"})
"""What a party that leads says of its role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """
    A leader that a fault hit, and who was first seen to lead instead.

    :param kept: the fault was over, the next one had not begun, and nothing that was seen says that it had cost the lead.
    """

    fault: Fault
    old: str
    new: Observation | None
    kept: bool = False

    @property
    def took_s(self) -> float | None:
        """From the harm to the first sight of another leader."""
        return None if self.new is None else max(0, self.new.at_ns - harmed_ns(self.fault)) / 1e9


def hits(fault: Fault, party: str) -> bool:
    """Whether a fault harms this party: of a partition the side that is named first, of a one-way one who gets nothing."""
    struck = fault.target.partition(" | ")[0].rpartition(" -> ")[2]
    return names(struck, party)


def names(text: str, party: str) -> bool:
    """Whether a text (a fault's target, an address) names this party: "n1:9092" names n1, "n11" and "x-n1" do not."""
    return re.search(rf"(?<![\w-]){re.escape(party)}(?!\w)", text) is not None


def leads(observation: Observation) -> bool:
    """Whether a party was seen in the role of a leader."""
    return observation.kind == "role" and str(observation.value) in LEADING


def clusters(history: History) -> list[tuple[Observation, ...]]:
    """What was seen of each cluster, since one may lead in each; of a history that does not name nodes, all together."""
    named = [
        set(said["nodes"]) for said in history.header.systems.values() if isinstance(said, dict) and "nodes" in said
    ]
    if len(named) < 2:
        return [history.observations]
    return [tuple(one for one in history.observations if one.party in nodes) for nodes in named if len(nodes) > 1]


def leader_before(seen: Iterable[Observation], at_ns: int) -> str | None:
    """The party that was last seen to take the lead before that instant."""
    before = [one for one in seen if leads(one) and one.at_ns <= at_ns]
    return max(before, key=lambda one: one.at_ns).party if before else None


def losses(history: History) -> Iterator[Loss]:
    """Every fault that hit whoever led then; a second fault on the same leader while it lasts is the same loss."""
    for fault in history.faults:
        for seen in clusters(history):
            # From when it was asked for: a leader that is asked to end has handed over before that is known to have bitten.
            old = leader_before(seen, fault.begun_ns)
            if old is not None and hits(fault, old):
                yield _loss(history, fault, old, [one for one in seen if one.at_ns >= fault.begun_ns])


def _loss(history: History, fault: Fault, old: str, after: list[Observation]) -> Loss:
    if not any(_tells_of_loss(one, old) for one in after if one.at_ns < _next_ns(history, fault)):
        return Loss(fault=fault, old=old, new=None, kept=True)
    others = (one for one in after if leads(one) and one.party != old)
    return Loss(fault=fault, old=old, new=min(others, key=lambda one: one.at_ns, default=None))


def _next_ns(history: History, fault: Fault) -> int:
    """When the next fault began after this one had healed; what is seen later may be that one's doing."""
    healed = NEVER if fault.healed_ns is None else fault.healed_ns
    return min((one.begun_ns for one in history.faults if one.begun_ns >= healed), default=NEVER)


def _tells_of_loss(one: Observation, old: str) -> bool:
    """Whether somebody else leads, somebody follows another or nobody, or the old leader is no leader any more."""
    if one.kind == "leader":
        return bool(one.value != old)
    return one.kind == "role" and (leads(one) if one.party != old else not leads(one))
