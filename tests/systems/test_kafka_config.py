"""A node's files, and what is read out of nodes' answers and disks: text in, values and sentences out."""

import re
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.record.memory_records import MemoryRecordsBuilder

from chaos.errors import MissingSoftwareError, UsageError
from chaos.systems.kafka import requests
from chaos.systems.kafka.config import META, meta_properties, parse_properties, server_properties
from chaos.systems.kafka.logs import read_replica
from chaos.systems.kafka.ready import last_words
from chaos.systems.kafka.settings import TOPOLOGIES, Setting, Topic, Topology, find_topology
from chaos.systems.kafka.views import (
    BrokerView,
    LogView,
    UncleanElection,
    Views,
    disagreements,
    leader_of,
    newest,
    parse_metadata,
    parse_unclean,
    replaced,
)

NAMES = {1: "n1", 2: "n2", 3: "n3"}
LOG = "acked-0"


def rendered(name: str, topology: str = "three", overlay: str = "", **settings: Setting) -> dict[str, str]:
    shape = TOPOLOGIES[topology]
    ports = (19091, 19092, 19093, 19094, 19095)
    addresses = {node: {port: (f"host-{node}", port) for port in ports} for node in shape.nodes}
    said = server_properties(
        name,
        shape,
        folder="/f",
        addresses=addresses,
        settings={key.replace("_", "."): value for key, value in settings.items()},
        overlay=parse_properties(overlay),
    )
    return parse_properties(said)


def test_a_broker_has_three_listeners_and_talks_to_controllers_by_the_first_of_theirs() -> None:
    lines = rendered("n2")
    assert lines["process.roles"] == "broker"
    assert lines["node.id"] == "2"
    assert lines["controller.quorum.voters"] == "101@host-q1:19093"
    assert lines["controller.listener.names"] == "CONTROLLER"
    assert lines["listeners"] == "REPLICATION://0.0.0.0:19091,CLIENT://0.0.0.0:19092,MANAGEMENT://0.0.0.0:19094"
    assert lines["advertised.listeners"].startswith("REPLICATION://host-n2:19091,CLIENT://host-n2:19092")
    assert lines["inter.broker.listener.name"] == "REPLICATION"
    assert "CONTROLLER:PLAINTEXT" in lines["listener.security.protocol.map"]
    assert lines["log.dirs"] == "/f/data"


def test_a_controller_votes_and_answers_the_observer_on_listeners_of_its_own() -> None:
    lines = rendered("q1")
    assert lines["process.roles"] == "controller"
    assert lines["controller.listener.names"] == "CONTROLLER,QUORUM"
    assert lines["listeners"] == "CONTROLLER://0.0.0.0:19093,QUORUM://0.0.0.0:19095"
    assert "inter.broker.listener.name" not in lines


def test_a_node_that_is_both_has_all_listeners_and_every_node_votes() -> None:
    lines = rendered("n3", "combined")
    assert lines["process.roles"] == "broker,controller"
    assert lines["controller.quorum.voters"] == "1@host-n1:19093,2@host-n2:19093,3@host-n3:19093"
    assert [one.partition(":")[0] for one in lines["listeners"].split(",")] == [
        "REPLICATION",
        "CLIENT",
        "MANAGEMENT",
        "CONTROLLER",
        "QUORUM",
    ]


def test_settings_win_over_the_users_file_and_that_over_the_labs_sizes() -> None:
    overlay = "# mine\nnum.io.threads = 7\nlog.segment.bytes=1\nlisteners=PLAINTEXT://:9092\n\n! also mine\n"
    lines = rendered("n1", overlay=overlay, log_segment_bytes=2, auto_create_topics_enable=True)
    assert (lines["num.io.threads"], lines["log.segment.bytes"]) == ("7", "2")
    assert lines["auto.create.topics.enable"] == "true"
    assert lines["num.network.threads"] == "2"
    assert "PLAINTEXT://:9092" not in lines["listeners"]


def test_internal_topics_have_as_many_replicas_as_there_are_brokers_up_to_three() -> None:
    assert rendered("n1", "single")["offsets.topic.replication.factor"] == "1"
    assert rendered("n1", "single")["transaction.state.log.min.isr"] == "1"
    assert rendered("n1", "five")["offsets.topic.replication.factor"] == "3"


def test_what_the_lab_decides_is_no_setting() -> None:
    with pytest.raises(UsageError, match=r"^listeners, node\.id: decided by the lab, so it cannot be a setting$"):
        rendered("n1", listeners="x", node_id=4)


def test_a_line_without_a_value_is_named() -> None:
    with pytest.raises(UsageError, match=r"line 2 of the properties is not name=value: 'num\.io\.threads 7'"):
        parse_properties("a=1\nnum.io.threads 7")


def test_each_data_folder_has_an_id_of_its_own_and_always_the_same() -> None:
    one, other = meta_properties(1, "C"), meta_properties(2, "C")
    assert one == meta_properties(1, "C")
    assert parse_properties(one)["directory.id"] != parse_properties(other)["directory.id"]
    assert len(parse_properties(one)["directory.id"]) == 22
    assert parse_properties(one)["node.id"] == "1"
    assert META == "data/meta.properties"


def test_topologies_say_what_they_are_and_refuse_what_cannot_be() -> None:
    assert str(TOPOLOGIES["three"]) == "three (3 + 1)"
    assert str(TOPOLOGIES["combined"]) == "combined (3, broker and controller in one)"
    assert TOPOLOGIES["three"].ids == {"n1": 1, "n2": 2, "n3": 3, "q1": 101}
    assert TOPOLOGIES["combined"].voters == ("n1", "n2", "n3")
    assert find_topology(TOPOLOGIES["five"]) is TOPOLOGIES["five"]
    with pytest.raises(UsageError, match="no Kafka topology is called 'four'; there are three, quorum, combined"):
        find_topology("four")
    with pytest.raises(UsageError, match="needs at least one broker"):
        Topology(name="none", brokers=())
    with pytest.raises(UsageError, match="every node needs a name of its own, not a, a"):
        Topology(name="twice", brokers=("a",), controllers=("a",))


def test_a_topic_has_three_replicas_or_as_many_as_there_are_brokers_and_never_more() -> None:
    assert Topic().copies(TOPOLOGIES["three"]) == 3
    assert Topic().copies(TOPOLOGIES["single"]) == 1
    assert Topic(replication=2).copies(TOPOLOGIES["five"]) == 2
    assert Topic(name="t").first_log == "t-0"
    with pytest.raises(UsageError, match=r"topic acked: 4 replicas cannot be placed on 3 brokers \(n1, n2, n3\)"):
        Topic(replication=4).copies(TOPOLOGIES["three"])
    for wrong in ({"partitions": 0}, {"replication": 0}):
        with pytest.raises(UsageError, match="it needs at least one"):
            Topic(**wrong)  # type: ignore[arg-type]


def test_a_log_is_named_by_topic_and_partition() -> None:
    assert requests.parted("my-topic-12") == ("my-topic", 12)
    for wrong in ("acked", "acked-x", "-1"):
        with pytest.raises(UsageError, match="a log is named topic-partition, such as acked-0, not"):
            requests.parted(wrong)


# -- views ------------------------------------------------------------------------------------------------------------


def metadata(
    leader: int, *, epoch: int = 0, isr: tuple[int, ...] = (1, 2, 3), brokers: tuple[int, ...] = (1, 2, 3)
) -> Any:
    partition = SimpleNamespace(
        partition_index=0, leader_id=leader, leader_epoch=epoch, isr_nodes=isr, replica_nodes=(1, 2, 3)
    )
    topic = SimpleNamespace(name="acked", partitions=[partition])
    return SimpleNamespace(brokers=[SimpleNamespace(node_id=one) for one in brokers], topics=[topic])


def seen(party: str, leader: int, **more: Any) -> BrokerView:
    return parse_metadata(party, metadata(leader, **more), NAMES)


def test_metadata_becomes_a_view_with_names() -> None:
    view = seen("n2", 1, isr=(3, 1), brokers=(3, 1))
    assert view.brokers == ("n1", "n3")
    assert view.logs == {LOG: LogView(leader="n1", epoch=0, isr=("n1", "n3"), replicas=("n1", "n2", "n3"))}
    assert [view.logs[LOG].role(party) for party in ("n1", "n2", "n9")] == ["leader", "follower", "no replica"]
    assert seen("n2", -1).logs[LOG].role("n2") == "no leader"


def test_the_highest_epoch_counts_whoever_else_still_believes_in_an_older_one() -> None:
    views: Views = {"n1": seen("n1", 1), "n2": seen("n2", 2, epoch=1, isr=(2, 3)), "n3": "does not answer"}
    assert leader_of(views, LOG) == "n2"
    assert newest(views, LOG) == seen("n2", 2, epoch=1, isr=(2, 3)).logs[LOG]
    assert newest(views, "other-0") is None
    assert leader_of({"n1": "does not answer"}, LOG) is None
    nobody: Views = {"n1": seen("n1", -1, epoch=2), "n2": seen("n2", 2, epoch=1)}
    assert leader_of(nobody, LOG) is None


def test_who_is_in_sync_is_told_by_the_leader_itself_and_not_by_a_broker_that_hears_of_nothing() -> None:
    cut_off, leader = seen("n1", 2, epoch=1), seen("n2", 2, epoch=1, isr=(2, 3))
    for views in ({"n1": cut_off, "n2": leader}, {"n2": leader, "n1": cut_off}):
        view = newest(views, LOG)
        assert view is not None
        assert view.isr == ("n2", "n3")
        assert replaced(views, LOG, "n3") == "n2"
    assert replaced({"n1": leader, "n2": cut_off}, LOG, "n1") == "n2"


def test_nobody_agrees_on_a_log_whose_leader_is_down_on_purpose() -> None:
    views: Views = {name: seen(name, 1, brokers=(2, 3)) for name in ("n2", "n3")}
    assert disagreements(views, [LOG], ["n2", "n3"]) == (
        "n2: acked-0 is led by n1, which is not there",
        "n3: acked-0 is led by n1, which is not there",
    )


def test_a_leader_is_replaced_once_the_new_one_says_so_itself() -> None:
    old, new = seen("n1", 1), seen("n2", 2, epoch=1)
    assert replaced({"n1": old, "n2": old, "n3": seen("n3", 2, epoch=1)}, LOG, "n1") is None
    assert replaced({"n1": old, "n2": new, "n3": old}, LOG, "n1") == "n2"
    assert replaced({"n1": old, "n2": new}, LOG, "n2") is None
    assert replaced({"n1": old, "n2": "does not answer", "n3": seen("n3", 2, epoch=1)}, LOG, "n1") is None
    assert replaced({"n1": seen("n1", -1, epoch=3)}, LOG, "n1") is None


def test_all_agree_when_every_broker_sees_the_same_leader_and_all_replicas_in_sync() -> None:
    whole: Views = {name: seen(name, 1) for name in ("n1", "n2", "n3")}
    assert disagreements(whole, [LOG], ["n1", "n2", "n3"]) == ()


def test_each_thing_that_is_missing_is_a_sentence() -> None:
    there = ["n1", "n2", "n3"]
    assert disagreements({"n1": "does not answer (x)"}, (), there) == ("n1: does not answer (x)",)
    assert disagreements({"n1": seen("n1", 1, brokers=(1, 2))}, (), there) == ("n1 does not see n3",)
    assert disagreements({"n1": seen("n1", 1)}, ["t-0"], there) == ("n1 does not know t-0",)
    assert disagreements({"n1": seen("n1", -1)}, [LOG], there) == ("n1: nobody leads acked-0",)
    assert disagreements({"n1": seen("n1", 1, isr=(1,))}, [LOG], there) == ("n1: n2, n3 not in sync for acked-0",)
    assert disagreements({"n1": seen("n1", 1, isr=(1, 2))}, [LOG], ["n1", "n2"]) == ()
    two: Views = {"n1": seen("n1", 1), "n2": seen("n2", 2, epoch=1)}
    assert disagreements(two, [LOG], there) == ("n1: n1 leads acked-0 in epoch 0; n2: n2 leads acked-0 in epoch 1",)


UNCLEAN = (
    "09:46:09.221 [quorum] INFO Manager - [QuorumController id=101] UNCLEAN partition change for acked-0 with topic ID "
    "JYGqjwkdQeqInCnfMrXQNg: isr: [{}] -> [3], leader: {} -> 3, leaderRecoveryState: RECOVERED -> RECOVERING\n"
)


def test_unclean_elections_are_read_out_of_a_controllers_log() -> None:
    said = "electUnclean generated 0 records\n" + UNCLEAN.format("2", "2") + UNCLEAN.format("", "-1")
    assert parse_unclean(said, NAMES) == (
        UncleanElection(log=LOG, leader="n3", in_sync_before=("n2",)),
        UncleanElection(log=LOG, leader="n3", in_sync_before=()),
    )
    assert parse_unclean(said, {})[0].observed() == {"log": LOG, "leader": "3", "in_sync_before": ["2"]}


# -- logs -------------------------------------------------------------------------------------------------------------


def batch(first: int, epoch: int, *values: str | None) -> bytes:
    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=65536)
    for value in values:
        builder.append(timestamp=1, key=None, value=None if value is None else value.encode())
    builder.close()
    raw = bytearray(builder.buffer())
    struct.pack_into(">qii", raw, 0, first, len(raw) - 12, epoch)
    return bytes(raw)


def replica(**files: bytes) -> Any:
    """The replica with these segments, each named by its first offset."""
    folder = f"data/{LOG}"
    there = {f"{folder}/{int(name[1:]):020d}.log": content for name, content in files.items()}
    beside = ["leader-epoch-checkpoint", f"{0:020d}.index", f"{7:020d}.log.deleted"]
    names = "\n".join([*(path.rpartition("/")[2] for path in there), *beside]).encode()
    return read_replica(LOG, lambda path: names if path == folder else there.get(path, b""))


def test_a_replica_is_read_from_its_segments_one_after_the_other() -> None:
    found = replica(s0=batch(0, 0, "a", "b") + batch(2, 1, "c"), s3=batch(3, 1, "d", None))
    assert found.values == ("a", "b", "c", "d", None)
    assert found.epochs == ((0, 0), (2, 1))
    assert found.end == 5
    assert found.observed() == {
        "log": LOG,
        "first": 0,
        "values": ["a", "b", "c", "d", None],
        "epochs": [[0, 0], [2, 1]],
    }


def test_an_absent_log_is_empty_and_a_batch_that_is_being_written_is_left_out() -> None:
    assert replica().values == ()
    assert read_replica(LOG, lambda _: b"").end == 0
    whole = batch(0, 0, "a")
    for cut in range(len(batch(1, 0, "b"))):
        assert replica(s0=whole + batch(1, 0, "b")[:cut]).values == ("a",)


def test_offsets_that_nobody_wrote_are_nothing() -> None:
    assert replica(s0=batch(2, 0, "c")).values == (None, None, "c")


def test_a_log_whose_first_segments_retention_took_begins_with_the_oldest_that_is_left() -> None:
    found = replica(s5=batch(5, 3, "f", "g"), s7=batch(7, 3, "h"))
    assert (found.first, found.values, found.end, found.epochs) == (5, ("f", "g", "h"), 8, ((5, 3),))


def test_what_compaction_left_is_read_over_its_gaps() -> None:
    found = replica(s0=batch(0, 0, "a"), s9=batch(11, 0, "l"))
    assert found.values == ("a", *[None] * 10, "l")


def test_a_marker_of_a_transaction_takes_an_offset_and_is_nobodys_record() -> None:
    marker = bytearray(batch(1, 0, "committed"))
    marker[22] |= 0x20  # The low byte of the attributes: a control batch.
    found = replica(s0=batch(0, 0, "a") + bytes(marker) + batch(2, 0, "c"))
    assert found.values == ("a", None, "c")


def test_values_are_told_as_they_are_empty_or_no_text_or_none() -> None:
    raw = bytearray(batch(0, 0, "a", "", None, "?"))
    raw[raw.index(b"?")] = 0xFF
    assert replica(s0=bytes(raw)).values == ("a", "", None, "\\xff")


def test_records_compressed_with_a_codec_that_is_not_there_are_no_empty_log() -> None:
    raw = bytearray(batch(0, 0, "a"))
    raw[22] |= 3
    with pytest.raises(MissingSoftwareError, match=r"what reads lz4, .* pip install 'kafka-python\[lz4\]'"):
        replica(s0=bytes(raw))


# -- bad input --------------------------------------------------------------------------------------------------------

TOPIC: Any = Topic
TOPOLOGY: Any = Topology
FIND_TOPOLOGY: Any = find_topology


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        (lambda: TOPIC(name="a b"), "a topic's name is up to 249 letters, .* not 'a b'"),
        (lambda: TOPIC(name=""), "a topic's name is .* not ''"),
        (lambda: TOPIC(name=".."), "a topic's name is .* not '..'"),
        (lambda: TOPIC(name="x" * 250), "a topic's name is .*"),
        (lambda: TOPIC(partitions="3"), "topic acked: it needs at least one partition, not '3'"),
        (lambda: TOPIC(partitions=True), "topic acked: it needs at least one partition, not True"),
        (lambda: TOPIC(replication=1.5), "topic acked: it needs at least one replica, not 1.5"),
        (
            lambda: TOPIC(settings=[("a", 1)]),
            r"topic acked: settings is a mapping of names to values, not \[\('a', 1\)\]",
        ),
        (
            lambda: TOPIC(settings={"a": None}),
            "topic acked: settings: a is a number, a truth or one line of text, not None",
        ),
        (lambda: TOPIC(settings={"a": "1\nb=2"}), "topic acked: settings: a is .*"),
        (lambda: TOPOLOGY(name="x", brokers="n1"), "topology x: brokers is a tuple of names, not 'n1'"),
        (lambda: TOPOLOGY(name="x", controllers=["q1"]), r"topology x: controllers is a tuple of names, not \['q1'\]"),
        (lambda: TOPOLOGY(name="x", brokers=(1, 2)), r"topology x: brokers is a tuple of names, not \(1, 2\)"),
        (lambda: FIND_TOPOLOGY(["n1"]), "no Kafka topology is called .*"),
        (
            lambda: parse_properties("a=1,\\\n2"),
            r"line 1 of the properties goes on in the next one, which is not read: .*",
        ),
    ],
)
def test_each_mistake_is_one_sentence_at_once(act: Any, answer: str) -> None:
    with pytest.raises(UsageError) as refused:
        act()
    assert re.fullmatch(answer, str(refused.value))


# -- last words -------------------------------------------------------------------------------------------------------


def test_a_nodes_last_words_are_its_error_with_the_exception_below_it() -> None:
    log = (
        "10:00:00.000 [main] INFO kafka.Kafka - starting\n"
        "10:00:00.100 [main] ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception\n"
        "java.lang.IllegalArgumentException: requirement failed\n"
        "\tat kafka.Kafka.main(Kafka.scala)\n"
        "Caused by: org.apache.kafka.common.config.ConfigException: Invalid value x for num.io.threads\n"
        "10:00:00.200 [main] INFO kafka.Kafka - bye\n"
    )
    assert last_words(log.encode()) == (
        "Exiting Kafka due to fatal exception: org.apache.kafka.common.config.ConfigException: "
        "Invalid value x for num.io.threads"
    )


def test_without_an_error_they_are_the_exception_or_the_last_line() -> None:
    assert last_words(b"") == "it said nothing"
    assert (
        last_words(b"one\nInvalid maximum heap size: -Xmx1\nError: Could not create the machine.\n")
        == "Invalid maximum heap size: -Xmx1"
    )
    assert last_words(b'Exception in thread "main" java.lang.Error: x\n\tat y\n') == "java.lang.Error: x"
    assert last_words(b"10:00 [main] ERROR a - no room\nmore\n") == "no room"
