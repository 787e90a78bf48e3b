"""
Only the owner releases: nobody takes away a lock that somebody else has by now.

Definition: a ``release`` (ok) that deleted something (``notes["deleted"]``, else ``result``, is true) was not invoked
after another client's ``acquire`` (ok) of that lock had completed which itself began after the releaser's own last
``acquire`` had ended: by then the lock was not the releaser's. A release with ``notes["sent"]`` false never left the client and is none.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator

from chaos.guarantees.evidence import identity, missed_faults, shown
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.placing import Placed, by_interval, settled_before
from chaos.history import History, Operation, Outcome
from chaos.verdict import Verdict, Witness, holds, unknown, violated

NAME = "only_owner_releases"


def _judge(history: History) -> Verdict:
    foreign = [pair for operations in _by_lock(history).values() for pair in _foreign_releases(history, operations)]
    stolen = [(taken, release) for taken, release in foreign if _deleted(release)]
    measures = {"foreign_release_count": len(foreign), "stolen_count": len(stolen)}
    if stolen:
        return violated(NAME, _witness(history, stolen[0]), **measures)
    answered = sum(release.outcome is not Outcome.INFO for _, release in foreign)
    missing = _too_little(len(foreign), answered) or missed_faults(history, history.select(("acquire", "release")))
    if missing:
        return unknown(NAME, missing, **measures)
    return holds(NAME, f"{answered} releases came too late, and none took the lock away", **measures)


def _too_little(foreign: int, answered: int) -> str | None:
    if not foreign:
        return "nobody released a lock after another client had taken it over"
    return None if answered else "nobody knows what the releases that came too late did: none was answered"


def _by_lock(history: History) -> dict[Hashable, list[Operation]]:
    grouped: dict[Hashable, list[Operation]] = defaultdict(list)
    for operation in history.select(("acquire", "release")):
        if operation.outcome is not Outcome.FAIL or operation.f == "release":
            grouped[identity(operation.value)].append(operation)
    return grouped


def _foreign_releases(history: History, operations: list[Operation]) -> Iterator[tuple[Operation, Operation]]:
    """Each release of what was not the releaser's any more, with the acquisition by which it was another's."""
    own: dict[str, Placed] = {}  # By client, its last acquisition that it may have got.
    taken: dict[str, Placed] = {}  # By client, its last acquisition that is known to have ended by now.
    placed = by_interval(history, sorted(operations, key=lambda operation: operation.invoked_ns))
    for one, settled in settled_before(placed):
        taken.update({past.operation.client: past for past in settled if _is_certain(past.operation)})
        if one.operation.f == "acquire":
            own[one.operation.client] = one
            continue
        if one.operation.notes.get("sent") is False:
            continue  # It never left the client: no deed to judge.
        mine = own.get(one.operation.client)
        others = [other for client, other in taken.items() if client != one.operation.client]
        newer = [other for other in others if mine is None or mine.end < other.begin]
        if newer:
            yield max(newer, key=lambda other: other.end).operation, one.operation


def _is_certain(operation: Operation) -> bool:
    return operation.f == "acquire" and operation.ok


def _deleted(release: Operation) -> bool:
    return release.ok and bool(release.notes.get("deleted", release.result))


def _witness(history: History, pair: tuple[Operation, Operation]) -> Witness:
    taken, release = pair
    sentence = (
        f"{release.client} released {shown(release.value)} at {history.seconds(release.invoked_ns):.3f} s, which "
        f"{taken.client} had acquired at {history.seconds(taken.completed_ns or taken.invoked_ns):.3f} s"
    )
    return Witness(anomaly="foreign release", sentence=sentence, operations=pair)


only_owner_releases = Guarantee(
    name=NAME,
    promise="A client that lost its lock cannot take it away from the next holder.",
    check=_judge,
    source="Redis documentation, distributed locks: release compares the random value in one script",
    silent_on="what happened while the lock was gone (mutual_exclusion)",
    needs=("acquire", "release"),
)
