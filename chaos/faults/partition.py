"""
Network partitions: who gets nothing from whom, and how the hole feels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from chaos.cluster.parties import Target
from chaos.errors import UsageError
from chaos.faults import shapes
from chaos.faults.fault import Chosen, Ports, Scene
from chaos.faults.links import LinkInjection, inject_links
from chaos.faults.shapes import Edges
from chaos.network.rules import Closed, Gate, LinkRule, Stream, Wire
from chaos.network.toxics import Bandwidth

Mode = Literal["drop", "reject", "stall", "cut"]
_STALLED = Bandwidth(rate_kb_s=0)
_EXPECTED = {"drop": {"timeout"}, "reject": {"refused"}, "stall": {"timeout"}, "cut": {"refused"}}
MODES: tuple[Mode, ...] = ("drop", "reject", "stall", "cut")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """
    A partition by a directed graph that is drawn at injection.

    Modes differ in what the ends notice and in what arrives after the heal:

    ``drop``: packets vanish; connections stay open, connects time out; what was in flight arrives late. An unplugged cable.
    ``reject``: each packet is answered with a reset; everybody notices at once. A firewall that says no.
    ``stall``: proxied streams stand still and go on where they stood; new connections time out.
    ``cut``: proxied connections are closed and new ones refused; nothing arrives later.

    :param ports: names or numbers of declared ports. Cut are then only the conversations with a server on such a port,
        in either of the parties, and both what the server is sent and what it answers; none means everything.
    """

    shape: str
    draw: Callable[[Scene], tuple[str, Edges]]
    mode: Mode = "drop"
    ports: Ports = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"a partition's mode is one of {', '.join(MODES)}, not {self.mode!r}")

    @property
    def name(self) -> str:
        """As reports name it."""
        return f"partition ({self.shape})"

    def inject(self, scene: Scene) -> LinkInjection:
        """Draw the graph from the parties as they are now and put its edges in force."""
        target, edges = self.draw(scene)
        both = {(b, a) for a, b in edges} <= edges
        if not both and self.mode in ("stall", "cut"):
            raise UsageError(f"a proxied stream has two ways: a one-way partition is drop or reject, not {self.mode}")
        chosen = scene.choose(self.ports, sorted(party for edge in edges for party in edge))
        rules = [rule for edge in sorted(edges) for rule in _rules(*edge, self.mode, chosen)]
        # Where only one way is cut, the other cannot open connections either: the answer to its first packet is lost,
        # which the mesh would hide by accepting.
        back = [
            Gate(source=b, target=a, action="drop-new", ports=chosen.numbers(a))
            for a, b in sorted(edges)
            if (b, a) not in edges and chosen.concerns(a)
        ]
        mode, expected = chosen.mode(self.mode), _EXPECTED[self.mode]
        return inject_links(scene, target=target, mode=mode, rules=rules, expected=expected, besides=back)


def isolate(*targets: Target, mode: Mode = "drop", ports: Ports = ()) -> Partition:
    """Cut these parties, together, off from all others."""

    def draw(scene: Scene) -> tuple[str, Edges]:
        group = scene.resolve(list(targets))
        edges = shapes.isolate(group, scene.faultable())
        return f"{_group(group)} | {_group([name for name in scene.faultable() if name not in group])}", edges

    return Partition(shape="isolate", draw=draw, mode=mode, ports=ports)


def between(one: Target, other: Target, *, mode: Mode = "drop", ports: Ports = ()) -> Partition:
    """Cut two groups from each other and nobody else."""

    def draw(scene: Scene) -> tuple[str, Edges]:
        left, right = scene.resolve(one), scene.resolve(other)
        return f"{_group(left)} | {_group(right)}", shapes.between(left, right)

    return Partition(shape="between", draw=draw, mode=mode, ports=ports)


def one_way(source: Target, target: Target, *, mode: Mode = "drop", ports: Ports = ()) -> Partition:
    """The target gets nothing from the source; the other way stays open."""

    def draw(scene: Scene) -> tuple[str, Edges]:
        left, right = scene.resolve(source), scene.resolve(target)
        return f"{_group(left)} -> {_group(right)}", shapes.one_way(left, right)

    return Partition(shape="one way", draw=draw, mode=mode, ports=ports)


def halves(*targets: Target, mode: Mode = "drop", ports: Ports = ()) -> Partition:
    """The first half of these parties against the second."""

    def draw(scene: Scene) -> tuple[str, Edges]:
        names = scene.resolve(list(targets))
        middle = len(names) // 2
        return f"{_group(names[:middle])} | {_group(names[middle:])}", shapes.halves(names)

    return Partition(shape="halves", draw=draw, mode=mode, ports=ports)


def bridge(left: Target, middle: Target, right: Target, *, mode: Mode = "drop", ports: Ports = ()) -> Partition:
    """Two groups cut from each other, and one party that both see."""

    def draw(scene: Scene) -> tuple[str, Edges]:
        a, (m, *more), b = scene.resolve(left), scene.resolve(middle), scene.resolve(right)
        if more:
            raise UsageError(f"a bridge has one party in the middle, not {_group([m, *more])}")
        return f"{_group(a)} | {m} | {_group(b)}", shapes.bridge(a, m, b)

    return Partition(shape="bridge", draw=draw, mode=mode, ports=ports)


def ring(*targets: Target, mode: Mode = "drop", ports: Ports = ()) -> Partition:
    """Each of these parties sees a majority, no two the same."""

    def draw(scene: Scene) -> tuple[str, Edges]:
        names = scene.resolve(list(targets))
        return f"ring of {_group(names)}", shapes.ring(names)

    return Partition(shape="ring", draw=draw, mode=mode, ports=ports)


def _rules(source: str, target: str, mode: Mode, chosen: Chosen) -> list[LinkRule]:
    """What an edge takes: nothing that the source opens to the target's ports, and on the wire no answer of its own."""
    ports, rules = chosen.numbers(target), list[LinkRule]()
    if chosen.concerns(target):
        rules += _opening(source, target, mode, ports)
    if mode in ("drop", "reject") and (chosen.concerns(target) or chosen.concerns(source)):
        own = chosen.numbers(source)
        rules.append(Wire(source=source, target=target, action=mode, ports=ports, source_ports=own))
    return rules


def _opening(source: str, target: str, mode: Mode, ports: tuple[int, ...]) -> list[LinkRule]:
    if mode == "cut":
        return [Closed(source=source, target=target, ports=ports)]
    if mode == "stall":
        return [
            Gate(source=source, target=target, action="drop-new", ports=ports),
            Stream(source=source, target=target, toxic=_STALLED, direction="upstream", ports=ports),
            Stream(source=source, target=target, toxic=_STALLED, direction="downstream", ports=ports),
        ]
    return [Gate(source=source, target=target, action=mode, ports=ports)]


def _group(names: list[str] | tuple[str, ...]) -> str:
    return "{" + ", ".join(names) + "}"
