"""Real etcd clusters in a real lab: ready means ready, a lost leader is replaced, a bad start says why."""

import signal

import pytest

from chaos.cluster import Agrees, FailsOver, HasLeader, HasReplicas, Restartable
from chaos.errors import NoProgressError, ServerError, UsageError
from chaos.history import Observation
from chaos.providers.contract import Lab, Role
from chaos.systems.etcd import FAST, Topology, start_etcd
from chaos.systems.etcd.clients import alternating, pinned
from chaos.systems.etcd.cluster import EtcdCluster
from chaos.systems.etcd.recovery import restore_snapshot, save_snapshot
from chaos.wait import wait_until
from chaos.workloads.etcd_requests import encoded

PATIENCE_S = 40.0


@pytest.mark.parametrize("version", ["3.6", "3.5", "3.4", "3.5.1"])
def test_ready_means_that_every_member_follows_one_leader_and_has_passed_on_a_write(lab: Lab, version: str) -> None:
    cluster = start_etcd(lab, version=version)
    assert cluster.agreed()
    assert version in cluster.version
    assert sorted(cluster.ids.values()) == ["n1", "n2", "n3"]
    assert len({view.leader for view in cluster.member_views().values() if not isinstance(view, str)}) == 1
    assert int(cluster.ask("n1", "kv/range", {"key": encoded("chaos/ready")})["kvs"][0]["version"]) >= 3


def test_the_cluster_has_the_abilities_that_experiments_ask_for(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    for ability in (HasLeader, HasReplicas, Agrees, Restartable, FailsOver):
        assert isinstance(cluster, ability)


def test_five_members_lead_and_follow(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="five", settings=FAST)
    assert len(cluster.replicas()) == 4
    assert cluster.leader() not in cluster.replicas()
    assert "--election-timeout=500" in cluster.settings["commands"]["n5"]


def test_a_killed_leader_is_replaced_seen_by_the_probe_and_comes_back_as_a_follower(lab: Lab) -> None:
    cluster = start_etcd(lab, settings=FAST)
    seen: list[Observation] = []
    probe = cluster.probe(seen.append)
    probe.start()
    try:
        old = cluster.leader()
        wait_until(
            lambda: any(o.kind == "syncs" and o.party == old.name for o in seen), within_s=PATIENCE_S, wanted="syncs"
        )
        lab.signal(cluster.process(old), signal.SIGKILL)
        new = cluster.wait_failover(old, within_s=PATIENCE_S)
        assert new != old
        assert any(f"{old}: does not answer" in problem for problem in cluster.disagreement())
        wait_until(lambda: cluster.agreed(without=old), within_s=PATIENCE_S, wanted="the others agree")
        wait_until(lambda: lab.state(cluster.process(old)) == "ended", within_s=PATIENCE_S, wanted="it to be gone")
        cluster.restart(old)
        wait_until(cluster.agreed, within_s=PATIENCE_S, wanted="all agree", seen=cluster.disagreement)
        assert cluster.leader() == new
        wait_until(lambda: _told(seen, old.name, "role")[-1] == "follower", within_s=PATIENCE_S, wanted="a new role")
    finally:
        probe.stop()
    assert _told(seen, old.name, "role")[:1] == ["leader"]
    assert _told(seen, new.name, "role")[-1] == "leader"
    assert _told(seen, new.name, "leader")[-1] == new.name
    assert len(_told(seen, new.name, "term")) > 1
    errors = _told(seen, old.name, "probe-error")
    assert errors[0] is None
    assert any(error is not None for error in errors)
    assert {"index", "revision", "leases", "alarms"} <= {o.kind for o in seen if o.party == new.name}


def _told(seen: list[Observation], party: str, kind: str) -> list[object]:
    return [o.value for o in seen if (o.party, o.kind) == (party, kind)]


def test_a_stopped_probe_records_nothing_more(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    seen: list[Observation] = []
    probe = cluster.probe(seen.append)
    probe.start()
    wait_until(lambda: seen, within_s=PATIENCE_S, wanted="an observation")
    probe.stop()
    probe.stop()
    count = len(seen)
    cluster.ask("n1", "kv/put", {"key": encoded("k"), "value": encoded("v")})
    assert len(seen) == count


def test_what_is_left_is_read_by_prefix_from_the_leader_or_from_one_member(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    for name in ("b", "a"):
        cluster.ask("n1", "kv/put", {"key": encoded(f"k/{name}"), "value": encoded(name)})
    assert cluster.final_read("k") == ["a", "b"]
    assert cluster.final_read("k", "n1") == ["a", "b"]
    assert cluster.final_read("nothing") == []
    assert (cluster.value("k/a"), cluster.value("k/c")) == ("a", None)


def end(lab: Lab, cluster: EtcdCluster) -> None:
    """Crash its only member."""
    lab.signal(cluster.process("n1"), signal.SIGKILL)
    wait_until(lambda: lab.state(cluster.process("n1")) == "ended", within_s=PATIENCE_S, wanted="its end")


def test_a_backup_is_refused_while_a_member_runs_and_nothing_is_removed(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    cluster.ask("n1", "kv/put", {"key": encoded("k/1"), "value": encoded("1")})
    with pytest.raises(UsageError, match="restored while every member is down, and n1 run: Kill them first"):
        restore_snapshot(cluster, save_snapshot(cluster))
    end(lab, cluster)
    cluster.restart("n1")
    wait_until(cluster.agreed, within_s=PATIENCE_S, wanted="it leads again", seen=cluster.disagreement)
    assert cluster.final_read("k") == ["1"]


@pytest.mark.parametrize("version", ["3.4", "3.5.1"])
def test_a_version_without_the_tool_refuses_a_backup_and_keeps_its_data(lab: Lab, version: str) -> None:
    cluster = start_etcd(lab, topology="single", version=version)
    cluster.ask("n1", "kv/put", {"key": encoded("k/1"), "value": encoded("1")})
    backup = save_snapshot(cluster)
    end(lab, cluster)
    with pytest.raises(
        UsageError, match=r"etcd 3\.\d.* as it is installed here cannot restore a backup; 3\.6 and 3\.5 can"
    ):
        restore_snapshot(cluster, backup)
    cluster.restart("n1")
    wait_until(cluster.agreed, within_s=PATIENCE_S, wanted="it leads again", seen=cluster.disagreement)
    assert cluster.final_read("k") == ["1"]


def test_a_backup_is_what_the_members_start_on(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    cluster.ask("n1", "kv/put", {"key": encoded("k/1"), "value": encoded("1")})
    backup = save_snapshot(cluster)
    cluster.ask("n1", "kv/put", {"key": encoded("k/2"), "value": encoded("2")})
    end(lab, cluster)
    restore_snapshot(cluster, backup, bump_revision=1000)
    cluster.restart("n1")
    wait_until(cluster.agreed, within_s=PATIENCE_S, wanted="it leads again", seen=cluster.disagreement)
    assert cluster.final_read("k") == ["1"]
    assert int(cluster.ask("n1", "kv/range", {"key": encoded("k/1")})["header"]["revision"]) > 1000


def test_a_backup_that_is_none_is_said_in_the_tools_words(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    end(lab, cluster)
    with pytest.raises(ServerError, match=r"n1: the backup was not restored: .*"):
        restore_snapshot(cluster, b"nothing")


def test_a_flag_that_the_server_does_not_know_is_quoted_from_its_own_log(lab: Lab) -> None:
    with pytest.raises(ServerError, match=r"n1 ended at its start: .*flag provided but not defined: -no-such-flag"):
        start_etcd(lab, settings={"no-such-flag": 1})


def test_a_member_that_cannot_join_is_quoted_from_its_own_log(lab: Lab) -> None:
    with pytest.raises(ServerError, match=r"n1 ended at its start: .*cannot fetch cluster info from peer urls"):
        start_etcd(lab, settings={"initial-cluster-state": "existing"})


def test_names_that_are_taken_and_nodes_that_are_not_there_are_refused(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    with pytest.raises(UsageError, match="in this lab n1 run already: give the cluster other names"):
        start_etcd(lab, topology="single")
    second = start_etcd(lab, topology=Topology(name="second", nodes=("m1",)), role=Role.RESOURCE)
    assert second.leader().name == "m1"
    with pytest.raises(UsageError, match="has no 'n9'; there are n1"):
        cluster.node("n9")


def test_a_failover_that_does_not_come_is_no_progress(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    with pytest.raises(NoProgressError, match="a leader instead of n1, within"):
        cluster.wait_failover("n1", within_s=0.2)


def test_a_lease_below_the_least_is_refused_before_any_client_starts(lab: Lab) -> None:
    cluster = start_etcd(lab, topology="single")
    lab.place([])
    with pytest.raises(UsageError, match=r"a lease of 1 s is below the least of etcd 3\.\d+\.\d+, single \(1\), 2 s"):
        pinned(cluster, "n1", "etcd-lock", ttl_s=1)
    for ttl_s in (2.5, True, "3"):
        with pytest.raises(UsageError, match="a lease lasts a whole number of seconds, not"):
            pinned(cluster, "c1", "etcd-lock", ttl_s=ttl_s)


def test_plans_name_the_endpoints_as_their_client_reaches_them(lab: Lab) -> None:
    cluster = start_etcd(lab)
    plan = pinned(cluster, "n1", "etcd-set", node="n2", key="k", hold=("here",), interpreter="/python")
    assert (plan.workload, plan.hold, plan.interpreter) == (
        "chaos.workloads.etcd_sets:set_writer",
        ("here",),
        "/python",
    )
    assert plan.resolved(lambda *_: ("", 0)) == {"address": cluster.address("n1", "n2"), "key": "k"}
    several = alternating(cluster, "n1", "etcd-reader", nodes=("n2", "n3"))
    assert several.resolved(lambda *_: ("", 0)) == {"addresses": [cluster.address("n1", n) for n in ("n2", "n3")]}
