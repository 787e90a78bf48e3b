"""
A member's command line. A pure function: what a server is told can be read and tested without one.
"""

from collections.abc import Mapping

from chaos.errors import UsageError
from chaos.systems.etcd.settings import CLIENT_PORT, PEER_PORT, Setting

OWNED = frozenset(
    {
        *("name", "data-dir", "listen-peer-urls", "listen-client-urls", "initial-advertise-peer-urls"),
        *("advertise-client-urls", "initial-cluster", "config-file", "log-outputs"),
    }
)
"""Flags that the lab gives itself."""

DATA = "data"
"""A member's data folder, below the party's own."""


def flags(
    *,
    name: str,
    folder: str,
    peers: Mapping[str, tuple[str, int]],
    client: tuple[str, int],
    settings: Mapping[str, Setting],
    token: str = "chaos",
) -> tuple[str, ...]:
    """
    A member's flags.

    :param peers: each member's peer address, as peers must use it.
    :param client: this member's client address, as it announces it.
    """
    taken = sorted(OWNED & set(settings))
    if taken:
        raise UsageError(f"{', '.join(taken)}: decided by the lab, so it cannot be a setting")
    lines: dict[str, Setting] = {
        "initial-cluster-state": "new",
        "initial-cluster-token": token,
        "logger": "zap",  # 3.4 would write plain text.
        **settings,
        "name": name,
        "data-dir": f"{folder}/{DATA}",
        "log-outputs": "stderr",
        "listen-peer-urls": f"http://0.0.0.0:{PEER_PORT}",
        "listen-client-urls": f"http://0.0.0.0:{CLIENT_PORT}",
        "initial-advertise-peer-urls": url(peers[name]),
        "advertise-client-urls": url(client),
        "initial-cluster": members(peers),
    }
    return tuple(f"--{flag}={_text(value)}" for flag, value in lines.items())


def members(peers: Mapping[str, tuple[str, int]]) -> str:
    """All members as ``--initial-cluster`` wants them."""
    return ",".join(f"{name}={url(address)}" for name, address in peers.items())


def url(address: tuple[str, int]) -> str:
    """An address as etcd writes it."""
    host, port = address
    return f"http://{host}:{port}"


def _text(value: Setting) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
