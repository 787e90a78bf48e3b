"""
Link rules as agent commands: which party does what to put a rule in force or withdraw it. Pure functions.

A rule is made of pieces: elements of packet sets, toxics of proxies. Rules that overlap share pieces, so what comes into
force and leaves it is always pieces, never a rule as such.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.network import toxiproxy
from chaos.network.mesh import Seat
from chaos.network.rules import Closed, Direction, Gate, LinkRule, Loss, Stream, Wire
from chaos.network.toxics import Toxic
from chaos.network.toxiproxy import ApiCall

Seats = Mapping[str, Seat]
GATES = {"drop": "gdrop", "reject": "greject", "drop-new": "gnew"}
WIRES = {"drop": "pdrop", "reject": "preject"}
STAGES = range(3)
"""Put in force in this order, withdrawn in reverse; see ``stage_of``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An address, or an address and a port, in one of a party's packet sets."""

    party: str
    set: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Losing:
    """A party's chain that loses a share of what comes from an address."""

    party: str
    chain: str
    address: str
    per_mille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut:
    """A proxy of a party that is down."""

    party: str
    proxy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A toxic on a proxy of a party."""

    party: str
    proxy: str
    toxic: Toxic
    direction: Direction


PacketPiece = Element | Losing
StreamPiece = Shut | Fitted
Piece = PacketPiece | StreamPiece


def stage_of(rule: LinkRule) -> int:
    """
    When a rule comes into force among others: holes are gated first, then streams, then wires.

    A dial that hangs in a drop blocks its proxy's API for 25 s, so its gate must stand before. A rejecting gate comes
    with the rejecting wire, in one transaction: before it, it would make the proxy close the far end politely (FIN),
    where a real network resets it.
    """
    if isinstance(rule, Stream | Closed):
        return 1
    return 0 if isinstance(rule, Gate) and rule.action != "reject" else 2


def party_of(rule: LinkRule) -> str:
    """Where the rule acts: packets are stopped where they arrive, streams and gates where they leave."""
    return rule.target if isinstance(rule, Wire | Loss) else rule.source


def is_stream(rule: LinkRule) -> bool:
    """Whether Toxiproxy carries it out, and not the packet rules."""
    return isinstance(rule, Stream | Closed)


def pieces(rule: LinkRule, seats: Seats) -> tuple[Piece, ...]:
    """What a rule is made of; nothing when the target declares no port that it could act on."""
    party, source, target = party_of(rule), seats[rule.source], seats[rule.target]
    if isinstance(rule, Loss):
        chain = f"loss_{source.index}_{rule.per_mille}"
        return (Losing(party=party, chain=chain, address=source.data, per_mille=rule.per_mille),)
    if isinstance(rule, Wire):
        return tuple(Element(party=party, set=name, value=value) for name, value in _wire(rule, source))
    ports = rule.ports or target.ports
    if isinstance(rule, Gate):
        name = GATES[rule.action]
        return tuple(Element(party=party, set=name, value=f"{target.data} . {port}") for port in ports)
    if isinstance(rule, Closed):
        return tuple(Shut(party=party, proxy=target.proxy(port)) for port in ports)
    return tuple(
        Fitted(party=party, proxy=target.proxy(port), toxic=rule.toxic, direction=rule.direction) for port in ports
    )


def _wire(rule: Wire, source: Seat) -> list[tuple[str, str]]:
    whole = WIRES[rule.action]
    if not rule.ports and not rule.source_ports:
        return [(whole, source.data)]
    to = [(f"{whole}to", f"{source.data} . {port}") for port in rule.ports]
    return to + [(f"{whole}from", f"{source.data} . {port}") for port in rule.source_ports]


def by_party(chosen: Iterable[Piece]) -> dict[str, list[Piece]]:
    """Pieces under the party where they act, each once."""
    grouped: dict[str, list[Piece]] = {}
    for piece in dict.fromkeys(chosen):
        grouped.setdefault(piece.party, []).append(piece)
    return grouped


# -- packet pieces -------------------------------------------------------------------------------------------------------


def nft_add(chosen: Iterable[Piece]) -> str:
    """The nft commands that put packet pieces of one party in force."""
    script, sets = "", dict[str, list[str]]()
    for piece in chosen:
        if isinstance(piece, Element):
            sets.setdefault(piece.set, []).append(piece.value)
        elif isinstance(piece, Losing):
            share = f"numgen random mod 1000 < {piece.per_mille} " if piece.per_mille < 1000 else ""
            script += (
                f"add chain ip chaos {piece.chain}\nflush chain ip chaos {piece.chain}\n"
                f"add rule ip chaos {piece.chain} {share}counter drop\n"
                f"add element ip chaos ploss {{ {piece.address} : jump {piece.chain} }}\n"
            )
    return script + "".join(f"add element ip chaos {name} {{ {', '.join(all_)} }}\n" for name, all_ in sets.items())


def nft_delete(chosen: Iterable[Piece]) -> str:
    """The nft commands that withdraw packet pieces of one party, whether or not they are in force."""
    script, elements = "", []
    for piece in chosen:
        if isinstance(piece, Losing):
            script += (
                f"{nft_add([piece])}delete element ip chaos ploss {{ {piece.address} }}\n"
                f"flush chain ip chaos {piece.chain}\ndelete chain ip chaos {piece.chain}\n"
            )
        else:
            elements.append(piece)
    add = nft_add(elements)
    return script + add + add.replace("add element", "delete element")


def nft_count(piece: PacketPiece) -> str:
    """The nft command that lists what the piece counts."""
    if isinstance(piece, Losing):
        return f"list chain ip chaos {piece.chain}\n"
    return f"list set ip chaos {piece.set}\n"


def packets(listing: str) -> Mapping[str, int]:
    """What was counted, from the JSON listing of ``nft_count``: by element of a set, or as ``""`` for a chain."""
    found: dict[str, int] = {}
    for item in json.loads(listing)["nftables"]:
        if "rule" in item:
            found[""] = found.get("", 0) + sum(_counters(item["rule"]))
        for entry in item.get("set", {}).get("elem", ()):
            element = entry.get("elem", {}) if isinstance(entry, dict) else {}
            found[_value(element.get("val"))] = element.get("counter", {}).get("packets", 0)
    return found


def counted_by(piece: PacketPiece) -> str:
    """The key of a piece's count in ``packets``."""
    return piece.value if isinstance(piece, Element) else ""


def _value(value: Any) -> str:
    parts = value.get("concat", ()) if isinstance(value, dict) else (value,)
    return " . ".join(str(part) for part in parts)


def _counters(node: Any) -> Iterable[int]:
    if isinstance(node, dict):
        if "counter" in node and isinstance(node["counter"], dict):
            yield node["counter"].get("packets", 0)
        for child in node.values():
            yield from _counters(child)
    elif isinstance(node, list):
        for child in node:
            yield from _counters(child)


# -- stream pieces -------------------------------------------------------------------------------------------------------


def stream_call(piece: StreamPiece, *, add: bool) -> ApiCall:
    """The API call, in the party's Toxiproxy, that puts a stream piece in force or withdraws it."""
    if isinstance(piece, Shut):
        return toxiproxy.enable(piece.proxy, not add)
    if add:
        return toxiproxy.add_toxic(piece.proxy, _toxic_name(piece), piece.toxic, piece.direction)
    return toxiproxy.remove_toxic(piece.proxy, _toxic_name(piece))


def http(calls: Iterable[ApiCall], *, side_by_side: bool = False) -> dict[str, Any]:
    """Calls as one agent command."""
    return {
        "op": "http",
        "requests": [(call.method, call.path, call.body) for call in calls],
        "deadline_s": toxiproxy.DEADLINE_S,
        "side_by_side": side_by_side,
    }


def _toxic_name(piece: Fitted) -> str:
    """The same toxic always has the same name, so that it can be withdrawn without a memory of it."""
    return f"{piece.toxic.kind}-{piece.direction}-{zlib.crc32(repr(piece.toxic).encode()):08x}"
