"""
What a guarantee is: a named promise with the pure function that judges it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chaos.errors import UsageError
from chaos.history import History
from chaos.verdict import Verdict

Check = Callable[[History], Verdict]

FINAL_READ = "final-read"
"""The operation that shows what is left when all is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """
    A promise and its judge. Calling it judges a history; it reads nothing else, so a saved history can be judged again.

    :param name: as verdicts, reports and the command line show it.
    :param promise: one sentence: what the system would have to keep.
    :param source: where the promise is defined (paper, server documentation).
    :param silent_on: what a "holds" of this guarantee does not say.
    :param needs: kinds of operations without which the promise says nothing of a history.
    :param per_client: whether it can be judged for the operations of one client alone.
    """

    name: str
    promise: str
    check: Check
    source: str = ""
    silent_on: str = ""
    needs: tuple[str, ...] = ()
    per_client: bool = False

    def __call__(self, history: History) -> Verdict:
        """Judge this history."""
        return self.check(history)

    def applies(self, history: History) -> bool:
        """Whether the history has all the kinds of operations that this promise is about."""
        return set(self.needs) <= {operation.f for operation in history}


def of_client(guarantee: Guarantee, client: str) -> Guarantee:
    """
    The same promise, kept to this client: only its operations count, against everybody's final reads.

    Most promises are about what clients do to each other and would hold of any one client; those are refused.
    """
    if not guarantee.per_client:
        raise UsageError(f"{guarantee.name} is a promise between clients: it cannot be judged for {client} alone")
    name = f"{guarantee.name}[{client}]"

    def judge(history: History) -> Verdict:
        kept = (operation for operation in history if operation.client == client or operation.f == FINAL_READ)
        return replace(guarantee(replace(history, operations=tuple(kept))), guarantee=name)

    return replace(guarantee, name=name, promise=f"{guarantee.promise} (operations of {client})", check=judge)
