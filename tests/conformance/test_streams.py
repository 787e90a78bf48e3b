"""
Stream rules: what Toxiproxy does to a link, in one direction or both, and how it ends.
"""

import time

from chaos.network.rules import Closed, Direction, Gate, LinkRule, Stream
from chaos.network.toxics import Bandwidth, Latency, LimitData, ResetPeer, Timeout, Toxic
from chaos.providers.contract import Canary, Lab
from tests.conformance.talk import (
    PING,
    PORT,
    call,
    client,
    events,
    node,
    outcome,
    outcomes,
    serve,
    wait_answers,
    wait_event,
)

WAYS: tuple[Direction, ...] = ("upstream", "downstream")


def both(toxic: Toxic, source: str = "c1", target: str = "n1") -> list[LinkRule]:
    return [Stream(source=source, target=target, toxic=toxic, direction=way) for way in WAYS]


def placed(lab: Lab) -> Lab:
    lab.place([node("n1"), node("n2"), client("c1")])
    serve(lab, "n1", "n2")
    return lab


def took_ms(lab: Lab, source: str, target: str) -> float:
    (result,) = lab.canaries([Canary(source=source, target=target, port=PORT, ping=PING, within_s=2)])
    assert result.outcome == "answered"
    return result.took_ms


def test_latency_delays_this_link_in_this_direction_only(lab: Lab) -> None:
    placed(lab)
    rule = Stream(source="c1", target="n1", toxic=Latency(latency_ms=200), direction="upstream")
    lab.apply([rule])
    assert took_ms(lab, "c1", "n1") >= 200
    assert took_ms(lab, "c1", "n2") < 200
    assert took_ms(lab, "n2", "n1") < 200
    other = Stream(source="c1", target="n1", toxic=Latency(latency_ms=200), direction="downstream")
    lab.apply([other])
    assert took_ms(lab, "c1", "n1") >= 400
    lab.withdraw([rule])
    assert 200 <= took_ms(lab, "c1", "n1") < 400
    lab.withdraw([other])
    assert took_ms(lab, "c1", "n1") < 200


def test_a_stall_holds_the_bytes_and_delivers_them_at_the_heal(lab: Lab) -> None:
    placed(lab)
    server = lab.processes("n1")[0]
    caller = call(lab, "c1", "n1", every_s=0.02)
    wait_event(lab, server, "got")
    rules = [Gate(source="c1", target="n1", action="drop-new"), *both(Bandwidth(rate_kb_s=0))]
    lab.apply(rules)
    began_ns = time.monotonic_ns()
    wait_event(lab, caller, "sent", since_ns=began_ns + 200_000_000)
    assert not events(lab, server, "got", since_ns=began_ns + 20_000_000)
    assert outcomes(lab, "c1", "n1", "n2") == ["timeout", "answered"]
    lab.withdraw(rules)
    healed_ns = time.monotonic_ns()
    wait_event(lab, server, "got", since_ns=healed_ns - 50_000_000)
    wait_event(lab, caller, "got", since_ns=healed_ns - 50_000_000)
    assert not events(lab, caller, "end")
    wait_answers(lab, "c1", "n1", within_s=2)


def test_a_closed_link_ends_at_once_and_refuses(lab: Lab) -> None:
    placed(lab)
    caller = call(lab, "c1", "n1")
    other = call(lab, "c1", "n2", name="other")
    began_ns = time.monotonic_ns()
    rule = Closed(source="c1", target="n1")
    lab.apply([rule])
    end = wait_event(lab, caller, "end", since_ns=began_ns)
    assert end["how"] == "closed"
    assert (end["at"] - began_ns) / 1e6 < 500
    assert outcomes(lab, "c1", "n1", "n2") == ["refused", "answered"]
    assert not events(lab, other, "end")
    lab.withdraw([rule])
    wait_answers(lab, "c1", "n1", within_s=1)


def test_a_blackhole_swallows_and_its_end_closes(lab: Lab) -> None:
    placed(lab)
    server = lab.processes("n1")[0]
    caller = call(lab, "c1", "n1", every_s=0.02)
    wait_event(lab, server, "got")
    rules = both(Timeout())
    lab.apply(rules)
    began_ns = time.monotonic_ns()
    wait_event(lab, caller, "sent", since_ns=began_ns + 100_000_000)
    assert outcome(lab, "c1", "n1", within_s=0.1) == "silent"
    lab.withdraw(rules)
    wait_event(lab, caller, "end", since_ns=began_ns)
    assert not events(lab, server, "got", since_ns=began_ns + 20_000_000)


def test_reset_and_limit_cut_a_conversation(lab: Lab) -> None:
    placed(lab)
    reset = [Stream(source="c1", target="n1", toxic=ResetPeer(), direction="upstream")]
    lab.apply(reset)
    assert outcome(lab, "c1", "n1") in ("reset", "closed")
    lab.withdraw(reset)
    assert outcome(lab, "c1", "n1") == "answered"
    limit = [Stream(source="c1", target="n1", toxic=LimitData(limit_bytes=0), direction="downstream")]
    lab.apply(limit)
    assert outcome(lab, "c1", "n1") == "closed"
    lab.withdraw(limit)
    assert outcome(lab, "c1", "n1") == "answered"


def test_every_proxied_port_of_a_party_is_harmed(lab: Lab) -> None:
    lab.place([node("n1", PORT, 7001), client("c1")])
    serve(lab, "n1")
    rule = Closed(source="c1", target="n1")
    lab.apply([rule])
    assert outcome(lab, "c1", "n1") == "refused"
    lab.withdraw([rule])
    assert outcome(lab, "c1", "n1", port=7001) == "refused", "nothing listens there, fault or not"
    assert outcome(lab, "c1", "n1") == "answered"
