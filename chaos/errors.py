"""
Whose fault an error is. The three blames decide the colour of the report.

``GuaranteeError``: the system under test broke a promise, or kept one it was expected to break.
``ProviderError``: the environment could not deliver (no rights, no binary, a server that does not start).
``HarnessError``: the harness or the experiment itself is wrong; a run without proof is void.
"""

from typing import Any


def said(excinfo: Any) -> bool:
    """
    Whether the error's own sentence says it all: as a module's ``__tracebackhide__`` it leaves out that module's frames.

    So a failure's trace ends in the experiment; ``pytest --full-trace`` shows the rest. Other exceptions are our bugs.
    """
    return isinstance(getattr(excinfo, "value", None), GuaranteeError | ChaosError)


class GuaranteeError(AssertionError):
    """The system under test did not behave as the experiment expects. pytest and Allure show it as *failed*."""


class NoProgressError(GuaranteeError):
    """Progress that the experiment expected from the system under test was not seen in time."""


class ChaosError(Exception):
    """What is not the system's doing. pytest and Allure show it as an error or *broken*."""


class ProviderError(ChaosError):
    """The environment could not deliver what was asked of it."""


class MissingAbilityError(ProviderError):
    """This machine, provider or system cannot do what the experiment needs; the experiment is skipped by name."""

    def __init__(self, ability: str, reason: str) -> None:
        super().__init__(f"{ability} is not available here: {reason}")
        self.ability = ability
        self.reason = reason


class MissingSoftwareError(ProviderError):
    """Software that the experiment needs is not installed. The message names the command that installs it."""

    def __init__(self, what: str, command: str) -> None:
        super().__init__(f"{what} is not installed; run: {command}")
        self.what = what
        self.command = command


class ServerError(ProviderError):
    """A server under test did not start or did not become ready. The message quotes the server's own log line."""


class HarnessError(ChaosError):
    """The harness or the experiment made a mistake."""


class VoidRunError(HarnessError):
    """The fault has no proof that it bit, or that it healed: the run is neither green nor red."""


class OutcomeTableError(HarnessError):
    """A client library raised an exception that the workload's outcome table does not classify."""


class WorkerDiedError(HarnessError):
    """A worker process ended before the experiment asked it to."""


class UsageError(ChaosError, ValueError):
    """A request that cannot be carried out as given: a wrong value, an unknown name."""


class HistoryFormatError(UsageError):
    """A history file that cannot be read; the message carries the line and the reason."""


class LeftBehindWarning(UserWarning):
    """Something empty of a lab that is over could not be removed: nothing runs in it, and no verdict depends on it."""
