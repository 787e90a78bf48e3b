"""
What can be done to one directed link. A rule is a value; providers put it in force and withdraw it.

The packet layer (``Gate``, ``Wire``, ``Loss``) acts on packets, the stream layer (``Stream``, ``Closed``) on the proxied
byte stream. They heal differently: dropped packets are sent again after the heal, a closed stream is gone.

With ``ports``, which must be declared, a rule spares every conversation with another port of the same two parties.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from chaos.errors import UsageError
from chaos.network.toxics import Toxic

Direction = Literal["upstream", "downstream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """
    In the source: refuse traffic to the target's declared ports before the mesh can accept it, as a real network would.

    ``drop``: connects time out. ``reject``: connects are refused. ``drop-new``: only new connections time out.

    :param ports: of the target; none means all.
    """

    source: str
    target: str
    action: Literal["drop", "reject", "drop-new"]
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """
    In the target: drop, or reject with a TCP reset, every packet that the source sends.

    A conversation has two ends, and either party may be its server; so where only some are meant, each end is named.

    :param ports: of the target: what the source says to these, as their client.
    :param source_ports: of the source: what it says from these, as a server. Neither means every packet.
    """

    source: str
    target: str
    action: Literal["drop", "reject"]
    ports: tuple[int, ...] = ()
    source_ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """
    In the target: drop a share of the packets that the source sends; ``per_mille`` of a thousand.

    A lost opening packet is sent again after 1 s; through the mesh, which dials one connection at a time, those that the
    source opens meanwhile wait with it. For a hole that heals at once use a gate and a wire.
    """

    source: str
    target: str
    per_mille: int

    def __post_init__(self) -> None:
        if not 1 <= self.per_mille <= 1000:
            raise UsageError(f"a loss is 1 to 1000 packets of a thousand, not {self.per_mille!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """
    A Toxiproxy toxic on the connections that the source opens to the target; ``upstream`` is what the source sends.

    :param ports: of the target; none means all.
    """

    source: str
    target: str
    toxic: Toxic
    direction: Direction
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """
    The proxy from source to target is down: open connections end at once (FIN), new ones are refused.

    :param ports: of the target; none means all.
    """

    source: str
    target: str
    ports: tuple[int, ...] = ()


LinkRule = Gate | Wire | Loss | Stream | Closed


def is_limited(rule: LinkRule) -> bool:
    """Whether it acts on some ports only."""
    return bool(getattr(rule, "ports", ()) or getattr(rule, "source_ports", ()))


def refuses(rule: LinkRule, port: int) -> bool:
    """Whether it acts on what the source says to this port of the target."""
    return not is_limited(rule) or port in getattr(rule, "ports", ())


def check_ports(rule: LinkRule, declared: Callable[[str], Collection[int]]) -> None:
    """Refuse a rule for ports that its parties do not declare: it would act on nothing."""
    named = {rule.target: getattr(rule, "ports", ()), rule.source: getattr(rule, "source_ports", ())}
    for party, ports in named.items():
        if strange := sorted(set(ports) - set(declared(party))):
            raise UsageError(f"{party} declares no data port {', '.join(map(str, strange))}")
