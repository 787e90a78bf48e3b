"""
A Toxiproxy that does not answer: it is restarted, and what was in force still is.
"""

import os
import signal

import pytest

from chaos.errors import ProviderError
from chaos.network import toxiproxy
from chaos.network.rules import Closed, Stream
from chaos.network.toxics import Latency
from chaos.providers.contract import Lab
from chaos.wait import wait_until
from tests.conformance.talk import client, node, outcomes, serve, wait_answers
from tests.providers import inspection

SLOW = Stream(source="c1", target="n1", toxic=Latency(latency_ms=400), direction="upstream")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short deadline, so that the tests need not wait for the real one."""
    monkeypatch.setattr(toxiproxy, "DEADLINE_S", 0.5)


def test_a_hung_proxy_is_restarted_at_the_heal_and_other_faults_stay(lab: Lab) -> None:
    lab.place([node("n1"), node("n2"), client("c1")])
    serve(lab, "n1", "n2")
    lab.apply([SLOW, Closed(source="c1", target="n2")])
    os.kill(inspection.proxy(lab, "c1"), signal.SIGSTOP)
    (counter,) = lab.withdraw([SLOW])
    assert counter.remark is not None
    assert "was restarted" in counter.remark
    assert outcomes(lab, "c1", "n1", "n2") == ["answered", "refused"], "healed, and the other fault is in force again"
    (counter,) = lab.withdraw([Closed(source="c1", target="n2")])
    assert counter.remark is None
    wait_answers(lab, "c1", "n1", "n2")
    assert not lab.exits(), "the end of the old one was asked for"


def test_a_fault_that_a_hung_proxy_cannot_take_is_taken_back(lab: Lab) -> None:
    lab.place([node("n1"), client("c1")])
    serve(lab, "n1")
    os.kill(inspection.proxy(lab, "c1"), signal.SIGSTOP)
    with pytest.raises(ProviderError, match="c1: POST /proxies/to-n1-7000/toxics got no answer"):
        lab.apply([SLOW])
    wait_answers(lab, "c1", "n1")


def test_a_proxy_that_dies_is_told_as_an_exit(lab: Lab) -> None:
    lab.place([node("n1"), client("c1")])
    os.kill(inspection.proxy(lab, "c1"), signal.SIGKILL)
    wait_until(lab.exits, within_s=5, wanted="an exit")
    assert [(event.ref.party, event.ref.name) for event in lab.exits()] == [("c1", "toxiproxy")]
