"""
What can be done to one directed link. A rule is a value; providers put it in force and withdraw it.

The packet layer (``Gate``, ``Wire``, ``Loss``) acts on packets, the stream layer (``Stream``, ``Closed``) on the proxied
byte stream. They heal differently: dropped packets are sent again after the heal, a closed stream is gone.
"""

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
    """

    source: str
    target: str
    action: Literal["drop", "reject", "drop-new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """In the target: drop, or reject with a TCP reset, every packet that the source sends."""

    source: str
    target: str
    action: Literal["drop", "reject"]


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
    """A Toxiproxy toxic on the connections that the source opens to the target; ``upstream`` is what the source sends."""

    source: str
    target: str
    toxic: Toxic
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The proxy from source to target is down: open connections end at once (FIN), new ones are refused."""

    source: str
    target: str


LinkRule = Gate | Wire | Loss | Stream | Closed
