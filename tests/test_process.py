"""
Processes of this machine: whether they live, and whose they are.
"""

import os
import subprocess
import sys

import pytest

from chaos.process import is_root, lives


def test_a_process_lives_until_it_has_been_collected() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert lives(child.pid)
    child.communicate(b"\n")
    assert not lives(child.pid)


def test_we_live_and_so_does_the_first_of_all() -> None:
    assert lives(os.getpid())
    assert lives(1)


@pytest.mark.parametrize("pid", [0, -1, -os.getpid()])
def test_a_group_is_no_process(pid: int) -> None:
    """To the kernel these numbers mean several; a label that says so is of nobody who lives."""
    assert not lives(pid)


def test_somebody_elses_process_lives_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refuse)
    assert lives(4711)


def test_nobody_is_root_where_there_is_no_such_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_root() is (os.geteuid() == 0)
    monkeypatch.delattr(os, "geteuid")
    assert not is_root()
