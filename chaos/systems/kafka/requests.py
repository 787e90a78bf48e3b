"""
The few requests of Kafka's protocol that the observer needs, each to one node alone.

Versions are those that every 4.x broker answers. Source: Kafka protocol guide; KIP-595 (quorum), KIP-919 (controllers take
administrative requests), KIP-966 (eligible leader replicas).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafka.errors import for_code
from kafka.protocol.admin.cluster import DescribeQuorumRequest
from kafka.protocol.admin.configs import DescribeConfigsRequest, IncrementalAlterConfigsRequest
from kafka.protocol.admin.topics import CreateTopicsRequest, DescribeTopicPartitionsRequest
from kafka.protocol.consumer.fetch import FetchRequest
from kafka.protocol.consumer.offsets import ListOffsetsRequest
from kafka.protocol.metadata.metadata import MetadataRequest
from kafka.protocol.producer.produce import ProduceRequest
from kafka.record.memory_records import MemoryRecordsBuilder

from chaos.errors import UsageError
from chaos.systems.kafka.batches import batches
from chaos.systems.kafka.config import text
from chaos.systems.kafka.console import Console, NoAnswerError
from chaos.systems.kafka.settings import Setting, Topic
from chaos.systems.kafka.views import BrokerView, parse_metadata

CONSUMER, DEBUGGER = -1, -2
LATEST, EARLIEST = -1, -2
TOPIC_RESOURCE, BROKER_RESOURCE = 2, 4
SET, UNTYPED = 0, 0
METADATA_LOG = "__cluster_metadata"
MOST_BYTES = 1 << 26
ADMIN_S, GRACE_S = 10.0, 2.0
"""What changes something, or is asked of a broker that has just started, may take longer than a look."""
EXISTS, NOT_ACTIVE = "TopicAlreadyExistsError", "NotControllerError"


class RefusedError(NoAnswerError):
    """The node answered, and refused the question."""


class NotActiveError(RefusedError):
    """This controller is not the active one any more; what it was asked may be done nevertheless."""


class TopicExistsError(UsageError):
    """A topic of that name is there."""


def view(console: Console, topics: Iterable[str], names: Mapping[int, str]) -> BrokerView:
    """What a broker knows of the brokers and of these topics."""
    asked = [MetadataRequest.MetadataRequestTopic(name=topic) for topic in topics]
    return parse_metadata(
        console.party, console.ask(MetadataRequest(topics=asked, allow_auto_topic_creation=False, version=9)), names
    )


def log_end(console: Console, log: str) -> int:
    """The log end offset of the replica that this broker has, leader or not."""
    return _offset(console, log, DEBUGGER)


def high_watermark(console: Console, log: str) -> int:
    """Up to where consumers may read, as the leader says; another broker answers with an error."""
    return _offset(console, log, CONSUMER)


def log_start(console: Console, log: str) -> int:
    """The first offset that consumers may ask for: what was before it was deleted."""
    return _offset(console, log, CONSUMER, EARLIEST)


def _offset(console: Console, log: str, replica: int, timestamp: int = LATEST) -> int:
    topic, partition = parted(log)
    wanted = ListOffsetsRequest.ListOffsetsTopic.ListOffsetsPartition(
        partition_index=partition, current_leader_epoch=-1, timestamp=timestamp
    )
    topics = [ListOffsetsRequest.ListOffsetsTopic(name=topic, partitions=[wanted])]
    said = console.ask(ListOffsetsRequest(replica_id=replica, isolation_level=0, topics=topics, version=5))
    answer = said.topics[0].partitions[0]
    _refuse(answer.error_code, f"no offset of {log}")
    return int(answer.offset)


def eligible(console: Console, topic: str, names: Mapping[int, str]) -> tuple[str, ...]:
    """The eligible leader replicas of a topic's first partition, besides those in sync."""
    asked = [DescribeTopicPartitionsRequest.TopicRequest(name=topic)]
    said = console.ask(
        DescribeTopicPartitionsRequest(topics=asked, response_partition_limit=100, cursor=None, version=0)
    )
    _refuse(said.topics[0].error_code, f"no partitions of {topic}")
    found = said.topics[0].partitions[0].eligible_leader_replicas or ()
    return tuple(sorted(names.get(one, str(one)) for one in found))


def quorum(console: Console) -> tuple[int, int] | None:
    """The active controller's id and its epoch, from that controller itself; None of a controller that is not active."""
    partition = DescribeQuorumRequest.TopicData.PartitionData(partition_index=0)
    topics = [DescribeQuorumRequest.TopicData(topic_name=METADATA_LOG, partitions=[partition])]
    said = console.ask(DescribeQuorumRequest(topics=topics, version=0))
    answer = said.topics[0].partitions[0] if not said.error_code else None
    if answer is None or answer.error_code:
        return None
    return int(answer.leader_id), int(answer.leader_epoch)


def create_topic(controller: Console, topic: Topic, replication: int) -> None:
    """Make a topic, asked of the active controller itself."""
    settings = [
        CreateTopicsRequest.CreatableTopic.CreatableTopicConfig(name=name, value=text(value))
        for name, value in topic.settings.items()
    ]
    made = CreateTopicsRequest.CreatableTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=replication,
        assignments=[],
        configs=settings,
    )
    said = controller.ask(
        CreateTopicsRequest(topics=[made], timeout_ms=int(ADMIN_S * 1000), validate_only=False, version=5),
        within_s=ADMIN_S + GRACE_S,
    )
    answer = said.topics[0]
    if answer.error_code:
        kind = for_code(answer.error_code).__name__
        if kind == EXISTS:
            raise TopicExistsError(
                f"topic {topic.name} is there already, maybe with other settings; alter_topic() changes those"
            )
        _refuse_idle(controller, kind, answer.error_message)
        raise UsageError(f"topic {topic.name} was not made: {kind}: {answer.error_message}")


def alter_topic(controller: Console, topic: str, settings: Mapping[str, Setting]) -> None:
    """Change a topic's own settings, asked of the active controller itself."""
    changes = [
        IncrementalAlterConfigsRequest.AlterConfigsResource.AlterableConfig(
            name=name, config_operation=SET, value=text(value)
        )
        for name, value in settings.items()
    ]
    resource = IncrementalAlterConfigsRequest.AlterConfigsResource(
        resource_type=TOPIC_RESOURCE, resource_name=topic, configs=changes
    )
    said = controller.ask(
        IncrementalAlterConfigsRequest(resources=[resource], validate_only=False, version=1), within_s=ADMIN_S
    )
    answer = said.responses[0]
    if answer.error_code:
        _refuse_idle(controller, for_code(answer.error_code).__name__, answer.error_message)
        raise UsageError(f"topic {topic} was not altered: {answer.error_message}")


def _refuse_idle(controller: Console, kind: str, said: object) -> None:
    if kind == NOT_ACTIVE:
        raise NotActiveError(f"{controller.party} says: {said}")


def unknown_settings(broker: Console, number: int, names: Iterable[str]) -> tuple[str, ...]:
    """Which of these lines of ``server.properties`` Kafka knows nothing of: it keeps them, without a type, and says nothing."""
    resource = DescribeConfigsRequest.DescribeConfigsResource(
        resource_type=BROKER_RESOURCE, resource_name=str(number), configuration_keys=list(names)
    )
    said = broker.ask(
        DescribeConfigsRequest(resources=[resource], include_documentation=False, version=3), within_s=ADMIN_S
    )
    answer = said.results[0]
    _refuse(answer.error_code, "no settings")
    return tuple(sorted(one.name for one in answer.configs if one.config_type == UNTYPED))


def produce(console: Console, log: str, value: str, *, within_ms: int) -> int:
    """Append one record with acks=all, and return its offset; the broker must lead the log."""
    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=16384)
    builder.append(timestamp=None, key=None, value=value.encode())
    builder.close()
    topic, number = parted(log)
    partition = ProduceRequest.TopicProduceData.PartitionProduceData(index=number, records=builder.buffer())
    data = [ProduceRequest.TopicProduceData(name=topic, partition_data=[partition])]
    said = console.ask(
        ProduceRequest(transactional_id=None, acks=-1, timeout_ms=within_ms, topic_data=data, version=7),
        within_s=within_ms / 1000 + GRACE_S,
    )
    answer = said.responses[0].partition_responses[0]
    _refuse(answer.error_code, f"{value!r} was not appended to {log}")
    return int(answer.base_offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """
    What a leader showed a consumer.

    :param records: as (offset, value).
    :param position: where to read on; beyond the last record where markers or gaps follow it.
    """

    records: list[tuple[int, str | None]]
    position: int
    high_watermark: int


def consume(console: Console, log: str, offset: int) -> Consumed:
    """What the leader shows consumers from an offset on."""
    topic, number = parted(log)
    partition = FetchRequest.FetchTopic.FetchPartition(
        partition=number,
        current_leader_epoch=-1,
        fetch_offset=offset,
        log_start_offset=-1,
        partition_max_bytes=MOST_BYTES,
    )
    topics = [FetchRequest.FetchTopic(topic=topic, partitions=[partition])]
    said = console.ask(
        FetchRequest(
            replica_id=CONSUMER,
            max_wait_ms=0,
            min_bytes=0,
            max_bytes=MOST_BYTES,
            isolation_level=0,
            session_id=0,
            session_epoch=-1,
            topics=topics,
            forgotten_topics_data=[],
            rack_id="",
            version=11,
        )
    )
    _refuse(said.error_code, f"nothing was read from {log}")
    answer = said.responses[0].partitions[0]
    _refuse(answer.error_code, f"nothing was read from {log}")
    found = list(batches(bytes(answer.records or b"")))
    return Consumed(
        records=[record for batch in found for record in batch.records if record[0] >= offset],
        position=max(offset, found[-1].end if found else offset),
        high_watermark=int(answer.high_watermark),
    )


def parted(log: str) -> tuple[str, int]:
    """A log's topic and partition."""
    topic, _, number = log.rpartition("-")
    if not topic or not number.isdigit():
        raise UsageError(f"a log is named topic-partition, such as acked-0, not {log!r}")
    return topic, int(number)


def _refuse(code: int, what: str) -> None:
    if code:
        raise RefusedError(f"{what}: {for_code(code).__name__}")
