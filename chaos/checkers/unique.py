"""
Registers whose writes are unique, in O(n log n).

Source: Gibbons and Korach, Testing shared memories, SIAM J. Comput. 1997. A value's cluster is its write and its reads;
f is when the first of them ended, s when the last of them began. If f < s the register certainly held the value between
them (a forward zone), else it held it at some moment between s and f (a backward zone). Linearizable: no read before its
write, no two forward zones overlap, no backward zone lies inside a forward one.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from chaos.checkers.calls import NEVER, Call
from chaos.verdict import Verdict, Witness, holds, violated

NAME = "register"


class Cluster(NamedTuple):
    """A value's write (None: the initial value) with its first end and its last beginning, and which reads' they are."""

    write: Call | None
    ended: int
    began: int
    first: Call | None
    last: Call | None

    @property
    def calls(self) -> tuple[Call, ...]:
        """What shows the zone."""
        found = {id(call): call for call in (self.write, self.first, self.last) if call is not None}
        return tuple(found.values())


def applies(calls: Sequence[Call], initial: Any) -> bool:
    """Whether every value is written at most once, and none by a compare-and-set."""
    written = {initial}
    writes = 0
    for call in calls:
        if call.f == "write":
            written.add(call.value)
            writes += 1
        elif call.f != "read":
            return False
    return len(written) == writes + 1


def judge_unique(calls: Sequence[Call], initial: Any) -> Verdict:
    """Judge such a register."""
    clusters: dict[Any, Cluster] = {initial: Cluster(None, -1, -2, None, None)}
    for call in calls:
        if call.f == "write":
            clusters[call.value] = Cluster(call, call.end, call.begin, None, None)
    for call in calls:
        if call.f == "read" and call.end != NEVER:
            cluster = clusters.get(call.result)
            if cluster is None or (cluster.write is not None and call.end < cluster.write.begin):
                return violated(NAME, _unborn(call, cluster))
            clusters[call.result] = _with(cluster, call)
    forward = sorted(
        (cluster for cluster in clusters.values() if cluster.ended < cluster.began), key=lambda each: each.ended
    )
    backward = [cluster for cluster in clusters.values() if cluster.began < cluster.ended != NEVER]
    pair = _overlapping(forward) or _inside(forward, backward)
    if pair is None:
        return holds(NAME, f"an order exists that explains all {len(calls)} operations")
    return violated(NAME, _between(*pair))


def _with(cluster: Cluster, read: Call) -> Cluster:
    write, ended, began, first, last = cluster
    if read.end < ended:
        ended, first = read.end, read
    if read.begin > began:
        began, last = read.begin, read
    return Cluster(write, ended, began, first, last)


def _overlapping(forward: Sequence[Cluster]) -> tuple[Cluster, Cluster] | None:
    for before, after in pairwise(forward):
        if after.ended < before.began:
            return before, after
    return None


def _inside(forward: Sequence[Cluster], backward: Sequence[Cluster]) -> tuple[Cluster, Cluster] | None:
    starts = [cluster.ended for cluster in forward]
    for cluster in backward:
        place = bisect_left(starts, cluster.began) - 1
        if place >= 0 and cluster.ended < forward[place].began:
            return forward[place], cluster
    return None


def _unborn(read: Call, cluster: Cluster | None) -> Witness:
    if cluster is None or cluster.write is None:
        sentence = f"{read.operation.client} read {read.operation.result}, which nobody wrote"
        return Witness(anomaly="phantom value", sentence=sentence, operations=(read.operation,))
    sentence = f"{read.operation.client} read {read.operation.result} before its write by {cluster.write.operation.client} began"
    return Witness(
        anomaly="read from the future", sentence=sentence, operations=(read.operation, cluster.write.operation)
    )


def _between(one: Cluster, other: Cluster) -> Witness:
    """``one`` was certainly there while ``other`` came and went, or certainly was too."""
    shown = sorted({id(call): call for call in one.calls + other.calls}.values(), key=lambda call: call.begin)
    values = [cluster.write.operation.value if cluster.write else "the initial value" for cluster in (one, other)]
    sentence = f"{values[0]} was seen before and after {values[1]} was the value"
    return Witness(anomaly="stale read", sentence=sentence, operations=tuple(call.operation for call in shown))
