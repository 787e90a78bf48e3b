"""Real Kafka clusters in a real lab: ready means ready, a lost leader is replaced, a bad start says why."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.cluster import Agrees, FailsOver, HasLeader, HasReplicas, Restartable
from chaos.cluster.making import making
from chaos.errors import HarnessError, MissingSoftwareError, NoProgressError, ServerError, UsageError
from chaos.history import Observation
from chaos.providers.contract import Lab
from chaos.systems.kafka import TIGHT, KafkaCluster, MakeKafka, Topic, Topology, requests, start_kafka
from chaos.systems.kafka.clients import consumer, following, producer
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.wait import wait_until

PATIENCE_S = 60.0


@pytest.fixture
def start(lab: Lab) -> Iterator[MakeKafka]:
    """Clusters that end with the test."""
    with making("start", start_kafka, lab) as make:
        yield make


def write(cluster: KafkaCluster, *values: str, log: str = "acked-0") -> list[int]:
    """Append past every fault, with acks=all."""
    leader = cluster.lines.brokers[cluster.leader(log).name]
    return [requests.produce(leader, log, value, within_ms=5000) for value in values]


@pytest.mark.parametrize("topology", ["three", "combined"])
def test_ready_means_that_all_replicas_are_in_sync_and_a_record_was_acknowledged_by_all(
    start: MakeKafka, lab: Lab, topology: str
) -> None:
    cluster = start(topology=topology, settings=TIGHT)
    assert cluster.agreed()
    assert cluster.in_sync() == ("n1", "n2", "n3")
    assert "Kafka 4." in cluster.system
    assert topology in cluster.system
    for node in cluster.nodes:
        assert cluster.replica_log(node, "chaos-ready-0").values[:1] == ("ready",)
    assert cluster.controller() in cluster.controllers
    assert not any(lab.undeclared().values())


def test_a_topic_is_made_by_whichever_controller_is_active_by_then(start: MakeKafka, lab: Lab) -> None:
    cluster = start(topology="quorum", settings=TIGHT)
    old = cluster.controller().name
    idle = next(console for name, console in cluster.lines.quorum.items() if name != old)
    with pytest.raises(requests.NotActiveError, match=f"{idle.party} says: "):
        requests.create_topic(idle, Topic(name="late"), 3)
    with pytest.raises(requests.NotActiveError, match=f"{idle.party} says: "):
        requests.alter_topic(idle, "acked", {"min.insync.replicas": 2})
    lab.signal(cluster.process(old), signal.SIGKILL)
    cluster.create_topic(Topic(name="late"))
    cluster.alter_topic({"min.insync.replicas": 2}, "late")
    assert cluster.controller().name != old
    assert cluster.agreed()


def test_a_topic_that_an_unanswered_attempt_made_is_not_called_another_one(start: MakeKafka) -> None:
    cluster = start(topology="single")

    def lost(controller: Console, topic: Topic, replication: int) -> None:
        patch.undo()
        requests.create_topic(controller, topic, replication)
        raise NoAnswerError("the answer was lost")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "create_topic", lost)
        cluster.create_topic(Topic(name="late", replication=1))
    with pytest.raises(UsageError, match="topic late is there already"):
        cluster.create_topic(Topic(name="late", replication=1))


def test_the_cluster_has_the_abilities_that_experiments_ask_for(start: MakeKafka) -> None:
    cluster = start(topology="single")
    for ability in (HasLeader, HasReplicas, Agrees, Restartable, FailsOver):
        assert isinstance(cluster, ability)
    assert (cluster.leader().name, cluster.replicas(), cluster.leaderless()) == ("n1", (), False)
    assert [node.name for node in cluster.servers] == ["n1"]
    assert cluster.settings["topics"] == {"acked": {"partitions": 1, "replication": 1}}
    with pytest.raises(UsageError, match="has no 'n9'; there are n1"):
        cluster.node("n9")
    with pytest.raises(NoProgressError, match="a leader of acked-0 instead of n1, within"):
        cluster.wait_failover("n1", within_s=0.2)
    with pytest.raises(NoProgressError, match="an active controller instead of n1, within"):
        cluster.wait_controller(within_s=0.2, instead_of="n1")
    with pytest.raises(UsageError, match="in this lab n1 run already: give the cluster other names"):
        start(topology="single")


def test_a_killed_leader_is_replaced_seen_by_the_probe_and_comes_back_in_sync(start: MakeKafka, lab: Lab) -> None:
    cluster = start(topology="quorum", settings=TIGHT)
    seen: list[Observation] = []
    probe = cluster.probe(seen.append)
    probe.start()
    try:
        old, offsets = cluster.leader(), write(cluster, "a", "b")
        assert offsets == [0, 1]
        wait_until(lambda: 2 in _told(seen, old.name, "high-watermark"), within_s=PATIENCE_S, wanted="a high watermark")
        lab.signal(cluster.process(old), signal.SIGKILL)
        new = cluster.wait_failover(old, within_s=PATIENCE_S)
        assert new != old
        assert any(f"{old}: does not answer" in problem for problem in cluster.disagreement())
        assert cluster.replica_log(old).values == ("a", "b")  # It is down, and its disk is there.
        write(cluster, "c")
        cluster.restart(old)
        wait_until(cluster.agreed, within_s=PATIENCE_S, wanted="all agree", seen=cluster.disagreement)
        wait_until(lambda: _told(seen, old.name, "role")[-1] == "follower", within_s=PATIENCE_S, wanted="a new role")
        wait_until(lambda: _told(seen, old.name, "log-end")[-1] == 3, within_s=PATIENCE_S, wanted="its log to grow")
        assert cluster.final_read() == ["a", "b", "c"]
    finally:
        probe.stop()
        probe.stop()
    assert _told(seen, old.name, "role")[:1] == ["leader"]
    assert _told(seen, new.name, "role")[-1] == "leader"
    assert _told(seen, new.name, "epoch")[-1] >= 1
    assert sorted(set(map(str, _told(seen, new.name, "isr"))), key=len)[-1] == "['n1', 'n2', 'n3']"
    assert any(error is not None for error in _told(seen, old.name, "probe-error"))
    assert _told(seen, old.name, "probe-error")[-1] is None
    assert {"elr", "log-end", "leader"} <= {o.kind for o in seen if o.party == new.name}
    active = cluster.controller().name
    assert _told(seen, active, "controller")[-1]["leader"] == active
    logs = {o.party: o.value["values"] for o in seen if o.kind == "replica-log"}
    assert logs == {name: ["a", "b", "c"] for name in ("n1", "n2", "n3")}


def _told(seen: list[Observation], party: str, kind: str) -> list:  # type: ignore[type-arg]
    return [o.value for o in seen if (o.party, o.kind) == (party, kind)]


def test_the_controller_can_be_lost_and_started_again(start: MakeKafka, lab: Lab) -> None:
    cluster = start(topology="quorum", settings=TIGHT)
    old = cluster.controller()
    lab.signal(cluster.process(old), signal.SIGKILL)
    new = cluster.wait_controller(within_s=PATIENCE_S, instead_of=old)
    assert new.name in cluster.topology.controllers
    assert write(cluster, "a") == [0]
    cluster.restart(old)
    assert cluster.agreed()


def test_topics_are_made_with_their_own_settings_altered_and_read_partition_after_partition(
    start: MakeKafka, lab: Lab
) -> None:
    topics = [Topic(name="pairs", partitions=2, replication=2), Topic(settings={"min.insync.replicas": 2})]
    cluster = start(settings=TIGHT, topics=topics)
    assert cluster.log == "pairs-0"
    assert len(cluster.replicas("pairs-1")) == 1
    write(cluster, "b", log="pairs-1")
    write(cluster, "a", log="pairs-0")
    assert cluster.final_read() == ["a", "b"]
    assert cluster.final_read("acked") == []
    cluster.create_topic(Topic(name="late", replication=1))
    cluster.alter_topic({"min.insync.replicas": 3}, "acked")
    with pytest.raises(UsageError, match="topic acked is there already, maybe with other settings; alter_topic"):
        cluster.create_topic(Topic(settings={"min.insync.replicas": 1}))
    with pytest.raises(UsageError, match=r"topic late was not altered: Unknown topic config name: no\.such"):
        cluster.alter_topic({"no.such": 1}, "late")
    with pytest.raises(UsageError, match="no topic 'other' was made here; there are pairs, acked, late"):
        cluster.final_read("other")
    with pytest.raises(UsageError, match="call it inside the run's block"):
        cluster.note_replica_logs()


def test_a_file_of_the_users_own_is_overlaid_and_java_options_are_passed_on(
    start: MakeKafka, lab: Lab, tmp_path: Path
) -> None:
    mine = tmp_path / "server.properties"
    mine.write_text("broker.id=7\nlisteners=PLAINTEXT://:9092\nmessage.max.bytes=777\n")
    cluster = start(topology="single", properties=mine, java_options="-Xmx300m")
    log = lab.log(cluster.process("n1")).decode()
    assert "message.max.bytes = 777" in log
    assert cluster.settings["settings"]["message.max.bytes"] == "777"


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ({"topics": [Topic(replication=4)]}, "topic acked: 4 replicas cannot be placed on 3 brokers"),
        ({"topics": []}, "needs at least one topic"),
        ({"topics": Topic()}, r"topics is a list of Topic\(\.\.\.\), not Topic"),
        ({"topics": ["acked"]}, r"topics is a list of Topic\(\.\.\.\), not \['acked'\]"),
        ({"settings": [1]}, r"settings is a mapping of names to values, not \[1\]"),
        ({"settings": {"a": None}}, "settings: a is a number, a truth or one line of text, not None"),
        ({"properties": 3}, "properties is the text of a server.properties or a Path to one, not 3"),
        ({"properties": "/etc/server.properties"}, r"properties is text; for a file give a Path: Path\('/etc/server"),
        ({"topics": [Topic(), Topic()]}, "every topic needs a name of its own"),
        ({"topics": [Topic(name="chaos-ready")]}, "and not chaos-ready"),
        ({"settings": {"listeners": "x"}}, "listeners: decided by the lab"),
        ({"properties": "what is this"}, "line 1 of the properties is not name=value"),
        ({"properties": Path("/no/such")}, "the properties cannot be read: .*No such file"),
        ({"topology": "four"}, "no Kafka topology is called 'four'"),
        ({"version": "2"}, r"kafka 2 is not offered \(there is 4\)"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    start: MakeKafka, lab: Lab, arguments: dict[str, object], answer: str
) -> None:
    with pytest.raises(UsageError, match=answer):
        start(**arguments)  # type: ignore[arg-type]
    assert not lab.parties


def test_a_broker_that_dies_at_its_start_is_quoted_from_its_own_log(start: MakeKafka) -> None:
    with pytest.raises(
        ServerError, match=r"n1 ended at its start: .*Invalid value x for configuration num\.io\.threads"
    ):
        start(topology="single", settings={"num.io.threads": "x"})


def test_a_java_machine_that_cannot_start_is_quoted_from_its_own_log(start: MakeKafka) -> None:
    with pytest.raises(ServerError, match=r"n1 ended at its start: .*nosuchoption"):
        start(topology="single", java_options="-nosuchoption")


def test_a_topic_setting_that_kafka_does_not_know_is_told_in_its_own_words(start: MakeKafka) -> None:
    with pytest.raises(UsageError, match=r"topic acked was not made: \w+: Unknown topic config name: no\.such"):
        start(topology="single", topics=[Topic(settings={"no.such": 1})])


def test_a_setting_that_kafka_does_not_know_is_refused_since_kafka_itself_says_nothing(start: MakeKafka) -> None:
    """One of a listener, one of a plug-in in a file, and an internal one are known well enough."""
    fine = {"unclean.leader.election.interval.ms": 1000, "listener.name.client.connections.max.reauth.ms": 0}
    with pytest.raises(UsageError, match=r"Kafka 4\.\S+ knows no min\.insync\.replica, segment\.bytes: a topic's own"):
        start(topology="single", settings={**fine, "min.insync.replica": 2, "segment.bytes": 1 << 20})


def test_settings_of_a_listener_and_of_a_plug_in_pass(start: MakeKafka) -> None:
    fine = {**TIGHT, "listener.name.client.connections.max.reauth.ms": 0}
    assert start(topology="single", settings=fine, properties="my.plugin.setting=1").agreed()


def test_a_log_that_nobody_leads_has_no_leader(start: MakeKafka) -> None:
    cluster = start(topology="single")
    with pytest.raises(HarnessError, match="nobody leads other-0 at this moment"):
        cluster.leader("other-0")


def test_plans_name_the_brokers_as_their_client_reaches_them(start: MakeKafka) -> None:
    cluster = start(topology="single")
    plan = producer(cluster, "c1", acks=1)
    assert plan.workload == "chaos.workloads.kafka_records:record_writer"
    assert plan.resolved(lambda *_: ("", 0)) == {
        "bootstrap": [cluster.address("c1", "n1")],
        "topic": "acked",
        "acks": 1,
    }
    assert consumer(cluster, "c2", reset="latest").workload == "chaos.workloads.kafka_records:record_reader"
    own = following(cluster, "c3", "mine:work", brokers=("n1",), hold=("here",), interpreter="/python")
    assert (own.workload, own.hold, own.interpreter) == ("mine:work", ("here",), "/python")


def test_a_client_library_that_is_missing_is_said_before_any_client_starts(
    start: MakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = start(topology="single")
    monkeypatch.setattr("chaos.systems.kafka.clients.find_spec", lambda name: None)
    with pytest.raises(MissingSoftwareError, match=r"client library aiokafka is not installed; run: pip install"):
        producer(cluster, "c1", library="aiokafka")
    elsewhere = producer(cluster, "c1", library="aiokafka", interpreter="/python")
    assert elsewhere.interpreter == "/python"


def test_mistakes_in_a_plan_are_answered_before_any_client_starts(start: MakeKafka) -> None:
    cluster = start(topology="single", topics=[Topic(partitions=2)])
    for wrong, answer in (
        ({"acks": 7}, 'acks is 0, 1 or "all", not 7'),
        ({"library": "kafka"}, "no client library is called 'kafka' here; there are kafka-python, confluent-kafka"),
        ({"partition": 2}, "topic acked has no partition 2; it has 2, from 0 on"),
    ):
        with pytest.raises(UsageError, match=answer):
            producer(cluster, "c1", **wrong)
    with pytest.raises(UsageError, match="reset is earliest or latest, not 'sometimes'"):
        consumer(cluster, "c1", reset="sometimes")
    assert producer(cluster, "c1", topic="of my own", partition=9).name == "c1"


def test_an_app_finds_the_clients_port_in_its_environment(start: MakeKafka, lab: Lab) -> None:
    cluster = start(topology="single")
    script = 'echo "$CHAOS_N1 $ALL ready"'
    app = lab.app(["/bin/sh", "-c", script], env={"ALL": cluster.nodes}, ready="ready")
    assert app.output().split()[:2] == [cluster.address("app", "n1")] * 2


def test_a_node_that_does_not_answer_is_named_with_the_question(start: MakeKafka, lab: Lab) -> None:
    cluster = start(topology="single")
    lab.freeze("n1")
    try:
        with pytest.raises(NoAnswerError, match="n1 to ListOffsets: TimeoutError"):
            requests.log_end(cluster.lines.brokers["n1"], "acked-0")
    finally:
        lab.thaw("n1")


def test_names_of_a_second_cluster_are_its_own(start: MakeKafka) -> None:
    start(topology="single")
    second = start(topology=Topology(name="second", brokers=("m1",), controllers=("p1",)))
    assert second.leader().name == "m1"
    assert second.controller().name == "p1"
