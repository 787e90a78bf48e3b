"""
The transparent mesh as data: which address, which proxy, which packet rule realises a link. Pure functions only.

In each party's namespace an output rule sends TCP for a peer's declared port into the party's own Toxiproxy, whose
upstream is a *shadow* address of the peer that a second rule maps to the real one: so the proxy's own traffic escapes
the redirect without any uid or mark, and the peer sees the true source address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chaos.errors import UsageError

SHADOW_PREFIX = "198.18.128."
FIRST_LISTENER = 61000
OPEN_NEWS, CLOSED_NEWS = 61997, 61998
"""Destination ports of the datagrams in which a party's agent says that one of its ports opened or closed."""
MOST_PARTIES = 250
MOST_PORTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """
    The first three numbers of all addresses of a lab, by plane.

    Labs in namespaces cannot see one another and share them; labs on one container engine need their own.
    """

    data: str = "198.18.0"
    management: str = "198.19.0"

    @property
    def observer(self) -> str:
        """Whom every party lets in on the management plane, and nobody else."""
        return f"{self.management}.254"

    @property
    def broadcast(self) -> str:
        """Where the parties of the lab hear one another's news."""
        return f"{self.data}.255"


ALONE = Planes()
"""The addresses of a lab that cannot be seen from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A party's place: its index gives all its addresses; ``ports`` are its declared data ports, in order."""

    name: str
    index: int
    ports: tuple[int, ...] = ()
    planes: Planes = ALONE

    def __post_init__(self) -> None:
        if not 1 <= self.index <= MOST_PARTIES:
            raise UsageError(f"a lab holds at most {MOST_PARTIES} parties; {self.name} would be number {self.index}")
        if len(self.ports) > MOST_PORTS:
            raise UsageError(
                f"{self.name} declares {len(self.ports)} ports; at most {MOST_PORTS} fit the listener block"
            )

    @property
    def data(self) -> str:
        """Where peers, clients and apps reach it; faults act here."""
        return f"{self.planes.data}.{self.index}"

    @property
    def shadow(self) -> str:
        """What a proxy dials to reach it; no configuration may ever name it."""
        return f"{SHADOW_PREFIX}{self.index}"

    @property
    def management(self) -> str:
        """Where the observer reaches it; no fault acts here."""
        return f"{self.planes.management}.{self.index}"

    def listener(self, port: int) -> tuple[str, int]:
        """Where, in any other party's namespace, the proxy to this party's port listens."""
        return f"127.0.1.{self.index}", FIRST_LISTENER + self.ports.index(port)

    def proxy(self, port: int) -> str:
        """The name, in any other party's Toxiproxy, of the proxy to this party's port."""
        return f"to-{self.name}-{port}"


def wiring(seat: Seat) -> str:
    """The ``ip -batch`` script for a party's namespace; a container engine has given its addresses already."""
    return "\n".join(
        (
            "link set lo up",
            f"addr replace {seat.data}/24 dev data",
            "link set data up",
            f"addr replace {seat.management}/24 dev mgmt",
            "link set mgmt up",
            f"route add {SHADOW_PREFIX}0/24 dev data",
            "",
        )
    )


def cables(seats: Iterable[tuple[Seat, int]]) -> str:
    """The ``ip -batch`` script for the switch: a cable per party and plane; management ports cannot see one another."""
    lines = []
    for seat, pid in seats:
        data, management = f"d{seat.index}", f"m{seat.index}"
        lines += [
            f"link add {data} type veth peer name data netns {pid}",
            f"link set {data} master swdata up",
            f"link add {management} type veth peer name mgmt netns {pid}",
            f"link set {management} master swmgmt up",
            f"link set {management} type bridge_slave isolated on",
        ]
    return "\n".join([*lines, ""])


_TABLE = f"""
table ip chaos {{
  set declared {{ type inet_service; }}
  set gdrop {{ type ipv4_addr . inet_service; counter; }}
  set greject {{ type ipv4_addr . inet_service; counter; }}
  set gnew {{ type ipv4_addr . inet_service; counter; }}
  set pdrop {{ type ipv4_addr; counter; }}
  set preject {{ type ipv4_addr; counter; }}
  set pdropto {{ type ipv4_addr . inet_service; counter; }}
  set pdropfrom {{ type ipv4_addr . inet_service; counter; }}
  set prejectto {{ type ipv4_addr . inet_service; counter; }}
  set prejectfrom {{ type ipv4_addr . inet_service; counter; }}
  map ploss {{ type ipv4_addr : verdict; }}
  set closed {{ type ipv4_addr . inet_service; size 65535; flags dynamic; }}
  map tomesh {{ type ipv4_addr . inet_service : ipv4_addr . inet_service; }}
  map unshadow {{ type ipv4_addr . inet_service : ipv4_addr . inet_service; }}
  counter undeclared {{ }}
  counter foreign {{ }}
  counter refused {{ }}
  chain gate {{
    type filter hook output priority -150;
    tcp flags & rst == rst ip daddr . tcp dport @greject accept
    ip daddr . tcp dport @gdrop drop
    ip daddr . tcp dport @greject reject with tcp reset
    tcp flags & (syn|ack) == syn ip daddr . tcp dport @gnew drop
    tcp flags & rst == rst ip daddr . tcp dport @gnew drop
    tcp flags & (syn|ack) == syn ip daddr . tcp dport @closed counter name refused reject with tcp reset
  }}
  chain wire {{
    type filter hook prerouting priority -300;
    iifname "data" udp dport {OPEN_NEWS} delete @closed {{ ip saddr . udp sport }} drop
    iifname "data" udp dport {CLOSED_NEWS} add @closed {{ ip saddr . udp sport }} drop
    iifname "data" tcp sport != @declared tcp dport != @declared counter name undeclared
    iifname "data" meta l4proto != {{ tcp, icmp, igmp }} counter name undeclared
    iifname "data" ip saddr . tcp dport @pdropto drop
    iifname "data" ip saddr . tcp sport @pdropfrom drop
    iifname "data" ip saddr @pdrop drop
    iifname "data" tcp flags & rst == rst ip saddr . tcp dport @prejectto accept
    iifname "data" tcp flags & rst == rst ip saddr . tcp sport @prejectfrom accept
    iifname "data" tcp flags & rst == rst ip saddr @preject accept
    iifname "data" ip saddr . tcp dport @prejectto reject with tcp reset
    iifname "data" ip saddr . tcp sport @prejectfrom reject with tcp reset
    iifname "data" meta l4proto tcp ip saddr @preject reject with tcp reset
    iifname "data" ip saddr @preject drop
    iifname "data" ip saddr vmap @ploss
  }}
  chain management {{
    type filter hook input priority 0;
    iifname "mgmt" ip saddr != OBSERVER counter name foreign drop
  }}
  chain out {{
    type nat hook output priority -100;
    dnat ip to ip daddr . tcp dport map @tomesh
    dnat ip to ip daddr . tcp dport map @unshadow
  }}
}}
"""
"""
Installed once per party, before its first process. Faults and new peers only add and delete elements.

The wire rules stand ahead of connection tracking: in the input hook, replies of redirected flows carry the shadow
address again. Behind a gate for new connections resets are dropped too: held bytes for a peer that has left would be
answered with one, and Toxiproxy then blocks the removal of its toxic for five seconds a chunk. The two reset exemptions
let a reject's own reset out of, and into, a party that rejects as well: without them a two-way reject silently behaves
as a hole. ``iifname "data"`` keeps the wire rules off ``lo``, where the local proxy's leg carries the peer's address.

Looking a packet up in a set counts it there, so each rule looks last, after all else that it asks. The rules of single
ports stand before those of whole links: inside a whole partition, one of a port still counts what it caught.

``closed`` holds the ports of peers on which nothing listens (see ``agent/listening.py``): connecting to one is refused
here, since the mesh would accept it. Only the opening packet is refused: a server that stops listening may go on
serving the connections it has.
"""


def table(planes: Planes) -> str:
    """Nft commands that install a party's rules."""
    return _TABLE.replace("OBSERVER", planes.observer)


def declare(ports: Iterable[int]) -> str:
    """Nft commands that make these ports known as declared."""
    numbers = ", ".join(str(port) for port in sorted(set(ports)))
    return f"add element ip chaos declared {{ {numbers} }}\n" if numbers else ""


def introduce(peers: Sequence[Seat]) -> str:
    """Nft commands, for another party, that put the links to these peers behind its mesh; closed until they say otherwise."""
    pairs = [(peer, port) for peer in peers for port in peer.ports]
    if not pairs:
        return ""
    redirects = ", ".join(
        f"{peer.data} . {port} : {peer.listener(port)[0]} . {peer.listener(port)[1]}" for peer, port in pairs
    )
    shadows = ", ".join(f"{peer.shadow} . {port} : {peer.data} . {port}" for peer, port in pairs)
    closed = ", ".join(f"{peer.data} . {port}" for peer, port in pairs)
    return (
        f"add element ip chaos closed {{ {closed} }}\n"
        f"add element ip chaos tomesh {{ {redirects} }}\n"
        f"add element ip chaos unshadow {{ {shadows} }}\n"
    )


def listening(seat: Seat) -> dict[str, object]:
    """What a party's agent needs to tell its peers which of its ports are open."""
    return {
        "address": seat.data,
        "ports": list(seat.ports),
        "broadcast": seat.planes.broadcast,
        "open": OPEN_NEWS,
        "closed": CLOSED_NEWS,
    }


def proxies(peers: Sequence[Seat]) -> list[dict[str, object]]:
    """The body of Toxiproxy's ``/populate`` for the links to these peers."""
    return [
        {
            "name": peer.proxy(port),
            "listen": "{}:{}".format(*peer.listener(port)),
            "upstream": f"{peer.shadow}:{port}",
            "enabled": True,
        }
        for peer in peers
        for port in peer.ports
    ]
