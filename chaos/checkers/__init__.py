"""
Judges of histories: was there an order of all operations, each within its interval, that the type allows?

==================  ===================================================================================  =============
model               operations: ``value`` -> ``result``                                                  initial value
==================  ===================================================================================  =============
register,           ``read`` -> the value; ``write`` v; ``cas`` [expected, new]                          None: unset
cas-register
versioned-register  ``read`` -> [version, value]; ``write`` [None, v] -> [version, v];                   None, at
                    ``cas`` [None, [expected, new]] -> [version, [expected, new]]; None says nothing     version 0
mutex               ``acquire``, ``release``: any; who holds it is not recorded                          free (true:
                                                                                                         held)
lease               ``acquire`` -> the token, or {token, expires_ns}, or both in ``notes``; ``release``  free
semaphore           ``acquire`` n, ``release`` n (None: 1)                                               permits: 1
set                 ``add`` v, ``remove`` v, ``contains`` v -> bool, ``read`` -> list                    empty
queue               ``enqueue`` v, ``dequeue`` -> v (None: it was empty), ``drain`` -> list              empty
unordered-queue     the same, without order                                                              empty
total-queue,        ``enqueue`` v, ``dequeue`` -> v, ``drain`` -> list; how often, not when              empty
at-least-once-,
at-most-once-,
exactly-once-queue
pairwise-queue      the same; order from each producer to each consumer
redelivery-queue    ``enqueue`` v, ``dequeue`` -> v, ``ack`` v, ``nack`` v, ``disconnect``
counter             ``add`` n, ``read`` -> n                                                             0
text                ``get`` -> the text; ``put`` v; ``append`` v                                         ""
append-log          ``send`` [k, v] -> [k, [offset, v]]; ``poll`` -> {k: [[offset, v], ...]};            empty
                    ``assign``, ``subscribe``, ``crash``: its client may read on anywhere; or Jepsen's
                    lists of [send, k, v] and [poll, {...}], also as ``txn``
session             as versioned-register, split by key                                                  version 0
list-append         ``txn`` [[append, k, v], [r, k, None], ...] -> the same with lists read              empty
==================  ===================================================================================  =============

Under ``by_key`` every value is ``[k, v]`` (a result too, or bare) and each key is an object of its own. ``info`` may have
happened, now or later; ``fail`` did not happen. Equal stamps count as concurrent; a history without times carries the
number of its line instead.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chaos.checkers.beginnings import check_initial
from chaos.checkers.budget import Budget
from chaos.checkers.calls import Call, FailedCas, calls, frozen, modelled
from chaos.checkers.catalogue import CHECKERS
from chaos.checkers.checker import Checker
from chaos.checkers.linearizing import linearized
from chaos.checkers.parts import judged
from chaos.checkers.searched import judge
from chaos.errors import UsageError
from chaos.history import Operation
from chaos.history.records import empty
from chaos.models import Model
from chaos.verdict import Verdict


def check(
    operations: Sequence[Operation],
    model: str | Model,
    *,
    initial: object = None,
    by_key: bool = False,
    budget_s: float = 60.0,
    failed_cas: FailedCas = "dropped",
    names: Mapping[str, str] = empty(),
    shrink: bool = True,
) -> Verdict:
    """
    Judge a history by the rules of a type, or by a model of one's own.

    :param initial: the value before the first operation; None is the type's own: unset, empty, 0, free.
    :param by_key: values are pairs of key and value, and each key is an object of its own.
    :param budget_s: seconds after which the verdict is unknown.
    :param failed_cas: whether a failed cas also says that the comparison failed at some point of its interval.
    :param shrink: spend up to two seconds more on the fewest operations that prove a violation.
    :param names: foreign kinds of operations, and what the type calls them.
    """
    if not budget_s > 0 or math.isinf(budget_s):
        raise UsageError(f"a budget is a positive number of seconds, not {budget_s!r}")
    budget = Budget(budget_s, shrink=shrink)
    if isinstance(model, Model):
        parts = modelled(operations, model, names=names)
        verdict = judged(parts, lambda part: judge(part, model, budget), model.name, budget)
        return _measured(verdict, model.name, parts, budget)
    if model not in CHECKERS:
        raise UsageError(f"there is no model {model!r}, only {', '.join(CHECKERS)}")
    checker, start = CHECKERS[model], frozen(initial)
    check_initial(model, initial)
    parts = calls(operations, checker, names=names, failed_cas=failed_cas, by_key=by_key)
    verdict = judged(parts or {None: []}, lambda part: checker.judge(part, start, budget), model, budget)
    return _measured(verdict, model, parts, budget)


def _measured(verdict: Verdict, name: str, parts: Mapping[Any, Sequence[Call]], budget: Budget) -> Verdict:
    measures = {
        "operations_count": sum(map(len, parts.values())),
        "keys_count": len(parts),
        "configurations_count": budget.spent,
        "spent_s": budget.spent_s,
    }
    return replace(verdict, guarantee=name, measures={**verdict.measures, **measures})


__all__ = ["CHECKERS", "Checker", "check", "linearized"]
