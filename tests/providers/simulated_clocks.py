"""
Two clocks that part, and exchanges between them that take time: what is true is known here, and to nobody else.
"""

import random
from dataclasses import dataclass, field

from chaos.providers.clock import Clock

FINENESS_NS = 1
USUAL_NS = 100_000
"""The shortest way between the two."""


@dataclass
class TwoClocks:
    """
    Our clock and theirs, and what happens meanwhile.

    :param drift_ppm: how far apart they go at most; the rate changes whenever time passes.
    :param there: which share of what a way takes beyond the shortest falls to the way there; 0.5 is even.
    :param stalls: how often a way takes tens of milliseconds.
    """

    seed: int
    drift_ppm: int = 0
    there: float = 0.5
    stalls: float = 0.02
    ours_ns: int = 5_000_000_000
    theirs_ns: int = 105_000_000_000
    clock: Clock = field(default_factory=lambda: Clock(fineness_ns=FINENESS_NS))
    stamps: list[tuple[int, int]] = field(default_factory=list)
    """Of each event: their stamp, and what our clock showed then."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def wait(self, ns: int) -> None:
        """Time passes, at a rate of its own."""
        rate = self.random.choice((-self.drift_ppm, self.drift_ppm, self.random.randint(0, self.drift_ppm)))
        self.ours_ns += ns
        self.theirs_ns += ns + ns * rate // 1_000_000

    def step(self, ours_ns: int = 0, theirs_ns: int = 0) -> None:
        """One of them goes on while the other stands: a machine was asleep."""
        self.ours_ns += ours_ns
        self.theirs_ns += theirs_ns

    def happens(self) -> None:
        """Something is stamped there."""
        self.stamps.append((self.theirs_ns, self.ours_ns))

    def exchange(self) -> None:
        """Ask, be answered, tell the translator."""
        extra = int(self.random.expovariate(1 / 200_000))
        if self.random.random() < self.stalls:
            extra += self.random.randint(10_000_000, 80_000_000)
        asked_ns = self.ours_ns
        self.wait(USUAL_NS + int(extra * self.there))
        at_ns = self.theirs_ns
        self.wait(USUAL_NS + extra - int(extra * self.there))
        self.clock.heard(asked_ns, at_ns, self.ours_ns)

    def live(self, rounds: int, longest_ns: int = 250_000_000) -> None:
        """Exchanges now and then, and events between them."""
        for _ in range(rounds):
            self.exchange()
            left = self.random.randint(1, longest_ns)
            for _ in range(self.random.randint(0, 4)):
                pause = self.random.randint(0, left)
                self.wait(pause)
                self.happens()
                left -= pause
            self.wait(left)
        self.exchange()
