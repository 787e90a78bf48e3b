"""
Isolated leader: the same script that costs Redis thousands of acknowledged writes (experiments/redis/test_split_brain.py).

The leader is cut off together with a client that goes on asking it. A majority elects another. The old leader cannot get
anything committed, so it acknowledges nothing; what its client was never answered may be there afterwards or not.
"""

from typing import Any

import pytest

from chaos.faults import Mode
from chaos.guarantees import (
    acked_writes_survive,
    acks_stop_within,
    election_within,
    no_phantom_writes,
    of_client,
    recovers,
)
from chaos.run import Launch
from chaos.scripts.isolated_leader import isolate_leader_with
from chaos.systems.etcd import MakeEtcd
from chaos.systems.etcd.clients import pinned

UNANSWERED = 3
"""So many requests of the isolated client must have run into their timeout of a second."""
MODES: list[Any] = ["drop", "reject", *(pytest.param(mode, marks=pytest.mark.full) for mode in ("stall", "cut"))]


@pytest.mark.lesson("split brain")
@pytest.mark.parametrize("mode", MODES)
def test_an_isolated_leader_acknowledges_nothing_and_loses_nothing(
    make_etcd: MakeEtcd, launch: Launch, mode: Mode
) -> None:
    """
    A leader that is cut off from the majority acknowledges no write, and what it acknowledged before is all there.
    """
    cluster = make_etcd()
    inside = pinned(cluster, "c1", "etcd-set", node=cluster.leader())
    outside = pinned(cluster, "c2", "etcd-set", node=cluster.replicas()[0])

    with launch(cluster, inside, outside) as run:

        def unanswered() -> bool:
            return run.live.count("add", "c1", "info", run.live.faults[-1].begun_ns) >= UNANSWERED

        isolate_leader_with(run, cluster, inside="c1", outside="c2", mode=mode, until=unanswered)
        run.wait_for(cluster.agreed, within_s=60)
        run.final_read(lambda: cluster.final_read("acked"))

    run.expect(
        holds=[
            of_client(acks_stop_within(0.0), "c1"),
            acked_writes_survive,
            no_phantom_writes,
            election_within(3.0),
            of_client(recovers, "c1"),
            of_client(recovers, "c2"),
        ]
    )
