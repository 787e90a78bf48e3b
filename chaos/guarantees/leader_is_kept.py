"""
A leader is kept: who leads when a fault bites that does not touch it leads to the end.

Definition: after the first fault bit, no party is seen to take the lead (an observation of the kind ``role`` that turns to
``leader``, ``master``, ...), and the ``term`` (or ``epoch``) of the party that led does not grow. Of several clusters each is judged.
"""

from chaos.guarantees.evidence import first_harm_ns, last_heal_ns
from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.leading import clusters, hits, leader_before, leads
from chaos.history import History, Observation
from chaos.verdict import Status, Verdict, Witness, holds, unknown, violated

NAME = "leader_is_kept"
TERMS = ("term", "epoch")
"""How systems call what grows with each election: Raft a term, Kafka a leader epoch."""


def _judge(history: History) -> Verdict:
    verdicts = [_judge_one(history, seen) for seen in clusters(history)]
    for status in (Status.VIOLATED, Status.UNKNOWN):
        if found := [verdict for verdict in verdicts if verdict.status is status]:
            return found[0]
    return verdicts[0] if verdicts else unknown(NAME, "no cluster has more than one node")


def _judge_one(history: History, seen: tuple[Observation, ...]) -> Verdict:
    harm, heal = first_harm_ns(history), last_heal_ns(history)
    if harm is None or heal is None:
        return unknown(NAME, "no fault bit and healed")
    leader = leader_before(seen, harm)
    if leader is None:
        return unknown(NAME, "nobody was seen to lead before the fault")
    if any(hits(fault, leader) for fault in history.faults):
        return unknown(NAME, f"a fault hit {leader}, which led: that it was replaced is what should happen")
    terms = [one for one in seen if one.party == leader and one.kind in TERMS]
    before = max((int(one.value) for one in terms if one.at_ns <= harm), default=None)
    if before is None:
        return unknown(NAME, f"no term of {leader} was seen before the fault")
    taken = [one for one in seen if leads(one) and one.at_ns > harm]
    grown = [one for one in terms if int(one.value) > before]
    measures = {
        "leaders_count": len(taken),
        "terms_count": max((int(one.value) - before for one in grown), default=0),
    }
    if taken or grown:
        return violated(NAME, _witness(history, leader, (*taken, *grown), len(taken)), **measures)
    if not any(one.at_ns >= heal for one in seen):
        return unknown(NAME, "nobody was looked at after the last fault healed", **measures)
    return holds(NAME, f"{leader} led to the end, in the same term", **measures)


def _witness(history: History, leader: str, seen: tuple[Observation, ...], taken: int) -> Witness:
    first = min(seen, key=lambda one: one.at_ns)
    how = f"{first.kind} {first.value}"
    sentence = (
        f"{leader} led, and no fault touched it; at {history.seconds(first.at_ns):.3f} s {first.party} was seen with {how}, "
        f"and the lead was taken {taken} times"
    )
    return Witness(anomaly="leader deposed", sentence=sentence)


leader_is_kept = Guarantee(
    name=NAME,
    promise="A leader that no fault touches leads on.",
    check=_judge,
    source="Ongaro 2014, Consensus: bridging theory and practice, section 9.6: preventing disruptions (pre-vote)",
    silent_on="faults that do touch the leader (election_within); expect it only where the leader was left alone",
)
