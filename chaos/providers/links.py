"""
Link rules as agent commands: which party does what to put a rule in force or withdraw it. Pure functions.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from chaos.network import toxiproxy
from chaos.network.mesh import Seat
from chaos.network.rules import Closed, Gate, LinkRule, Loss, Stream, Wire
from chaos.network.toxiproxy import ApiCall

Seats = Mapping[str, Seat]
GATES = {"drop": "gdrop", "reject": "greject", "drop-new": "gnew"}
WIRES = {"drop": "pdrop", "reject": "preject"}
STAGES = range(3)
"""Put in force in this order, withdrawn in reverse; see ``stage_of``."""


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


def by_party(rules: Iterable[LinkRule]) -> dict[str, list[LinkRule]]:
    """Rules under the party where they act."""
    grouped: dict[str, list[LinkRule]] = {}
    for rule in rules:
        grouped.setdefault(party_of(rule), []).append(rule)
    return grouped


def is_stream(rule: LinkRule) -> bool:
    """Whether Toxiproxy carries it out, and not the packet rules."""
    return isinstance(rule, Stream | Closed)


def nft_add(rule: LinkRule, seats: Seats) -> str:
    """The nft commands that put a packet rule in force; empty when the target declares no port to gate."""
    if isinstance(rule, Loss):
        chain = _loss_chain(rule, seats)
        share = f"numgen random mod 1000 < {rule.per_mille} " if rule.per_mille < 1000 else ""
        return (
            f"add chain ip chaos {chain}\nflush chain ip chaos {chain}\n"
            f"add rule ip chaos {chain} {share}counter drop\n"
            f"add element ip chaos ploss {{ {seats[rule.source].data} : jump {chain} }}\n"
        )
    if isinstance(rule, Stream | Closed):
        return ""
    name, elements = _elements(rule, seats)
    return f"add element ip chaos {name} {{ {', '.join(elements)} }}\n" if elements else ""


def nft_delete(rule: LinkRule, seats: Seats) -> str:
    """The nft commands that withdraw a packet rule, whether or not it is in force."""
    add = nft_add(rule, seats)
    if isinstance(rule, Loss):
        chain, source = _loss_chain(rule, seats), seats[rule.source].data
        return f"{add}delete element ip chaos ploss {{ {source} }}\nflush chain ip chaos {chain}\ndelete chain ip chaos {chain}\n"
    return add + add.replace("add element", "delete element")


def nft_count(rule: LinkRule, seats: Seats) -> str:
    """The nft command that lists what the rule counts."""
    if isinstance(rule, Loss):
        return f"list chain ip chaos {_loss_chain(rule, seats)}\n"
    return f"list set ip chaos {_elements(rule, seats)[0]}\n"


def packets(rule: LinkRule, listing: str, seats: Seats) -> int:
    """How many packets a rule has caught, from the JSON listing of ``nft_count``."""
    if isinstance(rule, Loss):
        return sum(_counters(json.loads(listing)))
    wanted = {_key(element) for element in _elements(rule, seats)[1]}
    found = 0
    for item in json.loads(listing)["nftables"]:
        for entry in item.get("set", {}).get("elem", ()):
            element = entry.get("elem", {})
            if _value_key(element.get("val")) in wanted:
                found += element.get("counter", {}).get("packets", 0)
    return found


def stream_add(rule: Stream | Closed, seats: Seats) -> list[ApiCall]:
    """The API calls, in the source's Toxiproxy, that put a stream rule in force."""
    return [_stream_call(rule, proxy, True) for proxy in _proxies(rule, seats)]


def stream_delete(rule: Stream | Closed, seats: Seats) -> list[ApiCall]:
    """The API calls that withdraw a stream rule."""
    return [_stream_call(rule, proxy, False) for proxy in _proxies(rule, seats)]


def http(calls: Iterable[ApiCall], *, side_by_side: bool = False) -> dict[str, Any]:
    """Calls as one agent command."""
    return {
        "op": "http",
        "requests": [(call.method, call.path, call.body) for call in calls],
        "deadline_s": toxiproxy.DEADLINE_S,
        "side_by_side": side_by_side,
    }


def _stream_call(rule: Stream | Closed, proxy: str, add: bool) -> ApiCall:
    if isinstance(rule, Closed):
        return toxiproxy.enable(proxy, not add)
    if add:
        return toxiproxy.add_toxic(proxy, _toxic_name(rule), rule.toxic, rule.direction)
    return toxiproxy.remove_toxic(proxy, _toxic_name(rule))


def _proxies(rule: LinkRule, seats: Seats) -> list[str]:
    target = seats[rule.target]
    return [target.proxy(port) for port in target.ports]


def _toxic_name(rule: Stream) -> str:
    """The same rule always has the same name, so that it can be withdrawn without a memory of it."""
    return f"{rule.toxic.kind}-{rule.direction}-{zlib.crc32(repr(rule.toxic).encode()):08x}"


def _loss_chain(rule: Loss, seats: Seats) -> str:
    return f"loss_{seats[rule.source].index}_{rule.per_mille}"


def _elements(rule: LinkRule, seats: Seats) -> tuple[str, list[str]]:
    if isinstance(rule, Gate):
        target = seats[rule.target]
        return GATES[rule.action], [f"{target.data} . {port}" for port in target.ports]
    if isinstance(rule, Wire):
        return WIRES[rule.action], [seats[rule.source].data]
    raise TypeError(f"{type(rule).__name__} is not a packet rule with elements")


def _key(element: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in element.split(" . "))


def _value_key(value: Any) -> tuple[str, ...]:
    parts = value.get("concat", ()) if isinstance(value, dict) else (value,)
    return tuple(str(part) for part in parts)


def _counters(node: Any) -> Iterable[int]:
    if isinstance(node, dict):
        if "counter" in node and isinstance(node["counter"], dict):
            yield node["counter"].get("packets", 0)
        for child in node.values():
            yield from _counters(child)
    elif isinstance(node, list):
        for child in node:
            yield from _counters(child)
