"""
What a guarantee is: a named promise with the pure function that judges it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chaos.errors import UsageError
from chaos.history import History, Operation
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
    :param notes: what at least one operation must have in its notes, for the same reason.
    :param sees: kinds of observations that must be there, for the same reason.
    :param per_client: whether it can be judged for the operations of one client alone.
    :param per_group: whether it can be judged among some of the clients, as if the others were not there.
    :param per_kind: whether it can be judged for one kind of operation alone.
    """

    name: str
    promise: str
    check: Check
    source: str = ""
    silent_on: str = ""
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    per_client: bool = False
    per_group: bool = False
    per_kind: bool = False

    def __call__(self, history: History) -> Verdict:
        """Judge this history."""
        return self.check(history)

    def applies(self, history: History) -> bool:
        """Whether the history has all the kinds of operations, notes and observations that this promise is about."""
        noted = {note for operation in history for note in operation.notes} if self.notes else set()
        seen = {one.kind for one in history.observations} if self.sees else set()
        return (
            set(self.needs) <= {operation.f for operation in history}
            and set(self.notes) <= noted
            and set(self.sees) <= seen
        )


def of_client(guarantee: Guarantee, client: str) -> Guarantee:
    """
    The same promise, kept to this client: only its operations count, against everybody's final reads.

    Most promises are about what clients do to each other and would hold of any one client; those are refused.
    """
    if not guarantee.per_client:
        raise UsageError(f"{guarantee.name} is a promise between clients: it cannot be judged for {client} alone")
    return _narrowed(guarantee, f"[{client}]", f"operations of {client}", lambda one: one.client == client)


def among(guarantee: Guarantee, *clients: str) -> Guarantee:
    """
    The same promise, kept to what these clients do to each other: two of them at once inside, whoever else was.

    Where every run breaks the promise between two clients, this shows what happened between two others.
    """
    if not guarantee.per_group:
        raise UsageError(f"{guarantee.name} cannot be judged among some clients: it depends on what the others did")
    if len(set(clients)) < 2:
        raise UsageError(f"a promise between clients needs two of them, not {', '.join(clients) or 'none'}")
    names = ",".join(clients)
    return _narrowed(guarantee, f"[{names}]", f"among {' and '.join(clients)}", lambda one: one.client in clients)


def of_kind(guarantee: Guarantee, f: str) -> Guarantee:
    """The same promise, kept to one kind of operation: that a lock can be acquired again, not that something answers."""
    if not guarantee.per_kind:
        raise UsageError(f"{guarantee.name} needs all its operations: it cannot be judged for {f!r} alone")
    return _narrowed(guarantee, f"{{{f}}}", f"{f!r} operations", lambda one: one.f == f)


def _narrowed(guarantee: Guarantee, suffix: str, words: str, counts: Callable[[Operation], bool]) -> Guarantee:
    name = f"{guarantee.name}{suffix}"

    def judge(history: History) -> Verdict:
        kept = (operation for operation in history if counts(operation) or operation.f == FINAL_READ)
        return replace(guarantee(replace(history, operations=tuple(kept))), guarantee=name)

    return replace(guarantee, name=name, promise=f"{guarantee.promise} ({words})", check=judge)
