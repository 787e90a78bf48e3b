"""
What every probe does: one thread a server that looks at it again and again, and tells what has changed.
"""

import threading
from collections.abc import Callable

from chaos.history.records import Observation, Value
from chaos.wait import monotonic_ns

Sink = Callable[[Observation], None]

END_WITHIN_S = 5.0


class Watch:
    """
    The threads of one probe.

    :param sink: takes the observations; nothing comes after ``stop``.
    :param every_s: pause between two looks at one server, in seconds.
    :param unreachable: what a look raises when a server does not answer: ``probe-error`` tells the reason, and None once
        it answers again.
    """

    def __init__(self, sink: Sink, *, every_s: float, unreachable: tuple[type[Exception], ...]) -> None:
        self.ended = threading.Event()
        self.every_s = every_s
        self._sink, self._unreachable = sink, unreachable
        self._seen: dict[tuple[str, str], Value] = {}
        self._due_ns: dict[str, int] = {}
        self._threads: list[threading.Thread] = []

    def look_at(self, party: str, look: Callable[[], None], close: Callable[[], None]) -> None:
        """Look at this server while the watch lasts, and hang up after it."""

        def watch() -> None:
            while not self.ended.wait(self.every_s):
                try:
                    look()
                    self.note(party, "probe-error", None)
                except self._unreachable as problem:
                    if self._seen.get((party, "probe-error")) is None:  # The reason at first; later ones vary.
                        self.note(party, "probe-error", f"{type(problem).__name__}: {problem}")
            close()

        self.run(watch)

    def run(self, work: Callable[[], None]) -> None:
        """One more thread, which ends by itself once ``ended`` is set."""
        self._threads.append(threading.Thread(target=work, daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; nothing is recorded afterwards. Safe to call again."""
        self.ended.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(END_WITHIN_S)

    def due(self, party: str, every_s: float) -> bool:
        """Whether it is time for what is looked at less often."""
        now = monotonic_ns()
        if now < self._due_ns.get(party, 0):
            return False
        self._due_ns[party] = now + int(every_s * 1e9)
        return True

    def seen(self, kind: str) -> list[Value]:
        """What was last seen of this kind, of every party that showed it."""
        return [value for (_, known), value in tuple(self._seen.items()) if known == kind]

    def note(self, party: str, kind: str, value: Value) -> None:
        """Tell it if it has changed."""
        if self._seen.get((party, kind), "never") != value and not self.ended.is_set():
            self._seen[party, kind] = value
            self.tell(party, kind, value)

    def tell(self, party: str, kind: str, value: Value) -> None:
        """Tell it in any case."""
        if not self.ended.is_set():
            self._sink(Observation(at_ns=monotonic_ns(), party=party, kind=kind, value=value))
