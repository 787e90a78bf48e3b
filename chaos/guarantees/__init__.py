"""
Named promises, one file each. A guarantee is a value; calling it judges a history.

Their common language is how operations are recorded. Values are JSON; a refused operation ends ``fail``, one whose fate
nobody knows ``info``.

==============  =======================  ===================================  ==========================================
operation       ``value``                ``result`` (ok)                      ``notes``
==============  =======================  ===================================  ==========================================
``add``         a value, never used      any; of a log the offset (int), or   ``address``: who acknowledged it; ``log``:
                twice                    null if nobody said it               which log it went to
``poll``        [log, offset asked       [[offset, value], ...]               ``log``; ``position``: the next offset
                from]
``incr``        any; adds 1              any
``final-read``  any                      what is left: a list of values, of
                                         a log in its order, repeats and all;
                                         or a number; the last read counts
``acquire``     the lock's name          the fencing token, or null           ``term``: names this acquisition among the
                                                                              client's; ``expires_ns``: held until then,
                                                                              on the history's clock; ``token``
``renew``       the lock's name          true; false, 0, null: it is gone     ``expires_ns``; ``lease``: its id, as in
                                                                              ``acquire``, ``check``, ``release``
``check``       the lock's name          true; false, 0, null: it is gone     ``expires_ns``
``release``     the lock's name          true or 1 if it deleted something    ``deleted``: the same, if result says else;
                                                                              ``sent``: false if it never left the client
``write``       what is written to the   the store's own sequence number, if  ``holder`` and ``term``: whose turn it was
                guarded resource         it has one: the true order           (or ``token``); ``token``; ``resource``
``read``        [key, null]              [version, value] of that register    ``revision`` of the answering store
``write``       [key, [null, value]]     [version, value] that it made        ``revision`` that it made
``cas``         [key, [null, [old,       [version, [old, new]]                ``revision`` that it made
                new]]]
==============  =======================  ===================================  ==========================================

A replica's log, as its own disk shows it, is an observation of the kind ``replica-log``: ``{"log": "acked-0", "first": 0,
"values": ["c1:1", null, ...], "epochs": [[0, 0], [207, 1]]}``: the value at offset ``first`` + i (null: nothing there, or no
value), and from which offset on which leader epoch. ``probe-error`` is what a party failed to answer with, null when it
answers.

A ``poll`` asks from where its client wants to read on; null if only its library knows. Asking from elsewhere than where the
last poll ended is moving by itself. What a library skips or shows again, it does between what was asked and what came.

An acquisition that found the lock taken ends ``fail``; asking again is a new operation. Final reads are usually the
observer's, over the management plane, after the system has settled.

No guarantee holds on too little evidence: it is unknown without an acknowledged operation, without a final read where
one is needed, when the situation that it is about never arose, and when the history has a fault that no operation met.
"""

from collections.abc import Callable, Mapping

from chaos.guarantees.acked_records_survive import acked_records_survive
from chaos.guarantees.acked_writes_survive import acked_writes_survive, acked_writes_survive_for
from chaos.guarantees.acks_stop import acks_stop_within
from chaos.guarantees.counts_match import counts_match
from chaos.guarantees.election import election_within
from chaos.guarantees.exclusive_writes import exclusive_writes
from chaos.guarantees.fenced_writes import fenced_writes
from chaos.guarantees.fresh_reads import fresh_reads, fresh_reads_within
from chaos.guarantees.gapless_polls import gapless_polls
from chaos.guarantees.guarantee import FINAL_READ, Check, Guarantee, among, of_client, of_kind
from chaos.guarantees.leader_is_kept import leader_is_kept
from chaos.guarantees.lease_kept import lease_kept
from chaos.guarantees.linearizable import linearizable
from chaos.guarantees.lock_is_freed import lock_is_freed, lock_is_freed_within
from chaos.guarantees.lock_is_kept import lock_is_kept
from chaos.guarantees.lock_is_never_lost import lock_is_never_lost
from chaos.guarantees.log_agrees import log_agrees
from chaos.guarantees.loss_ends import loss_ends_within
from chaos.guarantees.loss_is_predicted import loss_is_predicted
from chaos.guarantees.monotonic_reads import monotonic_reads
from chaos.guarantees.monotonic_tokens import monotonic_tokens
from chaos.guarantees.mutual_exclusion import mutual_exclusion
from chaos.guarantees.no_duplicates import no_duplicates
from chaos.guarantees.no_phantom_writes import no_phantom_writes
from chaos.guarantees.only_owner_releases import only_owner_releases
from chaos.guarantees.order_per_producer import order_per_producer
from chaos.guarantees.polled_once import polled_once
from chaos.guarantees.read_your_writes import read_your_writes
from chaos.guarantees.recovers import recovers, recovers_within

GUARANTEES: Mapping[str, Guarantee] = {
    "acked_writes_survive": acked_writes_survive,
    "no_phantom_writes": no_phantom_writes,
    "no_duplicates": no_duplicates,
    "order_per_producer": order_per_producer,
    "acked_records_survive": acked_records_survive,
    "loss_is_predicted": loss_is_predicted,
    "log_agrees": log_agrees,
    "gapless_polls": gapless_polls,
    "polled_once": polled_once,
    "counts_match": counts_match,
    "mutual_exclusion": mutual_exclusion,
    "exclusive_writes": exclusive_writes,
    "fenced_writes": fenced_writes,
    "monotonic_tokens": monotonic_tokens,
    "only_owner_releases": only_owner_releases,
    "lock_is_kept": lock_is_kept,
    "lock_is_freed": lock_is_freed,
    "lock_is_never_lost": lock_is_never_lost,
    "lease_kept": lease_kept,
    "linearizable": linearizable,
    "fresh_reads": fresh_reads,
    "read_your_writes": read_your_writes,
    "monotonic_reads": monotonic_reads,
    "leader_is_kept": leader_is_kept,
    "recovers": recovers,
}
"""Every guarantee under its name."""

BOUNDED: Mapping[str, Callable[[float], Guarantee]] = {
    "acks_stop": acks_stop_within,
    "election": election_within,
    "lock_is_freed": lock_is_freed_within,
    "loss_ends": loss_ends_within,
    "recovers": recovers_within,
    "fresh_reads": fresh_reads_within,
}
"""Those that take a bound in seconds."""

__all__ = [
    "BOUNDED",
    "FINAL_READ",
    "GUARANTEES",
    "Check",
    "Guarantee",
    "acked_records_survive",
    "acked_writes_survive",
    "acked_writes_survive_for",
    "acks_stop_within",
    "among",
    "counts_match",
    "election_within",
    "exclusive_writes",
    "fenced_writes",
    "fresh_reads",
    "fresh_reads_within",
    "gapless_polls",
    "leader_is_kept",
    "lease_kept",
    "linearizable",
    "lock_is_freed",
    "lock_is_freed_within",
    "lock_is_kept",
    "lock_is_never_lost",
    "log_agrees",
    "loss_ends_within",
    "loss_is_predicted",
    "monotonic_reads",
    "monotonic_tokens",
    "mutual_exclusion",
    "no_duplicates",
    "no_phantom_writes",
    "of_client",
    "of_kind",
    "only_owner_releases",
    "order_per_producer",
    "polled_once",
    "read_your_writes",
    "recovers",
    "recovers_within",
]
