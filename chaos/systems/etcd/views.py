"""
What each member says of the cluster, and where the views differ. Pure: replies in, values and sentences out.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOBODY = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """
    A member's own view.

    :param leader: the id of the member that it follows, in hexadecimal; ``0`` while it knows of none.
    :param index: of the last entry that it applied.
    :param alarms: what it says is wrong with itself, such as no space.
    """

    member: str
    leader: str
    term: int
    index: int = 0
    revision: int = 0
    alarms: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """``leader``, ``follower``, or ``no leader``."""
        if self.leader == NOBODY:
            return "no leader"
        return "leader" if self.leader == self.member else "follower"


def parse_status(said: Mapping[str, Any]) -> MemberView:
    """The reply of ``maintenance/status`` as a view."""
    header = said.get("header", {})
    return MemberView(
        member=f"{int(header.get('member_id', 0)):x}",
        leader=f"{int(said.get('leader', 0)):x}",
        term=int(said.get("raftTerm", header.get("raft_term", 0))),
        index=int(said.get("raftAppliedIndex", said.get("raftIndex", 0))),
        revision=int(header.get("revision", 0)),
        alarms=tuple(str(error) for error in said.get("errors", ()) if "no leader" not in str(error)),
    )


def leader_of(views: Mapping[str, MemberView | str], names: Mapping[str, str]) -> str | None:
    """The member that leads in the newest term that any member knows of; None while nobody does."""
    known = [view for view in views.values() if isinstance(view, MemberView)]
    newest = max((view.term for view in known), default=0)
    ids = {view.leader for view in known if view.term == newest and view.leader != NOBODY}
    return next((names[one] for one in sorted(ids) if one in names), None)


def replaced(views: Mapping[str, MemberView | str], names: Mapping[str, str], old: str, majority: int) -> str | None:
    """The member that a majority, itself among them, follows instead of ``old``; None while there is none."""
    votes = Counter(
        (view.term, view.leader) for view in views.values() if isinstance(view, MemberView) and view.leader != NOBODY
    )
    for (term, leader), count in votes.items():
        name = names.get(leader)
        own = views.get(name or "")
        if name not in (None, old) and count >= majority and isinstance(own, MemberView) and own.term == term:
            return name
    return None


def disagreements(views: Mapping[str, MemberView | str], names: Mapping[str, str]) -> tuple[str, ...]:
    """What is missing until all members follow one leader in one term, without alarms; empty when they do."""
    problems = [f"{name}: {view}" for name, view in views.items() if isinstance(view, str)]
    known = {name: view for name, view in views.items() if isinstance(view, MemberView)}
    problems += [f"{name}: alarm {alarm}" for name, view in known.items() for alarm in view.alarms]
    problems += [f"{name}: knows no leader" for name, view in known.items() if view.leader == NOBODY]
    followed = {(view.leader, view.term) for view in known.values() if view.leader != NOBODY}
    if len(followed) > 1:
        seen = (f"{name} follows {names.get(v.leader, v.leader)} in term {v.term}" for name, v in known.items())
        problems.append("; ".join(seen))
    return tuple(problems)


_BUCKETS = re.compile(r'^etcd_disk_wal_fsync_duration_seconds_(?:bucket\{le="([^"]+)"\}|(sum)|(count)) (\S+)$', re.M)


def parse_syncs(metrics: str) -> dict[str, float] | None:
    """
    How often the member synced its log and how long that took, from ``/metrics``; None before the first time.

    ``slowest_s`` is the bucket of the slowest sync so far (8.192 stands for all that is longer).
    """
    found: dict[str, float] = {}
    buckets: list[tuple[float, float]] = []
    for bucket, is_sum, _, number in _BUCKETS.findall(metrics):
        if bucket:
            buckets.append((float(bucket), float(number)))
        else:
            found["sum_s" if is_sum else "count"] = float(number)
    if not found.get("count"):
        return None
    return {**found, "slowest_s": _slowest(buckets, found["count"])}


def _slowest(buckets: Sequence[tuple[float, float]], count: float) -> float:
    finite: Iterable[tuple[float, float]] = [(limit, below) for limit, below in buckets if limit != float("inf")]
    return next((limit for limit, below in finite if below >= count), 8.192)
