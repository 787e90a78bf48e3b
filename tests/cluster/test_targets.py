"""Targets: whom a fault means is decided when it is injected."""

import pytest

from chaos.cluster import Agrees, Client, Node, require, resolve
from chaos.errors import MissingAbilityError, UsageError


def test_parties_names_and_several_of_them_are_targets() -> None:
    assert resolve(Node("n1")) == ("n1",)
    assert resolve("n2") == ("n2",)
    assert resolve([Node("n1"), "c1", (Client("c1"), Node("n2"))]) == ("n1", "c1", "n2")


def test_a_rule_is_asked_each_time() -> None:
    leaders = iter([Node("n1"), Node("n2")])

    def leader() -> Node:
        return next(leaders)

    assert resolve(leader) == ("n1",)
    assert resolve([leader, "c1"]) == ("n2", "c1")


def test_a_target_that_names_nobody_is_refused() -> None:
    with pytest.raises(UsageError, match="names no party"):
        resolve([])
    with pytest.raises(UsageError, match="a target is a party"):
        resolve(17)  # type: ignore[arg-type]


def test_a_missing_ability_is_said_by_name() -> None:
    with pytest.raises(MissingAbilityError, match="Agrees is not available here: object does not have it"):
        require(object(), Agrees)
