"""
Signals as parties number them, whatever machine the test process runs on.
"""

import signal
from enum import IntEnum
from pathlib import Path

import pytest

from chaos.providers import choose
from chaos.providers.contract import PartySpec, Spawn
from chaos.providers.signals import Signal, as_parties_number, signal_name


class OnAMac(IntEnum):
    """What the signal module says there."""

    SIGSTOP = 17
    SIGCONT = 19
    SIGUSR1 = 30
    SIGINFO = 29


def test_the_numbers_are_linuxs() -> None:
    """As this machine's own module has them."""
    assert {one.name: one.value for one in Signal} == {
        one.name: one.value for one in signal.Signals if one.value <= 31 and one.name in Signal.__members__
    }


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (OnAMac.SIGSTOP, 19),
        (OnAMac.SIGCONT, 18),
        (OnAMac.SIGUSR1, 10),
        (signal.SIGKILL, 9),
        (Signal.SIGTERM, 15),
        (35, 35),
    ],
)
def test_a_signal_of_the_module_is_known_by_its_name(given: int, number: int) -> None:
    """A bare number is taken as it is: as the party knows it."""
    assert as_parties_number(given) == number
    assert type(as_parties_number(given)) is int


def test_a_signal_that_parties_do_not_know_keeps_its_number() -> None:
    assert as_parties_number(OnAMac.SIGINFO) == 29


def test_a_number_without_a_name_is_told_all_the_same() -> None:
    assert (signal_name(9), signal_name(37)) == ("SIGKILL", "signal 37")


def test_a_lab_takes_a_macs_signal_for_what_it_is_called(tmp_path: Path) -> None:
    provider, _ = choose("memory")
    lab = provider.open(keep_at=str(tmp_path))
    lab.place([PartySpec(name="n1")])
    ref = lab.spawn("n1", Spawn(name="p", python="chaos.providers.memory.counter:server"))
    lab.signal(ref, OnAMac.SIGSTOP)
    assert lab.state(ref) == "stopped"
    lab.signal(ref, OnAMac.SIGCONT)
    assert lab.state(ref) == "running"
    lab.close()
