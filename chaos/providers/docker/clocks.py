"""
Which clock the parties of a lab read: ours, or that of the engine's kernel, which is then asked again and again.

Docker Desktop and its kin run the engine in a virtual machine; containers may also live in a namespace of time of their own,
under our own kernel. All parties of one engine read one clock, so what any of them answers tells of it.
"""

import threading

from chaos.errors import ProviderError
from chaos.providers.agent.container import clock_name
from chaos.providers.channel import AgentChannel
from chaos.providers.clock import Clock

AGAIN_S = 0.25
"""Between two looks at a foreign clock while nobody talks to its parties; it drifts by a quarter of a thousandth meanwhile."""
ENDED_S = 5.0


class Clocks:
    """The clocks that are read in one lab."""

    def __init__(self) -> None:
        self._known: dict[str, Clock | None] = {}
        self._foreign: list[tuple[Clock, AgentChannel]] = []
        self._ended = threading.Event()
        self._watch: threading.Thread | None = None

    def tell_apart(self, channel: AgentChannel, name: str) -> None:
        """Give a newcomer's channel its party's clock if that is another than ours: by its name, and by what it shows."""
        if name not in self._known:
            channel.clock = clock = Clock(name)
            channel.compare()
            ours = bool(name) and name == clock_name() and clock.may_be_ours()
            self._known[name] = None if ours else clock
        channel.clock = self._known[name]
        if channel.clock is not None:
            self._foreign.append((channel.clock, channel))
            self._begin()

    def close(self) -> None:
        """Ask no more; safe to call again."""
        self._ended.set()
        if self._watch is not None:
            self._watch.join(ENDED_S)

    def _begin(self) -> None:
        if self._watch is None:
            self._watch = threading.Thread(target=self._look_again, name="clocks", daemon=True)
            self._watch.start()

    def _look_again(self) -> None:
        while not self._ended.wait(AGAIN_S):
            asked: set[Clock] = set()
            for clock, channel in tuple(self._foreign):
                if clock not in asked and _compared(channel):
                    asked.add(clock)


def _compared(channel: AgentChannel) -> bool:
    try:
        return channel.compare_if_idle()
    except (ProviderError, OSError):
        return False  # That one has ended; another party will do.
