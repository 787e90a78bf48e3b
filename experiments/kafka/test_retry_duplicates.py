"""
Retry duplicates: the record was appended, the reply was lost with its connection, and the client library sends it again.

Same topic, same fault, default settings: which client library writes twice? Only an idempotent producer's second attempt is
recognised, by its producer id and sequence number.
"""

from typing import Any

import pytest

from chaos.faults import blackhole
from chaos.guarantees import acked_records_survive, no_duplicates, of_client, recovers
from chaos.run import Launch, Run
from chaos.systems.kafka import TIGHT, MakeKafka
from chaos.systems.kafka.clients import producer
from chaos.wait import monotonic_ns

PATIENCE_S = 30.0
STEADY = 50
UNTOLD_S = 1.0
"""So long a client must have waited for the answer about a record that is in the log: it is lost, and not on its way."""
CLIENTS = {"c1": "kafka-python", "c2": "confluent-kafka", "c3": "aiokafka"}
OPTIONS = {
    "kafka-python": "enable_idempotence",
    "confluent-kafka": "enable.idempotence",
    "aiokafka": "enable_idempotence",
}


def idempotence(on: bool) -> dict[str, dict[str, Any]]:
    """Each library's own setting for it."""
    return {library: {option: on} for library, option in OPTIONS.items()}


def lose_replies(make_kafka: MakeKafka, launch: Launch, config: dict[str, dict[str, Any]]) -> Run:
    """Swallow the leader's replies until each client has a record in the log that it was not told of; then cut."""
    cluster = make_kafka(settings=TIGHT)
    plans = [
        producer(cluster, name, library=library, library_defaults=True, config=config.get(library, {}))
        for name, library in CLIENTS.items()
    ]
    with launch(cluster, plans) as run:
        for client in CLIENTS:
            run.wait_oks("add", STEADY, client=client, within_s=PATIENCE_S)  # Steady state.

        leader = cluster.leader()

        def appended() -> bool:
            there, since = set(cluster.replica_log(leader).values), monotonic_ns() - int(UNTOLD_S * 1e9)
            waiting = (run.live.open_operations(client) for client in CLIENTS)
            return all(any(add.value in there and add.invoked_ns < since for add in adds) for adds in waiting)

        with run.inject(blackhole(CLIENTS, leader, way="back")):  # Fault; its heal closes the connections.
            run.wait_for(appended, within_s=PATIENCE_S, wanted="a record of each client that it was not told of")

        for client in CLIENTS:
            run.wait_oks("add", STEADY, client=client, within_s=PATIENCE_S)  # Recovery.
        run.final_read(cluster.final_read)
    return run


@pytest.mark.lesson("three outcomes")
def test_who_writes_twice_by_default(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    With default settings confluent-kafka and aiokafka write a record twice when its reply is lost; kafka-python does not.
    """
    run = lose_replies(make_kafka, launch, {})
    run.expect(
        violated=[of_client(no_duplicates, "c2"), of_client(no_duplicates, "c3")],
        holds=[of_client(no_duplicates, "c1"), acked_records_survive, recovers],
    )


@pytest.mark.lesson("three outcomes")
def test_an_idempotent_producer_writes_once(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    With idempotence on, a record whose reply was lost is sent again and appended once, whichever the client library.
    """
    run = lose_replies(make_kafka, launch, idempotence(True))
    run.expect(holds=[*(of_client(no_duplicates, client) for client in CLIENTS), acked_records_survive, recovers])


@pytest.mark.full
@pytest.mark.lesson("three outcomes")
def test_without_idempotence_every_library_writes_twice(make_kafka: MakeKafka, launch: Launch) -> None:
    """
    With idempotence off, a record whose reply was lost is sent again and appended twice, whichever the client library.
    """
    run = lose_replies(make_kafka, launch, idempotence(False))
    run.expect(
        violated=[of_client(no_duplicates, client) for client in CLIENTS], holds=[acked_records_survive, recovers]
    )
