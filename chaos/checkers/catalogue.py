"""
Every checker, one line of names each, with the shapes of values that it accepts.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any

from chaos.checkers.appends import judge_appends
from chaos.checkers.calls import NEVER, Call, Says
from chaos.checkers.checker import Checker
from chaos.checkers.counting import judge_counter
from chaos.checkers.deliveries import Finder, delivering, duplicated, judge_pairwise, lost, unexpected
from chaos.checkers.leases import judge_lease
from chaos.checkers.logs import judge_log
from chaos.checkers.permits import judge_semaphore
from chaos.checkers.queues import judge_bag, judge_queue
from chaos.checkers.redelivery import judge_redelivery
from chaos.checkers.registers import judge_mutex, judge_register
from chaos.checkers.searched import by_search
from chaos.checkers.sessions import judge_session
from chaos.checkers.sets import judge_set
from chaos.models import text, versioned_register

LINEARIZABLE = "one order of all operations, each within its interval, explains every result"


def _pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _number(value: Any) -> bool:
    return isinstance(value, Real)


def _of_register(call: Call) -> str | None:
    return "a cas needs [expected, new]" if call.f.startswith("cas") and not _pair(call.value) else None


def _of_versions(call: Call) -> str | None:
    if call.f == "read":
        fine = call.end == NEVER or (_pair(call.result) and _version(call.result[0]))
    else:
        said = call.value if call.result in (None, ()) or call.end == NEVER else call.result
        fine = _pair(said) and _version(said[0]) and (call.f == "write" or _pair(said[1]))
    return (
        None
        if fine
        else "a value is [version, value], and of a cas [version, [expected, new]]; with a key before it, judge by key"
    )


def _version(value: Any) -> bool:
    return value is None or isinstance(value, int)


def _of_semaphore(call: Call) -> str | None:
    fine = call.value is None or (isinstance(call.value, int) and call.value > 0)
    return None if fine else "the number of permits is positive, or left out for one"


def _of_set(call: Call) -> str | None:
    listed = call.f != "read" or call.end == NEVER or isinstance(call.result, tuple)
    return None if listed else "a read of a set returns a list"


def _of_queue(call: Call) -> str | None:
    if call.f == "enqueue" and call.value is None:
        return "nothing cannot be enqueued: a dequeue of it would look like an empty queue"
    listed = call.f != "drain" or not call.operation.ok or isinstance(call.result, tuple)
    return None if listed else "a drain returns a list"


def _of_counter(call: Call) -> str | None:
    if call.f == "add":
        return None if _number(call.value) else "an amount is a number"
    return None if call.end == NEVER or _number(call.result) else "a read of a counter returns a number"


def _of_text(call: Call) -> str | None:
    said = call.result if call.f == "get" else call.value
    return None if isinstance(said, str) or (call.f == "get" and call.end == NEVER) else "a text is a string"


_REGISTER = {"read": Says.RESULT, "write": Says.VALUE, "cas": Says.VALUE}
_MUTEX = {"acquire": Says.NOTHING, "release": Says.NOTHING}
_PERMITS = {"acquire": Says.VALUE, "release": Says.VALUE}
_VERSIONED = {"read": Says.RESULT, "write": Says.BOTH, "cas": Says.BOTH}
_SET = {"add": Says.VALUE, "remove": Says.VALUE, "contains": Says.BOTH, "read": Says.RESULT}
_QUEUE = {"enqueue": Says.VALUE, "dequeue": Says.RESULT, "drain": Says.RESULT}
_REDELIVERY = {
    "enqueue": Says.VALUE,
    "dequeue": Says.RESULT,
    "ack": Says.VALUE,
    "nack": Says.VALUE,
    "disconnect": Says.NOTHING,
}
_COUNTER = {"add": Says.VALUE, "read": Says.RESULT}
_TEXT = {"get": Says.RESULT, "put": Says.VALUE, "append": Says.VALUE}
_LOG = dict.fromkeys(("send", "poll", "txn", "assign", "subscribe", "crash"), Says.NOTHING)
_SESSION = {"read": Says.RESULT, "write": Says.BOTH, "cas": Says.BOTH}


def _checker(name: str, judge: Any, kinds: Mapping[str, Says], source: str, **more: Any) -> Checker:
    return Checker(name=name, judge=judge, kinds=kinds, source=source, **{"judges": LINEARIZABLE, **more})


def _delivery(name: str, *finders: Finder, judges: str) -> Checker:
    judge = delivering(name, *finders)
    return _checker(name, judge, _QUEUE, "Jepsen, total-queue", judges=judges, shape=_of_queue, aborted=True)


_ALL = (
    _checker("register", judge_register, _REGISTER, "Gibbons and Korach 1997; Lowe 2017", shape=_of_register),
    _checker("cas-register", judge_register, _REGISTER, "Lowe 2017", shape=_of_register),
    _checker(
        "versioned-register", by_search(versioned_register), _VERSIONED, "Jepsen's etcd tests", shape=_of_versions
    ),
    _checker("mutex", judge_mutex, _MUTEX, "knossos, model mutex"),
    _checker(
        "lease",
        judge_lease,
        _MUTEX,
        "Kleppmann 2016, How to do distributed locking",
        judges="nobody else is inside while a lease lasts, and fencing tokens grow",
    ),
    _checker("semaphore", judge_semaphore, _PERMITS, "Jepsen's Hazelcast tests", shape=_of_semaphore),
    _checker("set", judge_set, _SET, "Horn and Kroening 2015", shape=_of_set),
    _checker("queue", judge_queue, _QUEUE, "Henzinger et al. 2013; Bouajjani et al. 2015", shape=_of_queue),
    _checker("unordered-queue", judge_bag, _QUEUE, "Abdulla et al. 2025; knossos, unordered-queue", shape=_of_queue),
    _delivery(
        "total-queue",
        unexpected,
        lost,
        judges="nothing acknowledged is lost, nothing comes from nowhere; duplicates count",
    ),
    _delivery("at-least-once-queue", lost, judges="everything acknowledged is given out"),
    _delivery("at-most-once-queue", unexpected, duplicated, judges="nothing is given out twice or comes from nowhere"),
    _delivery(
        "exactly-once-queue",
        unexpected,
        duplicated,
        lost,
        judges="everything acknowledged is given out once, and nothing comes from nowhere",
    ),
    _checker(
        "pairwise-queue",
        judge_pairwise,
        _QUEUE,
        "AMQP 0-9-1, 4.7; checkers.md 3.4",
        judges="each consumer gets in order what each producer enqueued one after the other",
        shape=_of_queue,
    ),
    _checker(
        "redelivery-queue",
        judge_redelivery,
        _REDELIVERY,
        "AMQP 0-9-1, acknowledgements; checkers.md 3.4",
        judges="an element is given out again only after it was given back or its client lost the connection",
        shape=_of_queue,
    ),
    _checker("counter", judge_counter, _COUNTER, "checkers.md 3.4; Jepsen's counter", shape=_of_counter),
    _checker("text", by_search(text), _TEXT, "the key-value service of MIT 6.824", shape=_of_text),
    _checker(
        "append-log",
        judge_log,
        _LOG,
        "Jepsen's Kafka workload",
        judges="offsets, acknowledgements and polls agree on one log for each key",
        aborted=True,
    ),
    _checker(
        "session",
        judge_session,
        _SESSION,
        "Terry et al. 1994",
        judges="each client reads its writes, reads and writes monotonically, and writes after what it read",
    ),
    _checker(
        "list-append",
        judge_appends,
        {"txn": Says.BOTH},
        "Kingsbury and Alvaro 2020, Elle",
        judges="strictly serializable, as far as reads reveal it",
        aborted=True,
    ),
)

CHECKERS: dict[str, Checker] = {checker.name: checker for checker in _ALL}
"""Every checker under the name of its type."""
