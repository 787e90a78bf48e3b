"""
The script of a lock whose holder sleeps past its lease, the same for every lock: it wakes up and goes on where it was.
"""

from collections.abc import Callable

from chaos.faults import Pause
from chaos.run import Run
from chaos.workloads.plan import ClientPlan

PATIENCE_S = 30.0


def sleep_past_the_lease(run: Run, other: ClientPlan, *, sleeper: str, at: str, learns: bool = False) -> None:
    """
    Pause the holder at a named point until another client has worked inside, then let it go on.

    :param other: the client that is started while the holder sleeps.
    :param at: the point at which the holder stands; it is one of those at which its plan holds it.
    :param learns: wait until the sleeper was told, by the lock or by the resource, that its turn is over.
    """
    run.wait_point(sleeper, at, within_s=PATIENCE_S)  # Steady state: it is inside.

    with run.inject(Pause(sleeper)):
        run.release(sleeper, at)
        run.start(other)
        run.wait_oks("write", 3, client=other.name, within_s=PATIENCE_S)

    run.wait_for(lambda: run.live.ended(sleeper), within_s=PATIENCE_S, wanted="the sleeper to finish its turn")
    if learns:
        run.wait_for(
            told_that_its_turn_is_over(run, sleeper),
            within_s=PATIENCE_S,
            wanted=f"{sleeper} to be told that its turn is over",
        )
    run.wait_oks("write", 3, client=other.name, within_s=PATIENCE_S)  # Recovery.


def told_that_its_turn_is_over(run: Run, sleeper: str) -> Callable[[], int]:
    """How often the sleeper learnt it once awake: from the lock, or from the resource that refused its token."""

    def told() -> int:
        from_the_lock = run.live.count("check", sleeper, where=lambda check: not check.result)
        return from_the_lock + run.live.count("write", sleeper, "fail", where=lambda write: "older" in str(write.error))

    return told
