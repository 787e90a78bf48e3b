"""What servers say of each other, and where they differ."""

from dataclasses import replace

import pytest

from chaos.systems.redis.ready import last_words
from chaos.systems.redis.views import NodeView, SentinelView, disagreements, parse_replication, parse_sentinel

MASTER_INFO = """# Replication\r
role:master\r
connected_slaves:2\r
min_slaves_good_slaves:1\r
slave0:ip=198.18.0.2,port=6379,state=online,offset=140,lag=0\r
slave1:ip=198.18.0.3,port=6379,state=wait_bgsave,offset=0,lag=1\r
master_failover_state:no-failover\r
master_repl_offset:154\r
"""
REPLICA_INFO = """# Replication\r
role:slave\r
master_host:198.18.0.1\r
master_port:6379\r
master_link_status:down\r
slave_read_repl_offset:140\r
slave_repl_offset:140\r
connected_slaves:0\r
"""
NAMES = {
    "198.18.0.1:6379": "n1",
    "198.18.0.2:6379": "n2",
    "198.18.0.4:26379": "s1",
    "198.18.0.5:26379": "s2",
}
MASTER = NodeView(role="master", attached={"198.18.0.2:6379": "online"})
REPLICA = NodeView(role="slave", following="198.18.0.1:6379", link_up=True)
S1 = SentinelView(
    master="198.18.0.1:6379",
    replicas={"198.18.0.2:6379": ("slave", "ok")},
    sentinels={"198.18.0.5:26379": "sentinel"},
)
S2 = replace(S1, sentinels={"198.18.0.4:26379": "sentinel"})
NODES: dict[str, NodeView | str] = {"n1": MASTER, "n2": REPLICA}
SENTINELS: dict[str, SentinelView | str] = {"s1": S1, "s2": S2}


def test_a_masters_view_names_its_replicas_and_how_many_are_good() -> None:
    view = parse_replication(MASTER_INFO)
    assert view.role == "master"
    assert view.attached == {"198.18.0.2:6379": "online", "198.18.0.3:6379": "wait_bgsave"}
    assert (view.good_replicas, view.offset) == (1, 154)


def test_a_replicas_view_names_its_master_and_the_link() -> None:
    view = parse_replication(REPLICA_INFO)
    assert (view.role, view.following, view.link_up, view.offset) == ("slave", "198.18.0.1:6379", False, 140)


def test_a_sentinels_replies_become_one_view() -> None:
    view = parse_sentinel(
        ["ip", "198.18.0.1", "port", "6379", "flags", "master", "config-epoch", "3"],
        [["ip", "198.18.0.2", "port", "6379", "flags", "slave,s_down", "master-link-status", "err"]],
        [["ip", "198.18.0.5", "port", "26379", "flags", "sentinel"]],
        "OK 2 usable Sentinels",
    )
    assert (view.master, view.epoch, view.flags) == ("198.18.0.1:6379", 3, "master")
    assert view.replicas == {"198.18.0.2:6379": ("slave,s_down", "err")}


def test_equal_and_complete_views_agree() -> None:
    assert disagreements(NODES, SENTINELS, NAMES) == ()


def test_a_sentinels_stale_word_on_its_peer_is_no_disagreement() -> None:
    stale = replace(S1, sentinels={"198.18.0.5:26379": "sentinel,master_down"})
    assert disagreements(NODES, {"s1": stale, "s2": S2}, NAMES) == ()


NODE_PROBLEMS: list[tuple[str, NodeView | str, str]] = [
    ("n2", NodeView(role="master"), "masters: n1, n2"),
    ("n1", REPLICA, "masters: none"),
    ("n1", NodeView(role="master", attached={"198.18.0.2:6379": "send_bulk"}), "n1: replica n2 is send_bulk"),
    ("n1", NodeView(role="master"), "n1: replica n2 is not attached"),
    ("n2", replace(REPLICA, link_up=False), "n2: its link to n1 is down"),
    ("n2", replace(REPLICA, following="198.18.0.9:6379"), "n2: follows 198.18.0.9:6379, not n1"),
    ("n2", "does not answer", "n2: does not answer"),
]


@pytest.mark.parametrize(("name", "view", "problem"), NODE_PROBLEMS)
def test_each_flaw_in_a_nodes_view_is_said_in_a_sentence(name: str, view: NodeView | str, problem: str) -> None:
    assert problem in disagreements({**NODES, name: view}, SENTINELS, NAMES)


SENTINEL_PROBLEMS: list[tuple[SentinelView | str, str]] = [
    (replace(S1, master="198.18.0.2:6379"), "s1: names n2 as master, not n1"),
    (replace(S1, flags="master,s_down"), "s1: sees n1 as master,s_down"),
    (
        replace(S1, replicas={"198.18.0.2:6379": ("slave,disconnected", "ok")}),
        "s1: sees n2 as slave,disconnected, link ok",
    ),
    (replace(S1, replicas={}), "s1: sees n2 as unknown, link err"),
    (replace(S1, sentinels={}), "s1: sees s2 as unknown"),
    (replace(S1, quorum="NOQUORUM 1 usable"), "s1: NOQUORUM 1 usable"),
    ("does not answer", "s1: does not answer"),
]


@pytest.mark.parametrize(("view", "problem"), SENTINEL_PROBLEMS)
def test_each_flaw_in_a_sentinels_view_is_said_in_a_sentence(view: SentinelView | str, problem: str) -> None:
    assert disagreements(NODES, {**SENTINELS, "s1": view}, NAMES) == (problem,)


def test_a_rejected_configuration_is_quoted_without_the_servers_banner() -> None:
    log = b"""
*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***
Reading the configuration file, at line 3
>>> 'maxmemory-policy sometimes'
argument must be one of the following: volatile-lru
"""
    assert last_words(log) == (
        "Reading the configuration file, at line 3: 'maxmemory-policy sometimes': "
        "argument must be one of the following: volatile-lru"
    )


def test_a_servers_last_lines_are_quoted_without_their_stamps() -> None:
    log = b"12:M 24 Nov 2026 17:24:19.860 # Failed listening on port 6379 (tcp), aborting.\n"
    assert last_words(log) == "Failed listening on port 6379 (tcp), aborting."
    assert last_words(b"") == "it said nothing"
