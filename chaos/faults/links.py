"""
Rules on links, put in force together and proven by canaries: before, during and after.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chaos.errors import VoidRunError
from chaos.faults.fault import Evidence, Scene
from chaos.history.records import Value
from chaos.network.rules import LinkRule
from chaos.providers.contract import Canary, ConnectResult
from chaos.wait import FAST_S, wait_until

CANARY_S = 0.12
"""A canary that is expected to time out costs this long; a healthy link answers in one or two milliseconds."""
BASELINE_S = 1.0
HEALED_S = 20.0
HEALTHY = frozenset({"answered", "connected"})


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
    _packets: dict[str, int | None] = field(default_factory=dict)

    def prove(self) -> Evidence:
        """Every link that was healthy before must refuse a canary in this fault's own way."""
        if not self.expected:
            return {"rules": len(self.rules)}
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
    harm = tuple(rules)
    chosen = (*harm, *besides)
    refusals = frozenset(expected)
    healthy = tuple(_healthy(scene, harm, refusals)) if refusals else ()
    scene.lab.apply(chosen)
    return LinkInjection(scene=scene, target=target, mode=mode, rules=chosen, expected=refusals, baseline=healthy)


def _healthy(scene: Scene, rules: Sequence[LinkRule], expected: frozenset[str]) -> Iterable[Canary]:
    edges = dict.fromkeys((rule.source, rule.target) for rule in rules)
    wanted = [
        Canary(source=source, target=target, port=port.number, ping=port.ping, within_s=BASELINE_S)
        for source, target in edges
        for port in scene.ports(target)
    ]
    results = scene.lab.canaries(wanted)
    return (
        canary
        for canary, result in zip(wanted, results, strict=True)
        # A silent stream still accepts: only a port that answers a ping can show that it fell silent.
        if result.outcome in HEALTHY and ("silent" not in expected or canary.ping is not None)
    )


def _within(canary: Canary, within_s: float) -> Canary:
    return Canary(source=canary.source, target=canary.target, port=canary.port, ping=canary.ping, within_s=within_s)


def _complaints(canaries: Sequence[Canary], results: Sequence[ConnectResult]) -> str:
    return "; ".join(
        f"{canary.source} to {canary.target}:{canary.port} {result.outcome}"
        for canary, result in zip(canaries, results, strict=False)
        if result.outcome not in HEALTHY
    )
