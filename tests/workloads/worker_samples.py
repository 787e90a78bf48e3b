"""
Workloads that need no server, for the tests of the worker process.
"""

import threading
from collections.abc import Sequence

from kafka.producer.sender import Sender

from chaos.workloads.kafka_records import record_writer
from chaos.workloads.outcomes import Refused, Rule, Uncertain
from chaos.workloads.worker import Worker

TABLE = (Rule(ConnectionRefusedError, "fail"), Rule(TimeoutError, "info"))


def count(worker: Worker, *, pace_s: float = 0.001) -> None:
    """Operations that all succeed, until asked to stop."""
    number = 0
    while worker.keep_going(pace_s):
        number += 1
        value = number
        worker.operation("add", f"{worker.client}:{value}", lambda: 1, TABLE)


def learn(worker: Worker) -> None:
    """One operation of each outcome."""

    def raising(problem: Exception) -> None:
        raise problem

    notes = {"address": "before"}

    def answer() -> int:
        notes["address"] = "after"
        return worker.random.randrange(1_000_000)

    worker.operation("ask", 1, answer, TABLE, notes)
    worker.operation("ask", 2, lambda: raising(ConnectionRefusedError("nobody")), TABLE)
    worker.operation("ask", 3, lambda: raising(TimeoutError("no answer")), TABLE)
    worker.operation("ask", 4, lambda: raising(Refused("held by c2", result="c2")), TABLE)
    worker.operation("ask", 5, lambda: raising(Uncertain("1 of 2 replicas")), TABLE)
    worker.observe("lease", {"ttl_ms": 300})


def surprise(worker: Worker) -> None:
    """An exception that the outcome table does not name."""

    def divide() -> float:
        return 1 / 0

    worker.operation("ask", 1, divide, TABLE)


def stumble(worker: Worker) -> None:
    """A mistake in the workload itself."""
    raise KeyError("no such argument")


def pause(worker: Worker) -> None:
    """Two rounds over a named point."""
    for number in (1, 2):
        worker.point("between check and write")
        worker.operation("write", number, lambda: None, TABLE)


def stuck(worker: Worker, *, bootstrap: Sequence[str], topic: str) -> None:
    """kafka-python's ``record_writer``, whose first producer's network thread stands still for good after a while."""
    turns = 0
    run_once = Sender.run_once

    def some_turns(sender: Sender) -> None:
        nonlocal turns
        turns += 1
        if turns == 100:
            threading.Event().wait()
        run_once(sender)

    Sender.run_once = some_turns
    record_writer(
        worker, bootstrap=bootstrap, topic=topic, config={"delivery_timeout_ms": 300, "request_timeout_ms": 200}
    )
