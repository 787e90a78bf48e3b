"""Real Redis clusters in a real lab: ready means ready, a lost master is replaced, a bad start says why."""

import signal
from pathlib import Path

import pytest

from chaos.cluster import Agrees, FailsOver, HasLeader, HasReplicas, Restartable
from chaos.errors import ServerError, UsageError
from chaos.history import Observation
from chaos.providers.contract import Lab, Role
from chaos.systems.redis import DEFAULT, HARDENED, UNSAFE, SentinelSettings, Topology, start_redis
from chaos.systems.redis.ready import last_words
from chaos.systems.redis.start import find_server
from chaos.wait import wait_until

PATIENCE_S = 40.0


def test_ready_means_that_all_agree_and_every_replica_has_a_write(lab: Lab) -> None:
    cluster = start_redis(lab, settings=HARDENED)
    assert cluster.agreed()
    assert cluster.leader().name == "n1"
    assert [node.name for node in cluster.replicas()] == ["n2", "n3"]
    cluster.ask("n1", "SADD", "k", "b", "a")
    assert cluster.ask("n1", "WAIT", 2, 1000) == 2
    assert cluster.final_read("k", "n3") == ["a", "b"]
    assert cluster.ask("n1", "CONFIG", "GET", "min-replicas-max-lag") == ["min-replicas-max-lag", "2"]


def test_the_cluster_has_the_abilities_that_experiments_ask_for(lab: Lab) -> None:
    cluster = start_redis(lab, topology="standalone")
    for ability in (HasLeader, HasReplicas, Agrees, Restartable, FailsOver):
        assert isinstance(cluster, ability)


def test_a_killed_master_is_replaced_seen_by_the_probe_and_comes_back_as_a_replica(lab: Lab) -> None:
    cluster = start_redis(lab, settings=UNSAFE)
    seen: list[Observation] = []
    probe = cluster.probe(seen.append)
    probe.start()
    try:
        wait_until(lambda: any(o.kind == "leader" for o in seen), within_s=PATIENCE_S, wanted="a Sentinel's leader")
        lab.signal(cluster.process("n1"), signal.SIGKILL)
        new = cluster.wait_failover("n1", within_s=PATIENCE_S)
        assert new.name in ("n2", "n3")
        assert any("n1: does not answer" in problem for problem in cluster.disagreement())
        wait_until(lambda: cluster.agreed(without="n1"), within_s=PATIENCE_S, wanted="the others agree")
        cluster.restart("n1")
        wait_until(cluster.agreed, within_s=PATIENCE_S, wanted="all agree", seen=cluster.disagreement)
        assert cluster.leader() == new
    finally:
        probe.stop()
    told = [o.value for o in seen if o.party == new.name and o.kind == "role"]
    assert told == ["slave", "master"]
    events = [o.value for o in seen if o.kind == "sentinel-event"]
    assert any(event == {"event": "+switch-master", "of": f"m n1 6379 {new.name} 6379"} for event in events)
    errors = [o.value for o in seen if o.party == "n1" and o.kind == "probe-error"]
    assert errors[0] is None  # It answers,
    assert any(error is not None for error in errors)  # not any more,
    assert errors[-1] is None  # It answers again.


def test_a_stopped_probe_records_nothing_more(lab: Lab) -> None:
    cluster = start_redis(lab, topology="standalone")
    seen: list[Observation] = []
    probe = cluster.probe(seen.append)
    probe.start()
    wait_until(lambda: seen, within_s=PATIENCE_S, wanted="an observation")
    probe.stop()
    probe.stop()
    count = len(seen)
    cluster.ask("n1", "SET", "k", "1")
    assert len(seen) == count


def test_sentinels_own_periods_are_left_as_they_were_when_asked_for(lab: Lab) -> None:
    cluster = start_redis(lab, sentinel=SentinelSettings(periods=DEFAULT))
    periods = cluster.ask("s2", "SENTINEL", "DEBUG")
    assert dict(zip(periods[::2], periods[1::2], strict=True))["PING-PERIOD"] == "1000"
    assert dict(zip(periods[::2], periods[1::2], strict=True))["INFO-PERIOD"] == "10000"
    assert cluster.settings["sentinel"]["down_after_ms"] == 2000


@pytest.mark.parametrize("version", ["6.2", "valkey"])
def test_other_versions_get_ready_as_well(lab: Lab, version: str) -> None:
    cluster = start_redis(lab, version=version)
    assert cluster.agreed()
    assert version in cluster.system


def test_a_password_protects_nodes_and_is_shown_nowhere(lab: Lab) -> None:
    cluster = start_redis(lab, password="s3cret")
    assert cluster.agreed()
    assert "s3cret" not in str(cluster.settings)


def test_the_users_own_configuration_is_laid_over_the_defaults_and_its_password_used(lab: Lab, tmp_path: Path) -> None:
    mine = tmp_path / "redis.conf"
    mine.write_text("maxmemory 8mb\nhz 50\nrequirepass s3cret\n")
    cluster = start_redis(lab, topology="replication", config=mine, settings={"hz": 20})
    assert cluster.ask("n2", "CONFIG", "GET", "maxmemory") == ["maxmemory", "8388608"]
    assert cluster.ask("n2", "CONFIG", "GET", "hz") == ["hz", "20"]


@pytest.mark.parametrize("version", [None, "6.2", "valkey"])
def test_a_file_from_production_comes_up_in_the_lab(lab: Lab, tmp_path: Path, version: str | None) -> None:
    mine = tmp_path / "redis.conf"
    mine.write_bytes(
        b"# gr\xfc\xdfe\nbind 10.0.0.7\nport 7777\ndaemonize yes\ndir /var/lib/absent\nlogfile /var/log/absent/redis.log\n"
        b'replicaof 10.0.0.1 6379\nmaxmemory 8mb\nrequirepass "s3 \\"cret"\nmasterauth other\n'
    )
    cluster = start_redis(lab, topology="replication", config=mine, version=version)
    assert cluster.password == 's3 "cret'
    assert cluster.leader().name == "n1"
    assert cluster.ask("n2", "CONFIG", "GET", "maxmemory") == ["maxmemory", "8388608"]


def test_a_password_may_stand_in_the_settings(lab: Lab) -> None:
    cluster = start_redis(lab, topology="standalone", settings={"requirepass": "s3cret", "hz": 20})
    assert (cluster.password, dict(cluster.redis_settings)) == ("s3cret", {"hz": 20})


def test_a_server_that_asks_for_a_password_nobody_gave_says_how_to_give_it(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "redis.conf").write_text("user default on >s3cret ~* &* +@all\n")
    with pytest.raises(ServerError, match="n1 asks for a password; give it as password="):
        start_redis(lab, topology="standalone", config=tmp_path / "redis.conf")


@pytest.mark.parametrize("version", [" ", "-", "kafka 3", "valkey 9.1 x"])
def test_a_version_that_is_none_is_refused(lab: Lab, version: str) -> None:
    with pytest.raises(UsageError, match=r"a Redis version is written like 7\.0 or valkey 9\.1"):
        find_server(lab, version)


def test_a_configuration_that_the_server_rejects_is_quoted_from_its_own_log(lab: Lab) -> None:
    with pytest.raises(ServerError, match=r"n1 ended at its start: .*maxmemory-policy sometimes"):
        start_redis(lab, topology="standalone", settings={"maxmemory-policy": "sometimes"})


def test_what_a_server_says_of_its_secret_is_not_repeated() -> None:
    assert last_words(b">>> 'requirepass s3cret x'\nwrong number of arguments\n", "s3cret") == (
        "'requirepass *** x': wrong number of arguments"
    )


def test_a_server_that_takes_no_writes_is_not_ready(lab: Lab) -> None:
    with pytest.raises(ServerError, match="n1 takes no writes: NOREPLICAS"):
        start_redis(lab, topology="standalone", settings=HARDENED)


def test_a_store_stands_beside_the_cluster_as_a_resource(lab: Lab) -> None:
    start_redis(lab, topology="replication")
    store = start_redis(lab, topology=Topology(name="store", nodes=("store",)), role=Role.RESOURCE)
    assert lab.parties["store"].role is Role.RESOURCE
    assert store.leader().name == "store"
    store.ask("store", "INCR", "n")
    assert store.final_read("n") == 1


def test_unknown_names_are_refused_with_those_that_exist(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are standalone, replication, sentinel"):
        start_redis(lab, topology="ring")
    with pytest.raises(UsageError, match="cannot read the Redis configuration"):
        start_redis(lab, config=tmp_path / "absent.conf")
