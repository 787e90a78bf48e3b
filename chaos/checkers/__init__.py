"""
Judges of histories: was there an order of all operations, each within its interval, that the type allows?
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from chaos.checkers.appends import judge_appends
from chaos.checkers.budget import Budget
from chaos.checkers.calls import FailedCas, Says, calls, frozen
from chaos.checkers.checker import Checker
from chaos.checkers.counting import judge_counter
from chaos.checkers.parts import judged
from chaos.checkers.queues import judge_queue
from chaos.checkers.registers import judge_mutex, judge_register
from chaos.checkers.searched import by_search
from chaos.checkers.sets import judge_set
from chaos.errors import UsageError
from chaos.history import Operation
from chaos.history.records import empty
from chaos.models import semaphore, versioned_register
from chaos.verdict import Verdict

_REGISTER = {"read": Says.RESULT, "write": Says.VALUE, "cas": Says.VALUE}
_LOCK = {"acquire": Says.VALUE, "release": Says.VALUE}
_BARE = {"acquire": Says.NOTHING, "release": Says.NOTHING}
_VERSIONED = {"read": Says.RESULT, "write": Says.BOTH, "cas": Says.BOTH}
_SET = {"add": Says.VALUE, "remove": Says.VALUE, "contains": Says.BOTH, "read": Says.RESULT}
_QUEUE = {"enqueue": Says.VALUE, "dequeue": Says.RESULT, "drain": Says.RESULT}
_COUNTER = {"add": Says.VALUE, "read": Says.RESULT}

CHECKERS: dict[str, Checker] = {
    "register": Checker(name="register", judges="linearizable", judge=judge_register, kinds=_REGISTER),
    "cas-register": Checker(name="cas-register", judges="linearizable", judge=judge_register, kinds=_REGISTER),
    "versioned-register": Checker(
        name="versioned-register", judges="linearizable", judge=by_search(versioned_register), kinds=_VERSIONED
    ),
    "mutex": Checker(name="mutex", judges="linearizable", judge=judge_mutex, kinds=_BARE),
    "semaphore": Checker(name="semaphore", judges="linearizable", judge=by_search(semaphore), kinds=_LOCK),
    "set": Checker(name="set", judges="linearizable", judge=judge_set, kinds=_SET),
    "queue": Checker(name="queue", judges="linearizable", judge=judge_queue, kinds=_QUEUE),
    "counter": Checker(name="counter", judges="linearizable", judge=judge_counter, kinds=_COUNTER),
    "list-append": Checker(
        name="list-append",
        judges="strictly serializable, as far as reads reveal it",
        judge=judge_appends,
        kinds={"txn": Says.BOTH},
        aborted=True,
    ),
}
"""Every checker under the name of its type."""


def check(
    operations: Sequence[Operation],
    model: str,
    *,
    initial: object = None,
    by_key: bool = False,
    budget_s: float = 60.0,
    failed_cas: FailedCas = "dropped",
    names: Mapping[str, str] = empty(),
) -> Verdict:
    """
    Judge a history by the rules of a type.

    :param initial: the value before the first operation; None is the type's own: unset, empty, 0, free.
    :param by_key: values are pairs of key and value, and each key is an object of its own.
    :param budget_s: seconds after which the verdict is unknown.
    :param failed_cas: whether a failed cas also says that the comparison failed at some point of its interval.
    :param names: foreign kinds of operations, and what the type calls them.
    """
    if model not in CHECKERS:
        raise UsageError(f"there is no model {model!r}, only {', '.join(CHECKERS)}")
    if not budget_s > 0 or math.isinf(budget_s):
        raise UsageError(f"a budget is a positive number of seconds, not {budget_s!r}")
    checker, budget = CHECKERS[model], Budget(budget_s)
    found = calls(
        operations,
        checker.kinds,
        names=names,
        failed_cas=failed_cas,
        by_key=by_key,
        aborted=checker.aborted,
    )
    parts = found or {None: []}
    verdict = judged(parts, lambda part: checker.judge(part, frozen(initial), budget), model, budget)
    measures = {
        "operations_count": sum(map(len, parts.values())),
        "keys_count": len(parts),
        "configurations_count": budget.spent,
        "spent_s": budget.spent_s,
    }
    return replace(verdict, guarantee=model, measures={**verdict.measures, **measures})


__all__ = ["CHECKERS", "Checker", "check"]
