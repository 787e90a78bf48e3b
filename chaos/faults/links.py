"""
Rules on links, put in force together and proven by canaries: before, during and after.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.errors import VoidRunError
from chaos.faults.fault import Evidence, Scene
from chaos.history.records import Value
from chaos.network.rules import LinkRule, is_limited, refuses
from chaos.providers.contract import Canary, ConnectResult
from chaos.wait import FAST_S, wait_until

CANARY_S = 0.12
"""A canary that is expected to time out costs this long; a healthy link answers in one or two milliseconds."""
BASELINE_S = 1.0
HEALED_S = 20.0
HEALTHY = frozenset({"answered", "connected"})
QUIET_ROUNDS = 3
"""How often a spared port of a slowed link is timed beforehand; the shortest counts, for the others measure the machine."""


@dataclass(slots=True, kw_only=True)
class LinkInjection:
    """Link rules in force."""

    scene: Scene
    target: str
    mode: str | None
    rules: tuple[LinkRule, ...]
    expected: frozenset[str]
    """What a canary on a harmed link must see; empty when the fault slows a link and does not cut it."""
    baseline: tuple[Canary, ...] = ()
    spared: Mapping[Canary, float] | None = None
    """Of a fault that is limited to some ports: what must go on working on its links, and the milliseconds it took."""
    _packets: dict[str, int | None] = field(default_factory=dict)

    def prove(self) -> Evidence:
        """Every link that was healthy before must refuse a canary in this fault's own way; what is spared must answer."""
        bitten = self._prove_bitten() if self.expected else {"rules": len(self.rules)}
        return {**bitten, **self.prove_spared()}

    def prove_spared(self) -> Evidence:
        """The other ports of the links, where the fault is limited to some, answer as before."""
        if self.spared is None:
            return {}
        others = tuple(self.spared)
        if harmed := _complaints(others, self._try(others, BASELINE_S)):
            raise VoidRunError(f"the fault cut too much: wanted an answer from every port that it spares, saw {harmed}")
        return {"spared": len(others)}

    def _prove_bitten(self) -> Evidence:
        if not self.baseline:
            raise VoidRunError(
                f"nothing can show that {self.target} is cut: no link of it answered before the fault "
                "(are its servers up, and does any of its parties declare a port?)"
            )
        results = self._try(self.baseline, CANARY_S)
        wrong = [
            f"{canary.source} to {canary.target}:{canary.port} {result.outcome}"
            for canary, result in zip(self.baseline, results, strict=True)
            if result.outcome not in self.expected
        ]
        if wrong:
            raise VoidRunError(
                f"the fault did not bite: wanted {' or '.join(sorted(self.expected))} on every cut link, "
                f"saw {'; '.join(wrong[:5])}"
            )
        return {"canaries": len(self.baseline), "saw": sorted({result.outcome for result in results})}

    def heal(self) -> Evidence:
        """Withdraw the rules; what they caught is counted before it is forgotten."""
        counted = self.scene.lab.withdraw(self.rules)
        for counter in counted:
            kind = type(counter.rule).__name__.lower()
            if counter.packets is not None:
                self._packets[kind] = (self._packets.get(kind) or 0) + counter.packets
        found: dict[str, Value] = {f"{kind}_packets": packets for kind, packets in self._packets.items()}
        remarks = sorted({counter.remark for counter in counted if counter.remark})
        return found | {"remarks": remarks} if remarks else found

    def prove_healed(self) -> Evidence:
        """Every link that was healthy before answers again; a server that is down meanwhile cannot."""
        open_links = [canary for canary in self.baseline if self._alive(canary.target)]
        last: Sequence[ConnectResult] = ()

        def answered() -> bool:
            nonlocal last
            last = self._try(open_links, BASELINE_S)
            return all(result.outcome in HEALTHY for result in last)

        wait_until(
            answered,
            within_s=HEALED_S,
            wanted=f"all links of the healed {self.target} to answer",
            seen=lambda: _complaints(open_links, last),
            every_s=FAST_S,
            error=VoidRunError,
        )
        return {"links_answer": len(open_links)}

    def _alive(self, party: str) -> bool:
        lab = self.scene.lab
        return any(lab.state(ref) == "running" for ref in lab.processes(party))

    def _try(self, canaries: Sequence[Canary], within_s: float) -> Sequence[ConnectResult]:
        return self.scene.lab.canaries([_within(canary, within_s) for canary in canaries]) if canaries else ()


def inject_links(
    scene: Scene,
    *,
    target: str,
    mode: str | None,
    rules: Iterable[LinkRule],
    expected: Iterable[str],
    besides: Iterable[LinkRule] = (),
) -> LinkInjection:
    """
    Note which of the links are healthy, then put the rules in force.

    :param expected: what a canary must see on the links of ``rules``; those of ``besides`` are not asked.
    """
    harm, besides = tuple(rules), tuple(besides)
    chosen = (*harm, *besides)
    refusals = frozenset(expected)
    healthy, others = _healthy(scene, harm, besides, refusals)
    scene.lab.apply(chosen)
    return LinkInjection(
        scene=scene,
        target=target,
        mode=mode,
        rules=chosen,
        expected=refusals,
        baseline=tuple(healthy),
        spared=others if any(is_limited(rule) for rule in chosen) else None,
    )


def _healthy(
    scene: Scene, rules: Sequence[LinkRule], besides: Sequence[LinkRule], expected: frozenset[str]
) -> tuple[list[Canary], dict[Canary, float]]:
    """
    The connections that work before the fault: those that it will harm, and those that it must leave alone.

    Only a fault that is limited to some ports leaves anything alone on its links; of these also the milliseconds they took.
    """
    limited = any(is_limited(rule) for rule in (*rules, *besides))
    harmed = set(_connections(scene, rules)) if expected else set()
    spared = set(_connections(scene, (*rules, *besides), whole=True)) if limited else set()
    spared -= set(_connections(scene, (*rules, *besides)))
    # A silent stream still accepts: only a port that answers a ping can show that it fell silent, or that it did not.
    wanted = [each for each in sorted(harmed | spared, key=_order) if "silent" not in expected or each.ping is not None]
    found: dict[Canary, float] = {}
    for _ in range(1 if expected or not spared else QUIET_ROUNDS):
        for each, result in zip(wanted, scene.lab.canaries(wanted) if wanted else (), strict=True):
            if result.outcome in HEALTHY:
                found[each] = min(result.took_ms, found.get(each, result.took_ms))
    return [each for each in found if each in harmed], {each: took for each, took in found.items() if each in spared}


def _connections(scene: Scene, rules: Iterable[LinkRule], *, whole: bool = False) -> Iterable[Canary]:
    """The connections that these rules act on; ``whole``: all connections on their links."""
    for rule in rules:
        for port in scene.ports(rule.target):
            if whole or refuses(rule, port.number):
                yield Canary(
                    source=rule.source, target=rule.target, port=port.number, ping=port.ping, within_s=BASELINE_S
                )


def _order(canary: Canary) -> tuple[str, str, int]:
    return canary.source, canary.target, canary.port


def _within(canary: Canary, within_s: float) -> Canary:
    return Canary(source=canary.source, target=canary.target, port=canary.port, ping=canary.ping, within_s=within_s)


def _complaints(canaries: Sequence[Canary], results: Sequence[ConnectResult]) -> str:
    return "; ".join(
        f"{canary.source} to {canary.target}:{canary.port} {result.outcome}"
        for canary, result in zip(canaries, results, strict=False)
        if result.outcome not in HEALTHY
    )
