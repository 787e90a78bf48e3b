"""
Harm to the proxied streams of single links: slow, narrow, still, torn.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from chaos.cluster.parties import Target
from chaos.errors import UsageError, VoidRunError
from chaos.faults.fault import Chosen, Evidence, Ports, Scene
from chaos.faults.links import LinkInjection, inject_links
from chaos.network.rules import Closed, LinkRule, Loss, Stream, refuses
from chaos.network.toxics import (
    Bandwidth,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
    describe,
)
from chaos.providers.contract import Canary
from chaos.wait import FAST_S, wait_until

Way = Literal["there", "back", "both"]
SPARED_S = 5.0
_DIRECTIONS = {"there": ("upstream",), "back": ("downstream",), "both": ("upstream", "downstream")}


@dataclass(slots=True)
class SlowInjection:
    """A latency in force: proven by the clock, not by a refusal."""

    inner: LinkInjection
    least_ms: float
    probes: tuple[Canary, ...] = field(default=())
    _late: dict[Canary, float] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Whom it hit."""
        return self.inner.target

    @property
    def mode(self) -> str | None:
        """The toxic with its settings."""
        return self.inner.mode

    def prove(self) -> Evidence:
        """A canary's answer must take at least the promised latency."""
        if not self.probes:
            return self.inner.prove()
        took = min(result.took_ms for result in self.inner.scene.lab.canaries(self.probes))
        if took < self.least_ms:
            raise VoidRunError(
                f"the fault did not bite: an answer took {took:.1f} ms, wanted at least {self.least_ms:g}"
            )
        return {"answer_ms": round(took, 1), **self._prove_spared()}

    def _prove_spared(self) -> Evidence:
        """One answer in less than the latency, or about as fast as before, shows that a port has none of it."""
        if self.inner.spared is None or not self.least_ms:
            return self.inner.prove_spared()
        self._late = {each: self._limit(took) for each, took in self.inner.spared.items() if each.ping is not None}
        wait_until(
            self._all_in_time,
            within_s=SPARED_S,
            wanted=f"an answer without the latency from every port that {self.target} spares",
            seen=lambda: ", ".join(f"{each.target}:{each.port} late" for each in self._late),
            every_s=FAST_S,
            error=VoidRunError,
        )
        return self.inner.prove_spared()

    def _limit(self, before_ms: float) -> float:
        """
        In how many milliseconds a port answers only if the latency is not on it.

        Less than the latency itself is certain. A port that was slower than that before (another fault's latency, say) must
        be nearer to what it was than to what it would be.
        """
        return self.least_ms if before_ms < self.least_ms else before_ms + self.least_ms / 2

    def _all_in_time(self) -> bool:
        waiting = tuple(self._late)
        for canary, result in zip(waiting, self.inner.scene.lab.canaries(waiting), strict=True):
            if result.outcome == "answered" and result.took_ms < self._late[canary]:
                del self._late[canary]
        return not self._late

    def heal(self) -> Evidence:
        """Withdraw it."""
        return self.inner.heal()

    def prove_healed(self) -> Evidence:
        """The links answer."""
        return self.inner.prove_healed()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkToxic:
    """
    A Toxiproxy toxic on all connections that the sources open to the targets.

    :param ports: names or numbers of ports that a target declares; none means all.
    """

    source: Target
    target: Target
    toxic: Toxic
    way: Way = "both"
    ports: Ports = ()

    def __post_init__(self) -> None:
        if self.way not in _DIRECTIONS:
            raise UsageError(f"a way is one of {', '.join(_DIRECTIONS)}, not {self.way!r}")

    @property
    def name(self) -> str:
        """As reports name it."""
        return self.toxic.kind

    def inject(self, scene: Scene) -> LinkInjection | SlowInjection:
        """Put the toxic on every link from a source to a target."""
        sources, targets = scene.resolve(self.source), scene.resolve(self.target)
        chosen = scene.choose(self.ports, targets)
        rules = [
            Stream(source=a, target=b, toxic=self.toxic, direction=direction, ports=chosen.numbers(b))  # type: ignore[arg-type]
            for a, b in _links(sources, targets, chosen)
            for direction in _DIRECTIONS[self.way]
        ]
        _need_ports(scene, rules)
        injection = inject_links(
            scene,
            target=_arrow(sources, targets),
            mode=chosen.mode(describe(self.toxic)),
            rules=rules,
            expected=_refusal(self.toxic),
        )
        if not isinstance(self.toxic, Latency):
            return injection
        return self._slow(scene, injection, rules)

    def _slow(self, scene: Scene, injection: LinkInjection, rules: list[Stream]) -> SlowInjection:
        assert isinstance(self.toxic, Latency)
        least = max(0, self.toxic.latency_ms - self.toxic.jitter_ms) * len(_DIRECTIONS[self.way])
        probes = tuple(
            Canary(source=rule.source, target=rule.target, port=port.number, ping=port.ping, within_s=least / 1000 + 2)
            for rule in rules[:1]
            for port in scene.ports(rule.target)
            if port.ping is not None and refuses(rule, port.number)
        )
        return SlowInjection(injection, float(least), probes)


def slow(
    source: Target, target: Target, *, latency_ms: int, jitter_ms: int = 0, way: Way = "back", ports: Ports = ()
) -> LinkToxic:
    """Delay what travels on these links; connecting itself is not delayed."""
    return LinkToxic(
        source=source, target=target, toxic=Latency(latency_ms=latency_ms, jitter_ms=jitter_ms), way=way, ports=ports
    )


def narrow(source: Target, target: Target, *, rate_kb_s: int, way: Way = "both", ports: Ports = ()) -> LinkToxic:
    """Limit the rate of these links, in kilobytes per second; at least 1 (``stall`` holds everything)."""
    if rate_kb_s < 1:
        raise UsageError(f"rate_kb_s must be at least 1, not {rate_kb_s!r}; stall() holds everything")
    return LinkToxic(source=source, target=target, toxic=Bandwidth(rate_kb_s=rate_kb_s), way=way, ports=ports)


def stall(source: Target, target: Target, *, way: Way = "both", ports: Ports = ()) -> LinkToxic:
    """Hold what travels; connections stay open, and what was held arrives after the heal."""
    return LinkToxic(source=source, target=target, toxic=Bandwidth(rate_kb_s=0), way=way, ports=ports)


def blackhole(source: Target, target: Target, *, way: Way = "both", ports: Ports = ()) -> LinkToxic:
    """Acknowledge and throw away what travels; the heal closes the connections. ``way="back"`` loses only replies."""
    return LinkToxic(source=source, target=target, toxic=Timeout(), way=way, ports=ports)


def reset(source: Target, target: Target, *, after_ms: int = 0, ports: Ports = ()) -> LinkToxic:
    """Reset a connection as soon as it carries something."""
    return LinkToxic(source=source, target=target, toxic=ResetPeer(after_ms=after_ms), way="there", ports=ports)


def slice_up(
    source: Target, target: Target, *, average_bytes: int, delay_us: int = 0, way: Way = "both", ports: Ports = ()
) -> LinkToxic:
    """Cut the stream into small pieces with pauses (microseconds) between them."""
    return LinkToxic(
        source=source, target=target, toxic=Slicer(average_bytes=average_bytes, delay_us=delay_us), way=way, ports=ports
    )


def limit(source: Target, target: Target, *, limit_bytes: int, way: Way = "back", ports: Ports = ()) -> LinkToxic:
    """Close each connection after exactly so many bytes: cuts a reply in the middle."""
    return LinkToxic(source=source, target=target, toxic=LimitData(limit_bytes=limit_bytes), way=way, ports=ports)


def slow_close(source: Target, target: Target, *, delay_ms: int, ports: Ports = ()) -> LinkToxic:
    """Delay the end of connections."""
    return LinkToxic(source=source, target=target, toxic=SlowClose(delay_ms=delay_ms), way="both", ports=ports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Close the proxies from the sources to the targets: open connections end at once, new ones are refused."""

    source: Target
    target: Target
    ports: Ports = ()
    name: str = field(default="cut", init=False)

    def inject(self, scene: Scene) -> LinkInjection:
        """Close them."""
        sources, targets = scene.resolve(self.source), scene.resolve(self.target)
        chosen = scene.choose(self.ports, targets)
        rules = [Closed(source=a, target=b, ports=chosen.numbers(b)) for a, b in _links(sources, targets, chosen)]
        _need_ports(scene, rules)
        target, mode = _arrow(sources, targets), chosen.mode(None)
        return inject_links(scene, target=target, mode=mode, rules=rules, expected={"refused"})


@dataclass(slots=True)
class LossInjection:
    """A packet loss in force: proven by what it counted."""

    inner: LinkInjection

    @property
    def target(self) -> str:
        """Whom it hit."""
        return self.inner.target

    @property
    def mode(self) -> str | None:
        """The share."""
        return self.inner.mode

    def prove(self) -> Evidence:
        """The rule is in force; what it caught is known when it is healed."""
        return {"rules": len(self.inner.rules)}

    def heal(self) -> Evidence:
        """Withdraw it; a loss that lost nothing proves nothing."""
        caught = self.inner.heal()
        if not caught.get("loss_packets"):
            raise VoidRunError("the loss was healed before it had dropped a packet")
        return caught

    def prove_healed(self) -> Evidence:
        """The links answer."""
        return self.inner.prove_healed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lossy:
    """Drop a share of the packets that travel from the sources to the targets; ``percent`` may have one decimal."""

    source: Target
    target: Target
    percent: float
    name: str = field(default="packet loss", init=False)

    def inject(self, scene: Scene) -> LossInjection:
        """Begin to lose packets."""
        sources, targets = scene.resolve(self.source), scene.resolve(self.target)
        share = round(self.percent * 10)
        rules = [Loss(source=a, target=b, per_mille=share) for a in sources for b in targets if a != b]
        return LossInjection(
            inject_links(scene, target=_arrow(sources, targets), mode=f"{self.percent:g} %", rules=rules, expected=())
        )


def _refusal(toxic: Toxic) -> frozenset[str]:
    """How a canary with a ping fails under this toxic; nothing where it is only slow."""
    if isinstance(toxic, Timeout) or (isinstance(toxic, Bandwidth) and toxic.rate_kb_s == 0):
        return frozenset({"silent", "closed", "reset"})
    if isinstance(toxic, ResetPeer):
        return frozenset({"reset", "closed"})
    return frozenset()


def _links(sources: Iterable[str], targets: Iterable[str], chosen: Chosen) -> list[tuple[str, str]]:
    """Who opens connections to whom that are meant."""
    return [(a, b) for a, b in product(sources, targets) if a != b and chosen.concerns(b)]


def _need_ports(scene: Scene, rules: Iterable[LinkRule]) -> None:
    if not any(scene.ports(rule.target) for rule in rules):
        raise UsageError("none of the targets declares a port, so there is no proxied stream to harm")


def _arrow(sources: tuple[str, ...], targets: tuple[str, ...]) -> str:
    return f"{', '.join(sources)} -> {', '.join(targets)}"
