"""
What each server says of the cluster, and where the views differ. Pure: text and replies in, values and sentences out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.history.records import empty

Address = str
"""``ip:port`` on the data plane, as servers name each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """
    A data node's own view of replication.

    :param following: the address of its master; None for a master.
    :param link_up: whether its link to that master stands; None for a master.
    :param attached: on a master, the address and state (``online``, ``wait_bgsave``, ...) of each replica.
    :param good_replicas: on a master with ``min-replicas-to-write``, how many are within the lag; the connected ones
        stay counted throughout a hole.
    """

    role: str
    offset: int = 0
    following: Address | None = None
    link_up: bool | None = None
    attached: Mapping[Address, str] = field(default_factory=empty)
    good_replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelView:
    """A Sentinel's view: who is master, under which epoch, and in which state it sees everybody."""

    master: Address
    epoch: int = 0
    flags: str = "master"
    replicas: Mapping[Address, tuple[str, str]] = field(default_factory=empty)
    """Address to (flags, link to the master: ``ok`` or ``err``)."""
    sentinels: Mapping[Address, str] = field(default_factory=empty)
    quorum: str = "OK"


def parse_replication(info: str) -> NodeView:
    """``INFO replication`` as a view."""
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    role = fields.get("role", "unknown")
    if role != "master":
        return NodeView(
            role=role,
            offset=int(fields.get("slave_repl_offset", 0)),
            following=f"{fields.get('master_host')}:{fields.get('master_port')}",
            link_up=fields.get("master_link_status") == "up",
        )
    good = fields.get("min_slaves_good_slaves")
    return NodeView(
        role=role,
        offset=int(fields.get("master_repl_offset", 0)),
        attached=dict(_attached(fields)),
        good_replicas=None if good is None else int(good),
    )


def _attached(fields: Mapping[str, str]) -> Iterable[tuple[Address, str]]:
    for name, value in fields.items():
        if name.startswith("slave") and name[5:].isdigit():
            replica = dict(pair.split("=", 1) for pair in value.split(","))
            yield f"{replica['ip']}:{replica['port']}", replica["state"]


def parse_sentinel(
    master: Sequence[str], replicas: Sequence[Sequence[str]], sentinels: Sequence[Sequence[str]], quorum: str
) -> SentinelView:
    """The replies of ``SENTINEL MASTER``, ``REPLICAS``, ``SENTINELS`` and ``CKQUORUM`` as a view."""
    fields = pairs(master)
    return SentinelView(
        master=_address(fields),
        epoch=int(fields.get("config-epoch", 0)),
        flags=fields["flags"],
        replicas={_address(one): (one["flags"], one["master-link-status"]) for one in map(pairs, replicas)},
        sentinels={_address(one): one["flags"] for one in map(pairs, sentinels)},
        quorum=quorum,
    )


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """A flat reply of names and values as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _address(fields: Mapping[str, str]) -> Address:
    return f"{fields['ip']}:{fields['port']}"


def disagreements(
    nodes: Mapping[str, NodeView | str], sentinels: Mapping[str, SentinelView | str], names: Mapping[Address, str]
) -> tuple[str, ...]:
    """
    What is missing until all views are the same and complete; empty when they are.

    :param nodes: each node's view, or why it has none. A party that is down on purpose is left out by the caller.
    :param names: the address of each of these servers, to its name; other addresses are ignored.
    """
    masters = [name for name, view in nodes.items() if isinstance(view, NodeView) and view.role == "master"]
    problems = [f"{name}: {view}" for name, view in (*nodes.items(), *sentinels.items()) if isinstance(view, str)]
    if len(masters) != 1:
        return (*problems, f"masters: {', '.join(masters) or 'none'}")
    for name, view in nodes.items():
        if isinstance(view, NodeView):
            problems += _node_problems(name, view, masters[0], set(nodes), names)
    for name, seen in sentinels.items():
        if isinstance(seen, SentinelView):
            problems += _sentinel_problems(name, seen, masters[0], set(nodes), set(sentinels), names)
    return tuple(problems)


def _node_problems(
    name: str, view: NodeView, master: str, nodes: set[str], names: Mapping[Address, str]
) -> Iterable[str]:
    if name == master:
        states = {names[address]: state for address, state in view.attached.items() if address in names}
        for replica in sorted(nodes - {master}):
            if states.get(replica) != "online":
                yield f"{name}: replica {replica} is {states.get(replica, 'not attached')}"
    elif names.get(view.following or "") != master:
        yield f"{name}: follows {names.get(view.following or '', view.following)}, not {master}"
    elif not view.link_up:
        yield f"{name}: its link to {master} is down"


def _sentinel_problems(
    name: str, view: SentinelView, master: str, nodes: set[str], sentinels: set[str], names: Mapping[Address, str]
) -> Iterable[str]:
    if names.get(view.master) != master:
        yield f"{name}: names {names.get(view.master, view.master)} as master, not {master}"
        return
    if view.flags != "master":
        yield f"{name}: sees {master} as {view.flags}"
    replicas = {names[address]: seen for address, seen in view.replicas.items() if address in names}
    for replica in sorted(nodes - {master}):
        flags, link = replicas.get(replica, ("unknown", "err"))
        if flags != "slave" or link != "ok":
            yield f"{name}: sees {replica} as {flags}, link {link}"
    peers = {names[address]: flags for address, flags in view.sentinels.items() if address in names}
    for peer in sorted(sentinels - {name}):
        # "master_down" is that peer's last answer about the master before: kept for 5 s, and by Valkey 9 for longer.
        if set(peers.get(peer, "").split(",")) - {"master_down"} != {"sentinel"}:
            yield f"{name}: sees {peer} as {peers.get(peer, 'unknown')}"
    if not view.quorum.startswith("OK"):
        yield f"{name}: {view.quorum}"
