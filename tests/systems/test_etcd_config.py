"""A member's command line, and what is read out of its answers: text in, values and sentences out."""

import pytest

from chaos.errors import UsageError
from chaos.systems.etcd.config import flags
from chaos.systems.etcd.ready import last_words
from chaos.systems.etcd.settings import FAST, SLOW, Setting, Topology, find_topology, least_lease_s
from chaos.systems.etcd.views import MemberView, disagreements, leader_of, parse_status, parse_syncs, replaced

PEERS = {"n1": ("198.18.0.1", 2380), "n2": ("198.18.0.2", 2380)}
NAMES = {"a": "n1", "b": "n2", "c": "n3"}


def line(**settings: Setting) -> tuple[str, ...]:
    chosen = {name.replace("_", "-"): value for name, value in settings.items()}
    return flags(name="n1", folder="/f", peers=PEERS, client=("198.18.0.1", 2379), settings=chosen)


def test_settings_become_flags_beside_those_of_the_lab() -> None:
    told = line(election_timeout=500, pre_vote=False)
    for flag in (
        "--name=n1",
        "--data-dir=/f/data",
        "--election-timeout=500",
        "--pre-vote=false",
        "--initial-cluster=n1=http://198.18.0.1:2380,n2=http://198.18.0.2:2380",
        "--advertise-client-urls=http://198.18.0.1:2379",
        "--initial-cluster-state=new",
    ):
        assert flag in told


def test_a_setting_may_replace_a_default_and_not_what_the_lab_decides() -> None:
    assert "--initial-cluster-state=existing" in line(initial_cluster_state="existing")
    with pytest.raises(UsageError, match="data-dir, name: decided by the lab, so it cannot be a setting"):
        line(name="x", data_dir="/y")


def test_the_least_lease_is_one_and_a_half_election_timeouts_in_whole_seconds() -> None:
    assert [least_lease_s(settings) for settings in ({}, FAST, SLOW)] == [2, 1, 8]
    with pytest.raises(UsageError, match="election-timeout is a number of milliseconds, not 'soon'"):
        least_lease_s({"election-timeout": "soon"})


def test_a_topology_is_named_or_given() -> None:
    assert find_topology("five").majority == 3
    assert str(find_topology("three")) == "three (3)"
    with pytest.raises(UsageError, match="no etcd topology is called 'sentinel'; there are single, three, five"):
        find_topology("sentinel")
    with pytest.raises(UsageError, match="every member needs a name of its own"):
        Topology(name="twins", nodes=("n1", "n1"))
    with pytest.raises(UsageError, match="at least one member"):
        Topology(name="none", nodes=())


def view(member: str, leader: str, term: int = 2, **more: object) -> MemberView:
    return MemberView(member=member, leader=leader, term=term, **more)  # type: ignore[arg-type]


def test_a_status_becomes_a_view() -> None:
    said = {"header": {"member_id": "10", "revision": "7", "raft_term": "3"}, "leader": "11", "raftTerm": "3"}
    seen = parse_status({**said, "raftAppliedIndex": "20", "errors": ["etcdserver: no leader", "NOSPACE"]})
    assert seen == MemberView(member="a", leader="b", term=3, index=20, revision=7, alarms=("NOSPACE",))
    assert seen.role == "follower"
    assert parse_status({"header": {"member_id": "10"}}).role == "no leader"
    assert view("a", "a").role == "leader"


def test_the_newest_term_says_who_leads() -> None:
    views: dict[str, MemberView | str] = {"n1": view("a", "a"), "n2": view("b", "b", 3), "n3": "does not answer"}
    assert leader_of(views, NAMES) == "n2"
    assert leader_of({"n1": view("a", "0")}, NAMES) is None


def test_a_leader_is_replaced_once_a_majority_with_it_follows_another() -> None:
    isolated = {"n1": view("a", "a"), "n2": view("b", "b", 3), "n3": view("c", "0", 3)}
    assert replaced(isolated, NAMES, "n1", 2) is None
    assert replaced({**isolated, "n3": view("c", "b", 3)}, NAMES, "n1", 2) == "n2"
    assert replaced({**isolated, "n2": "does not answer", "n3": view("c", "b", 3)}, NAMES, "n1", 1) is None


def test_members_disagree_in_words() -> None:
    agreed = {"n1": view("a", "a"), "n2": view("b", "a")}
    assert disagreements(agreed, NAMES) == ()
    assert disagreements({**agreed, "n3": "does not answer (refused)"}, NAMES) == ("n3: does not answer (refused)",)
    assert disagreements({**agreed, "n3": view("c", "0")}, NAMES) == ("n3: knows no leader",)
    assert disagreements({**agreed, "n3": view("c", "a", alarms=("NOSPACE",))}, NAMES) == ("n3: alarm NOSPACE",)
    two = {"n1": view("a", "a"), "n2": view("b", "b", 3)}
    assert disagreements(two, NAMES) == ("n1 follows n1 in term 2; n2 follows n2 in term 3",)


METRICS = """
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 3
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 9
etcd_disk_wal_fsync_duration_seconds_bucket{le="8.192"} 9
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} COUNT
etcd_disk_wal_fsync_duration_seconds_sum 0.5
etcd_disk_wal_fsync_duration_seconds_count COUNT
"""


def test_the_syncs_of_the_log_are_read_from_the_metrics() -> None:
    assert parse_syncs(METRICS.replace("COUNT", "9")) == {"sum_s": 0.5, "count": 9, "slowest_s": 0.002}
    assert parse_syncs(METRICS.replace("COUNT", "10")) == {"sum_s": 0.5, "count": 10, "slowest_s": 8.192}
    assert parse_syncs("") is None


def test_a_members_last_words_are_its_last_error_else_its_last_line() -> None:
    quiet = b'{"level":"info","msg":"served"}\n'
    fatal = b'{"level":"fatal","msg":"discovery failed","error":"member count is unequal"}\n'
    assert last_words(fatal + quiet) == "discovery failed; error: member count is unequal"
    assert last_words(quiet) == "served"
    assert (
        last_words(b"flag provided but not defined: -x\nUsage:\n\n  etcd [flags]\n")
        == "flag provided but not defined: -x"
    )
    assert last_words(b"") == "it said nothing"
