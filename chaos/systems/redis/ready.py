"""
When a Redis cluster is really ready, and what a server that does not get there says itself.
"""

import re
from collections.abc import Mapping

from redis import exceptions

from chaos.errors import ServerError
from chaos.providers.contract import Lab, ProcessRef
from chaos.systems.redis.console import UNREACHABLE, Console, node_view, sentinel_view, views
from chaos.systems.redis.settings import DEFAULT, Periods
from chaos.systems.redis.views import disagreements
from chaos.wait import FAST_S, wait_until

START_WITHIN_S = 10.0
AGREE_WITHIN_S = 10.0
AGREE_UNTUNED_WITHIN_S = 30.0
"""Before Redis 7.0 a Sentinel's own periods rule: INFO comes each 10 s."""
HASTE = Periods(ping_ms=50, info_ms=100, publish_ms=100)
"""Until all agree: a refused first dial is tried again only after a ping period."""

_STAMP = re.compile(r"^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ [.\-*#] ")
_TALE_LINES = 3


def wait_answers(lab: Lab, console: Console, ref: ProcessRef, *, within_s: float = START_WITHIN_S) -> None:
    """Wait until the server answers PING; one that has ended instead raises ``ServerError`` with its own words."""
    lives = sum(event.ref == ref for event in lab.exits())

    def answers() -> bool:
        if lab.state(ref) == "ended" or sum(event.ref == ref for event in lab.exits()) > lives:
            raise ServerError(f"{ref.party} ended at its start: {last_words(lab.log(ref), console.password)}")
        try:
            return bool(console.ask("PING") == "PONG")
        except exceptions.AuthenticationError as problem:
            what = "asks for a password; give it as password=" if console.password is None else "refuses the password"
            raise ServerError(f"{ref.party} {what}: {problem}") from problem

    wait_until(
        answers,
        within_s=within_s,
        wanted=f"{ref.party} answers",
        seen=lambda: last_words(lab.log(ref), console.password),
        every_s=FAST_S,
        error=ServerError,
        forgive=UNREACHABLE,
    )


def wait_replicated(master: Console, replicas: int, *, within_s: float = START_WITHIN_S) -> None:
    """Wait until a write is acknowledged by so many replicas."""

    refusal = ""

    def acknowledged() -> bool:
        nonlocal refusal
        refusal = ""
        try:
            master.ask("SET", "chaos:ready", "1")
            master.ask("DEL", "chaos:ready")
        except exceptions.ResponseError as problem:
            refusal = f"{problem} "
            if not replicas:
                raise ServerError(f"{master.party} takes no writes: {problem}") from problem
            return False
        return bool(master.ask("WAIT", replicas, 20) == replicas)

    wait_until(
        acknowledged,
        within_s=within_s,
        wanted=f"a write on {master.party} acknowledged by {replicas} replicas",
        seen=lambda: f"{refusal}{node_view(master)}",
        every_s=FAST_S,
        error=ServerError,
        forgive=UNREACHABLE,
    )


def wait_agreed(
    nodes: Mapping[str, Console],
    sentinels: Mapping[str, Console],
    names: Mapping[str, str],
    *,
    within_s: float = AGREE_WITHIN_S,
) -> None:
    """Wait until every server's own view is the same and complete."""

    def missing() -> tuple[str, ...]:
        return disagreements(views(nodes, node_view), views(sentinels, sentinel_view), names)

    wait_until(
        lambda: not missing(),
        within_s=within_s,
        wanted="all servers agree",
        seen=lambda: "; ".join(missing()),
        every_s=FAST_S,
        error=ServerError,
    )


def wait_agreed_hastily(
    nodes: Mapping[str, Console], sentinels: Mapping[str, Console], names: Mapping[str, str], *, periods: Periods
) -> None:
    """Let Sentinels ask often until every server's view is the same, then as often as ``periods`` says."""
    own = {name: read_periods(sentinel) for name, sentinel in sentinels.items()}
    for sentinel in sentinels.values():
        set_periods(sentinel, HASTE)
    wait_agreed(nodes, sentinels, names)
    for name, sentinel in sentinels.items():
        set_periods(sentinel, own[name] if periods == DEFAULT else periods)


def read_periods(sentinel: Console) -> Periods:
    """The periods that a Sentinel works with, from Redis 7.0 on."""
    flat = sentinel.ask("SENTINEL", "DEBUG")
    found = {str(name).lower(): int(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return Periods(ping_ms=found["ping-period"], info_ms=found["info-period"], publish_ms=found["publish-period"])


def set_periods(sentinel: Console, periods: Periods) -> None:
    """Let a Sentinel work with these periods."""
    wanted = {"PING-PERIOD": periods.ping_ms, "INFO-PERIOD": periods.info_ms, "PUBLISH-PERIOD": periods.publish_ms}
    sentinel.ask("SENTINEL", "DEBUG", *(word for pair in wanted.items() for word in pair))


def last_words(log: bytes, secret: str | None = None) -> str:
    """What a server said last, without its banner and stamps: a rejected configuration names its line and reason."""
    text = log.decode(errors="replace")
    lines = [line.strip() for line in (text.replace(secret, "***") if secret else text).splitlines()]
    told = [_STAMP.sub("", line) for line in lines if line]
    fatal = next((number for number, line in enumerate(told) if "FATAL CONFIG FILE ERROR" in line), None)
    tale = told[-_TALE_LINES:] if fatal is None else told[fatal + 1 :]
    return ": ".join(line.removeprefix(">>> ") for line in tale) or "it said nothing"
