"""
Signals by the numbers that parties know, which are Linux's: elsewhere a test process has other numbers for them, or none.
"""

from enum import IntEnum

__all__ = ["Signal", "as_parties_number", "signal_name"]


class Signal(IntEnum):
    """What a process of a party can be sent, and ended by."""

    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGBUS = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGUSR1 = 10
    SIGSEGV = 11
    SIGUSR2 = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGSTKFLT = 16
    SIGCHLD = 17
    SIGCONT = 18
    SIGSTOP = 19
    SIGTSTP = 20
    SIGTTIN = 21
    SIGTTOU = 22
    SIGURG = 23
    SIGXCPU = 24
    SIGXFSZ = 25
    SIGVTALRM = 26
    SIGPROF = 27
    SIGWINCH = 28
    SIGIO = 29
    SIGPWR = 30
    SIGSYS = 31


def as_parties_number(signal: int) -> int:
    """The number in a party; one of the ``signal`` module is known by its name, since its number may be another one here."""
    known = Signal.__members__.get(getattr(signal, "name", ""))
    return int(signal if known is None else known)


def signal_name(number: int) -> str:
    """What a party's number is called."""
    return Signal(number).name if number in Signal.__members__.values() else f"signal {number}"
