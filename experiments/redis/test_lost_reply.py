"""
The lost reply: the command was applied, its answer never came. Success, failure, or unknown.
"""

import pytest

from chaos.faults import blackhole
from chaos.guarantees import counts_match, of_kind, recovers_within
from chaos.run import Launch, Run
from chaos.systems.redis import MakeRedis
from chaos.systems.redis.clients import pinned

LEASE_S = 3.0
PATIENCE_S = 30.0
inside_soon = of_kind(recovers_within(LEASE_S / 2), "acquire")


def lose_the_reply_of_an_acquisition(make_redis: MakeRedis, launch: Launch, retry: str) -> Run:
    """Swallow the reply of one SET NX, heal, and let the client find its way in."""
    locks = make_redis(topology="standalone")
    client = pinned(
        locks, "c1", "redis-lock-lost-reply", hold=("before-acquire",), retry=retry, ttl_ms=round(LEASE_S * 1000)
    )

    with launch(locks, client) as run:
        run.wait_point("c1", "before-acquire", within_s=PATIENCE_S)  # Steady state.

        with run.inject(blackhole("c1", "n1", way="back")):
            run.release("c1", "before-acquire")
            run.wait_for(
                lambda: run.live.count("acquire", "c1", "info"),
                within_s=PATIENCE_S,
                wanted="an acquisition without an answer",
            )
            run.wait_for(
                lambda: locks.ask("n1", "EXISTS", "lock:token"), within_s=PATIENCE_S, wanted="its lock to be taken"
            )

        run.wait_oks("acquire", 1, client="c1", within_s=PATIENCE_S, since_ns=0)  # Recovery.
    return run


@pytest.mark.lesson("three outcomes")
def test_a_retry_with_a_new_value_is_locked_out_by_its_own_lock(make_redis: MakeRedis, launch: Launch) -> None:
    """
    A client that takes a timeout for a refusal and asks again with a new value waits for its own lease to run out.
    """
    run = lose_the_reply_of_an_acquisition(make_redis, launch, "new-value")
    run.expect(violated=[inside_soon])


@pytest.mark.lesson("three outcomes")
@pytest.mark.parametrize("retry", ["same-value", "release"])
def test_a_retry_that_allows_for_success_is_inside_at_once(make_redis: MakeRedis, launch: Launch, retry: str) -> None:
    """
    Asking again with the same value, or releasing what may be there first, treats the timeout as what it is: unknown.
    """
    run = lose_the_reply_of_an_acquisition(make_redis, launch, retry)
    run.expect(holds=[inside_soon])


def count_through_a_hole(make_redis: MakeRedis, launch: Launch, *, with_default_retries: bool) -> Run:
    """Count up while replies are swallowed for a while, then compare the counter with what was asked."""
    server = make_redis(topology="standalone")
    client = pinned(server, "c1", "redis-incr", timeout_s=0.2, with_default_retries=with_default_retries)

    with launch(server, client) as run:
        run.wait_oks("incr", 50, within_s=PATIENCE_S)  # Steady state.

        with run.inject(blackhole("c1", "n1", way="back")):
            run.wait_for(
                lambda: run.live.count("incr", "c1", "info"), within_s=PATIENCE_S, wanted="an INCR without an answer"
            )
            answered = run.live.count("incr", "c1")
            run.wait_for(
                lambda: int(server.ask("n1", "GET", "counter")) > answered, within_s=PATIENCE_S, wanted="it to count"
            )

        run.wait_oks("incr", 50, within_s=PATIENCE_S)  # Recovery.
        run.final_read(lambda: server.final_read("counter"))
    return run


@pytest.mark.lesson("three outcomes")
def test_default_retries_turn_one_increment_into_many(make_redis: MakeRedis, launch: Launch) -> None:
    """
    With redis-py's default retries one INCR whose reply is lost is sent again and again, and each time it counts.
    """
    run = count_through_a_hole(make_redis, launch, with_default_retries=True)
    run.expect(bounded={counts_match: {"excess_count": (5, 25)}})  # One INCR is sent eleven times; two were asked.


@pytest.mark.lesson("three outcomes")
def test_without_retries_the_counter_is_off_by_no_more_than_the_unknown(make_redis: MakeRedis, launch: Launch) -> None:
    """
    Without retries the counter lies between the acknowledged increments and those plus the unanswered ones.
    """
    run = count_through_a_hole(make_redis, launch, with_default_retries=False)
    run.expect(holds=[counts_match])
