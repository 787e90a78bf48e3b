"""
Words for the conformance tests: servers and clients in parties, and what they have seen.
"""

import json
from pathlib import Path
from typing import Any

from chaos.providers.contract import Canary, Lab, PartySpec, Port, ProcessRef, Role, Spawn
from chaos.wait import FAST_S, wait_until

Event = dict[str, Any]
PORT = 7000
PING = b"ping\n"
PATIENCE_S = 10.0
PYTHON = "python3"
"""As a party finds it on its own PATH."""
PROGRAM = Path(__file__).with_name("peer.py").read_bytes()


def node(name: str, *ports: int) -> PartySpec:
    """A server's party."""
    numbers = ports or (PORT,)
    return PartySpec(name=name, ports=tuple(Port(number=number, name=f"p{number}", ping=PING) for number in numbers))


def client(name: str) -> PartySpec:
    """A client's party."""
    return PartySpec(name=name, role=Role.CLIENT)


def run(lab: Lab, party: str, *arguments: object, name: str = "peer") -> ProcessRef:
    """Start ``peer.py`` in a party."""
    argv = (PYTHON, "-S", "-E", f"{lab.folder(party)}/peer.py", *map(str, arguments))
    return lab.spawn(party, Spawn(name=name, argv=argv, files={"peer.py": PROGRAM}))


def serve(lab: Lab, *parties: str, port: int = PORT, feed_s: float = 0, name: str = "server") -> list[ProcessRef]:
    """Start a server in each party and wait until it listens and peers may know."""
    refs = [run(lab, party, "serve", port, feed_s, name=name) for party in parties]
    for ref in refs:
        wait_event(lab, ref, "listening")
    for source in lab.parties:
        wait_answers(lab, source, *(party for party in parties if party != source), port=port)
    return refs


def wait_answers(
    lab: Lab, source: str, *targets: str, port: int = PORT, within_s: float = PATIENCE_S, canary_s: float = 0.3
) -> None:
    """Wait until a canary from the source is answered by each target."""
    wait_until(
        lambda: set(outcomes(lab, source, *targets, port=port, within_s=canary_s)) <= {"answered"},
        within_s=within_s,
        wanted=f"{source} is answered by {', '.join(targets)}",
        every_s=FAST_S,
    )


def call(
    lab: Lab, source: str, target: str, *, port: int = PORT, every_s: float = 0, name: str = "caller"
) -> ProcessRef:
    """Open one connection from a party to a server and wait until it stands."""
    host, port = lab.reach(source, target, port)
    ref = run(lab, source, "call", host, port, every_s, name=name)
    wait_event(lab, ref, "connected")
    return ref


def events(lab: Lab, ref: ProcessRef, event: str | None = None, *, since_ns: int = 0) -> list[Event]:
    """What a process has seen, when by the observer's clock."""
    lines, clock = lab.log(ref).decode().splitlines(), lab.clock(ref.party)
    found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    found = [{**one, "at": clock.observed(one["at"])} for one in found] if clock else found
    return [one for one in found if one["at"] >= since_ns and event in (None, one["event"])]


def wait_event(
    lab: Lab, ref: ProcessRef, event: str, *, since_ns: int = 0, within_s: float = PATIENCE_S, **wanted: object
) -> Event:
    """The first such event."""

    def look() -> Event | None:
        for one in events(lab, ref, event, since_ns=since_ns):
            if wanted.items() <= one.items():
                return one
        return None

    return wait_until(
        look,
        within_s=within_s,
        wanted=f"{ref.party}/{ref.name}: {event} {wanted or ''}",
        seen=lambda: lab.log(ref).decode(errors="replace")[-600:],
        every_s=0.005,
    )


def outcomes(lab: Lab, source: str, *targets: str, port: int = PORT, within_s: float = 0.3) -> list[str]:
    """What one canary to each target saw."""
    flown = [Canary(source=source, target=target, port=port, ping=PING, within_s=within_s) for target in targets]
    return [result.outcome for result in lab.canaries(flown)]


def outcome(lab: Lab, source: str, target: str, *, port: int = PORT, within_s: float = 0.3) -> str:
    """What one canary saw."""
    return outcomes(lab, source, target, port=port, within_s=within_s)[0]
