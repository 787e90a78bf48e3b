"""
When an etcd cluster is really ready, and what a member that does not get there says itself.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from chaos.errors import ServerError
from chaos.providers.contract import Lab, ProcessRef
from chaos.systems.etcd.console import UNREACHABLE, Console, views
from chaos.systems.etcd.views import disagreements
from chaos.wait import FAST_S, wait_until

START_WITHIN_S = 15.0
READY_WITHIN_S = 30.0
READY_KEY = "chaos/ready"
WRITE_WITHIN_S = 0.3
"""A write that is sent before there is a leader may hang: it is given up and sent again."""

_TELLING = ("fatal", "panic", "error")
_DETAILS = ("error", "remote-peer-url", "address", "initial-cluster")


def alive(lab: Lab, ref: ProcessRef) -> Callable[[], None]:
    """A look that raises ``ServerError`` with the member's own words once it has ended."""
    lives = sum(event.ref == ref for event in lab.exits())

    def look() -> None:
        if lab.state(ref) == "ended" or sum(event.ref == ref for event in lab.exits()) > lives:
            raise ServerError(f"{ref.party} ended at its start: {last_words(lab.log(ref))}")

    return look


def wait_joins(lab: Lab, peer: Console, ref: ProcessRef) -> None:
    """Wait until a member answers its peers, which it does before there is a leader."""
    look = alive(lab, ref)

    def answers() -> bool:
        look()
        return bool(peer.get("/version"))

    wait_until(
        answers,
        within_s=START_WITHIN_S,
        wanted=f"{ref.party} answers its peers",
        seen=lambda: last_words(lab.log(ref)),
        every_s=FAST_S,
        error=ServerError,
        forgive=UNREACHABLE,
    )


def wait_ready(lab: Lab, consoles: Mapping[str, Console], refs: Mapping[str, ProcessRef]) -> None:
    """Wait until every member follows one leader and passes on a linearizable write."""
    looks = [alive(lab, ref) for ref in refs.values()]
    names = {name: name for name in consoles}

    def missing() -> tuple[str, ...]:
        for look in looks:
            look()
        return disagreements(views(consoles), names)

    def led() -> bool:
        return not missing()

    def words() -> str:
        return "; ".join((*missing(), *(f"{name} says: {last_words(lab.log(ref))}" for name, ref in refs.items())))

    wait_until(
        led,
        within_s=READY_WITHIN_S,
        wanted="every member sees the same leader",
        seen=words,
        every_s=FAST_S,
        error=ServerError,
    )
    for name, console in consoles.items():
        wait_until(
            lambda console=console: console.use(lambda client: client.put(READY_KEY, console.party)),  # type: ignore[misc]
            within_s=READY_WITHIN_S,
            wanted=f"a write through {name}",
            every_s=FAST_S,
            error=ServerError,
            forgive=UNREACHABLE,
        )


def last_words(log: bytes) -> str:
    """The last error that a member wrote into its own log, or what it finds wrong with its flags, else its last line."""
    text = log.decode(errors="replace").partition("Usage:")[0]  # Which it shows after a flag that it does not like.
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [said for line in lines if (said := _parsed(line)) and said.get("level") in _TELLING]
    if told:
        return _sentence(told[-1])
    if not lines:
        return "it said nothing"
    last = _parsed(lines[-1])
    return lines[-1] if last is None else _sentence(last)


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and "msg" in said else None


def _sentence(said: Mapping[str, Any]) -> str:
    details = [f"{name}: {said[name]}" for name in _DETAILS if name in said]
    return "; ".join([str(said["msg"]), *details])
