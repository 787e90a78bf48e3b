"""
Link rules as values: which ports they act on, and which they may name.
"""

import pytest

from chaos.errors import UsageError
from chaos.network.rules import Closed, Gate, LinkRule, Loss, Wire, check_ports, is_limited, refuses

DECLARED = {"n1": (7000, 7001), "n2": (7000,), "c1": ()}


def test_a_rule_without_ports_acts_on_all() -> None:
    """As it did before there were any."""
    rules: list[LinkRule] = [
        Gate(source="c1", target="n1", action="drop"),
        Wire(source="c1", target="n1", action="drop"),
        Loss(source="c1", target="n1", per_mille=5),
        Closed(source="c1", target="n1"),
    ]
    assert not any(is_limited(rule) for rule in rules)
    assert all(refuses(rule, port) for rule in rules for port in DECLARED["n1"])


def test_a_rule_with_ports_spares_the_others() -> None:
    """Whoever asks another port is not concerned."""
    rule = Gate(source="c1", target="n1", action="drop", ports=(7001,))
    assert is_limited(rule)
    assert refuses(rule, 7001)
    assert not refuses(rule, 7000)


def test_a_wire_that_stops_answers_refuses_no_port_of_the_target() -> None:
    """What the source says as a server is no business of the target's own ports."""
    rule = Wire(source="n1", target="n2", action="drop", source_ports=(7000,))
    assert is_limited(rule)
    assert not refuses(rule, 7000)


@pytest.mark.parametrize(
    ("rule", "party"),
    [
        (Closed(source="c1", target="n2", ports=(7000, 7001)), "n2"),
        (Wire(source="n2", target="n1", action="drop", source_ports=(7001,)), "n2"),
        (Wire(source="c1", target="n1", action="drop", ports=(7000,), source_ports=(7001,)), "c1"),
    ],
)
def test_a_port_that_nobody_declares_is_refused(rule: LinkRule, party: str) -> None:
    """It would act on nothing, and nobody would notice."""
    with pytest.raises(UsageError, match=f"^{party} declares no data port 7001$"):
        check_ports(rule, DECLARED.__getitem__)


def test_declared_ports_are_fine() -> None:
    """At either end."""
    check_ports(Wire(source="n2", target="n1", action="drop", ports=(7001,), source_ports=(7000,)), DECLARED.get)  # type: ignore[arg-type]
