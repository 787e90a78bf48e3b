"""
Runs outside pytest, for tables that compare many: a lab, a cluster, clients, and a history at the end.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaos.cluster import Cluster
from chaos.history import History
from chaos.providers import choose
from chaos.providers.contract import Lab
from chaos.run import Run
from chaos.workloads.plan import ClientPlan

Begin = Callable[[Sequence[Cluster], Sequence[ClientPlan]], Run]


@contextmanager
def lab() -> Iterator[tuple[Lab, Path]]:
    """A lab of this machine, and the folder that its runs may keep their files in."""
    provider, _ = choose()
    with tempfile.TemporaryDirectory(prefix="chaos-rounds-") as folder:
        opened = provider.open(keep_at=f"{folder}/parties", warm=("chaos.workloads.worker",))
        try:
            yield opened, Path(folder)
        finally:
            opened.close()


@contextmanager
def run(
    where: tuple[Lab, Path], clusters: Sequence[Cluster], plans: Sequence[ClientPlan], *, name: str, seed: int
) -> Iterator[Run]:
    """A run as an experiment has it; its history is final afterwards."""
    begun = Run(where[0], clusters, name=name, seed=seed, files=where[1])
    try:
        begun.begin()
        begun.start(*plans)
        yield begun
        begun.finish()
    except BaseException as problem:
        begun.abandon(problem)
        raise


def history_of(finished: Run) -> History:
    """The history of a run that is over."""
    assert finished.history is not None
    return finished.history


def tell(words: str) -> None:
    """How far it is, for a person who waits."""
    print(f"\r{words:100}", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
