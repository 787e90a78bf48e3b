"""
A lab whose parties have agents: everything the contract asks, said in agent commands.

What differs between providers (how a party's namespaces come to be, how the observer reaches it) is behind ``Engine``.
"""

import base64
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from chaos.errors import HarnessError, ProviderError, UsageError
from chaos.network import mesh, toxiproxy
from chaos.network.mesh import Seat
from chaos.network.rules import Closed, LinkRule, Stream
from chaos.network.toxiproxy import ApiReply
from chaos.providers import links
from chaos.providers.agent.stream import Message
from chaos.providers.channel import AgentChannel, call_all
from chaos.providers.contract import (
    OBSERVER,
    Canary,
    ConnectResult,
    ExitEvent,
    PartySpec,
    Plane,
    PointEvent,
    ProcessRef,
    RuleCounter,
    Spawn,
)

_PARTY_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
STARTED_S = 10.0


class Engine(Protocol):
    """How one provider makes parties and lets the observer reach them."""

    @property
    def name(self) -> str:
        """The lab's name."""
        ...

    @property
    def proxy_program(self) -> str:
        """Toxiproxy's program, as a party sees it."""
        ...

    def place(self, seats: Sequence[Seat], specs: Sequence[PartySpec]) -> Mapping[str, AgentChannel]:
        """Make the parties' namespaces with a cable into both planes, and their agents."""
        ...

    def observe(self, seat: Seat, port: int) -> tuple[str, int]:
        """The address at which the test process reaches a port on the management plane."""
        ...

    def inside(self, channel: AgentChannel) -> AbstractContextManager[None]:
        """Move the calling thread into a party's network."""
        ...

    def folder(self, party: str) -> str:
        """The party's own folder, as it sees it."""
        ...

    def kept(self, party: str) -> str:
        """The party's folder that survives, as it sees it."""
        ...

    def python_path(self) -> Sequence[str]:
        """Where a party's worker interpreter finds this library and the user's workloads."""
        ...

    def keep(self) -> str:
        """Let the lab outlive the test process."""
        ...

    def close(self) -> None:
        """End everything."""
        ...


class AgentedLab:
    """The contract's ``Lab`` over agents."""

    def __init__(self, engine: Engine, *, mesh: bool = True) -> None:
        self._engine, self._mesh = engine, mesh
        self._specs: dict[str, PartySpec] = {}
        self._seats: dict[str, Seat] = {}
        self._channels: dict[str, AgentChannel] = {}
        self._in_force: Counter[LinkRule] = Counter()
        self._links_lock = threading.RLock()
        self._observed: dict[tuple[str, int], tuple[str, int]] = {}
        self._closed = False

    # -- parties -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Unique on this machine while the lab lives."""
        return self._engine.name

    @property
    def parties(self) -> Mapping[str, PartySpec]:
        """The parties that exist, by name."""
        return dict(self._specs)

    def place(self, specs: Sequence[PartySpec]) -> None:
        """Make parties; those that exist learn of the new ones without a connection of theirs being touched."""
        self._check(specs)
        old = dict(self._seats)
        seats = [
            Seat(name=spec.name, index=len(old) + number, ports=_data_ports(spec))
            for number, spec in enumerate(specs, start=1)
        ]
        self._channels.update(self._engine.place(seats, specs))
        self._seats.update({seat.name: seat for seat in seats})
        self._specs.update({spec.name: spec for spec in specs})
        fresh = {seat.name for seat in seats}
        self._call_each({name: self._settle_in(name) for name in fresh})
        if old:
            self._call_each({name: self._meet(seats) for name in old})

    def _check(self, specs: Sequence[PartySpec]) -> None:
        names = [spec.name for spec in specs]
        for name in names:
            if not _PARTY_NAME.fullmatch(name) or name in (OBSERVER, "localhost"):
                raise UsageError(f"a party's name is a short host name such as n1, not {name!r}")
            if name in self._specs or names.count(name) > 1:
                raise UsageError(f"there is a party named {name} already")

    def _settle_in(self, name: str) -> list[Message]:
        seat = self._seats[name]
        peers = [other for other in self._seats.values() if other.name != name]
        ports = [port for other in self._seats.values() for port in other.ports]
        script = mesh.TABLE + mesh.declare(ports) + (mesh.introduce(peers) if self._mesh else "")
        commands: list[Message] = [
            {"op": "sysctl", "values": _SYSCTLS},
            {"op": "ip", "batch": mesh.wiring(seat)},
            {"op": "nft", "script": script},
        ]
        if self._mesh:
            commands.append({"op": "proxy", "program": self._engine.proxy_program, "within_s": STARTED_S})
            commands.append(links.http([toxiproxy.populate(mesh.proxies(peers))]))
        return commands

    def _meet(self, newcomers: Sequence[Seat]) -> list[Message]:
        script = mesh.declare(port for seat in newcomers for port in seat.ports)
        if not self._mesh or not script:
            return [{"op": "nft", "script": script}] if script else []
        commands = [links.http([toxiproxy.populate(mesh.proxies(newcomers))])]
        return [*commands, {"op": "nft", "script": script + mesh.introduce(newcomers)}]

    def _call_each(self, commands: Mapping[str, list[Message]]) -> Mapping[str, Sequence[object]]:
        return call_all(((self._channel(name), batch) for name, batch in commands.items()), within_s=STARTED_S + 5)

    def _channel(self, party: str) -> AgentChannel:
        if self._closed:
            raise HarnessError(f"lab {self.name} is closed")
        if party not in self._channels:
            raise UsageError(f"there is no party named {party!r}; there are: {', '.join(self._channels) or 'none'}")
        return self._channels[party]

    # -- processes ---------------------------------------------------------------------------------------------------

    def spawn(self, party: str, spawn: Spawn) -> ProcessRef:
        """Start a program or a Python callable in a party."""
        if bool(spawn.argv) == bool(spawn.python):
            raise UsageError(f"{party}: {spawn.name} needs either argv or python")
        command: Message = {
            "op": "spawn",
            "name": spawn.name,
            "argv": list(spawn.argv),
            "python": spawn.python,
            "arguments": dict(spawn.arguments),
            "env": dict(spawn.env),
            "files": {path: base64.b64encode(content).decode() for path, content in spawn.files.items()},
            "sys_path": list(self._engine.python_path()) if spawn.python else [],
        }
        self._channel(party).call(command)
        return ProcessRef(party=party, name=spawn.name)

    def signal(self, ref: ProcessRef, signal: int) -> None:
        """Send a signal to the process and to all it started."""
        self._channel(ref.party).call({"op": "signal", "name": ref.name, "signal": int(signal)})

    def state(self, ref: ProcessRef) -> str:
        """``running``, ``stopped`` or ``ended``."""
        return str(self._channel(ref.party).call({"op": "state", "name": ref.name})[0])

    def freeze(self, party: str) -> int:
        """Stop every process of the party and never its mesh."""
        return int(self._channel(party).call({"op": "freeze"})[0])

    def thaw(self, party: str) -> int:
        """Let the party's processes run again."""
        return int(self._channel(party).call({"op": "thaw"})[0])

    def exits(self) -> Sequence[ExitEvent]:
        """All ends of processes so far."""
        return [
            ExitEvent(ref=ProcessRef(party=party, name=event["name"]), code=event["code"], at_ns=event["at"])
            for party, event in self._events("exit")
        ]

    def points(self) -> Sequence[PointEvent]:
        """All arrivals at named points so far."""
        return [
            PointEvent(ref=ProcessRef(party=party, name=event["name"]), point=event["point"], at_ns=event["at"])
            for party, event in self._events("point")
        ]

    def _events(self, kind: str) -> Iterable[tuple[str, Message]]:
        found = []
        for party, channel in self._channels.items():
            channel.drain()
            found += [(party, event) for event in channel.events if event["event"] == kind]
        return sorted(found, key=lambda item: item[1]["at"])

    def release(self, ref: ProcessRef, point: str) -> None:
        """Let a worker that stands (or will stand) at the point go on."""
        arrived = any(event.ref == ref and event.point == point for event in self.points())
        self._channel(ref.party).call({"op": "release", "name": ref.name, "point": point, "arrived": arrived})

    def ask_to_stop(self, ref: ProcessRef) -> None:
        """Ask a worker to end after its current operation."""
        self._channel(ref.party).call({"op": "stop", "name": ref.name})

    # -- links -------------------------------------------------------------------------------------------------------

    def apply(self, rules: Sequence[LinkRule]) -> None:
        """Put link rules in force in stages: gates, streams, wires."""
        with self._links_lock:
            self._check_links(rules)
            fresh = [rule for rule in dict.fromkeys(rules) if not self._in_force[rule]]
            try:
                for stage in links.STAGES:
                    self._add_stage([rule for rule in fresh if isinstance(rule, stage)])
            except ProviderError:
                with suppress(ProviderError):
                    self._delete(fresh)
                raise
            self._in_force.update(rules)

    def withdraw(self, rules: Sequence[LinkRule]) -> Sequence[RuleCounter]:
        """Take link rules out of force, in reverse order of stages; a rule another fault still needs stays."""
        with self._links_lock:
            leaving = []
            for rule in rules:
                if self._in_force[rule]:
                    self._in_force[rule] -= 1
                    if not self._in_force[rule]:
                        leaving.append(rule)
            counted = self._delete(leaving)
        return [RuleCounter(rule=rule, packets=counted.get(rule)) for rule in rules]

    def _check_links(self, rules: Sequence[LinkRule]) -> None:
        for rule in rules:
            for party in (rule.source, rule.target):
                self._channel(party)
            if rule.source == rule.target:
                raise UsageError(f"a link needs two parties, not {rule.source} twice")
            if not self._mesh and isinstance(rule, Stream | Closed):
                raise UsageError("this lab was opened without a mesh, so it has no streams to harm")

    def _add_stage(self, rules: Sequence[LinkRule]) -> None:
        batches: dict[str, list[Message]] = {}
        for party, own in _by_party(rules).items():
            script = "".join(links.nft_add(rule, self._seats) for rule in own if not isinstance(rule, Stream | Closed))
            if script:
                batches.setdefault(party, []).append({"op": "nft", "script": script})
        self._call_each(batches)
        self._stream_stage([rule for rule in rules if isinstance(rule, Stream | Closed)], add=True)

    def _delete(self, rules: Sequence[LinkRule]) -> dict[LinkRule, int]:
        counted: dict[LinkRule, int] = {}
        for stage in reversed(links.STAGES):
            chosen = [rule for rule in rules if isinstance(rule, stage)]
            self._stream_stage([rule for rule in chosen if isinstance(rule, Stream | Closed)], add=False)
            counted.update(
                self._delete_packet_rules([rule for rule in chosen if not isinstance(rule, Stream | Closed)])
            )
        return counted

    def _delete_packet_rules(self, rules: Sequence[LinkRule]) -> dict[LinkRule, int]:
        batches = {}
        for party, own in _by_party(rules).items():
            counts = [{"op": "nft", "script": script, "json": True} for script in self._listings(own)]
            script = "".join(links.nft_delete(rule, self._seats) for rule in own)
            batches[party] = [*counts, {"op": "nft", "script": script}] if script else []
        answers = self._call_each(batches)
        counted = {}
        for party, own in _by_party(rules).items():
            listings = dict(zip(self._listings(own), answers.get(party, ()), strict=False))
            for rule in own:
                listing = listings.get(links.nft_count(rule, self._seats))
                if listing:
                    counted[rule] = links.packets(rule, str(listing), self._seats)
        return counted

    def _listings(self, rules: Sequence[LinkRule]) -> list[str]:
        return list(dict.fromkeys(links.nft_count(rule, self._seats) for rule in rules))

    def _stream_stage(self, rules: Sequence[Stream | Closed], *, add: bool) -> None:
        calls = {
            party: [
                call
                for rule in own
                if isinstance(rule, Stream | Closed)
                for call in (links.stream_add if add else links.stream_delete)(rule, self._seats)
            ]
            for party, own in _by_party(rules).items()
        }
        batches = {party: [links.http(asked, side_by_side=not add)] for party, asked in calls.items() if asked}
        answers = self._call_each(batches)
        for party, replies in answers.items():
            for call, reply in zip(calls[party], replies[0], strict=True):  # type: ignore[call-overload]
                toxiproxy.check(call, ApiReply(status=reply[0], body=reply[1], took_ms=reply[2]), where=party)

    def canaries(self, canaries: Sequence[Canary]) -> Sequence[ConnectResult]:
        """Try these connections side by side."""
        by_source: dict[str, list[int]] = {}
        for number, canary in enumerate(canaries):
            by_source.setdefault(canary.source, []).append(number)
        batches = {
            source: [{"op": "canaries", "wanted": [self._canary(canaries[number]) for number in numbers]}]
            for source, numbers in by_source.items()
        }
        answers = self._call_each(batches)
        found: dict[int, ConnectResult] = {}
        for source, numbers in by_source.items():
            for number, (outcome, took_ms) in zip(numbers, answers[source][0], strict=True):  # type: ignore[call-overload]
                found[number] = ConnectResult(outcome=outcome, took_ms=took_ms)
        return [found[number] for number in range(len(canaries))]

    def _canary(self, canary: Canary) -> tuple[str, int, str | None, float]:
        ping = None if canary.ping is None else base64.b64encode(canary.ping).decode()
        return self._seat(canary.target).data, canary.port, ping, canary.within_s

    def unsettled(self) -> Mapping[str, int]:
        """Per party: abandoned sockets that still hold bytes for a peer."""
        command: Message = {"op": "unsettled", "shadow": mesh.SHADOW_PREFIX}
        answers = self._call_each({name: [command] for name in self._channels})
        return {party: int(str(answer[0])) for party, answer in answers.items()}

    def undeclared(self) -> Mapping[str, int]:
        """Per party: packets outside the declared ports."""
        command: Message = {"op": "nft", "script": "list counter ip chaos undeclared", "json": True}
        answers = self._call_each({name: [command] for name in self._channels})
        return {party: _first_packets(str(answer[0])) for party, answer in answers.items()}

    def reach(self, source: str, party: str, port: int, plane: Plane = "data") -> tuple[str, int]:
        """The address of a party's port as ``source`` must use it."""
        seat = self._seat(party)
        if plane == "data":
            if source == OBSERVER:
                raise UsageError("the observer reaches the management plane only: a fault must never blind a probe")
            return seat.data, port
        if source == OBSERVER:
            if (party, port) not in self._observed:
                self._observed[party, port] = self._engine.observe(seat, port)
            return self._observed[party, port]
        if source == party:
            return seat.management, port
        raise UsageError(f"{source} must not reach {party} on the management plane: no fault acts there")

    def inside(self, party: str) -> AbstractContextManager[None]:
        """Make the calling thread a part of the party's network."""
        return self._engine.inside(self._channel(party))

    def _seat(self, party: str) -> Seat:
        self._channel(party)
        return self._seats[party]

    # -- files, clock, end -------------------------------------------------------------------------------------------

    def put(self, party: str, path: str, content: bytes) -> None:
        """Write a file inside a party."""
        self._channel(party).call({"op": "put", "path": path, "content": base64.b64encode(content).decode()})

    def get(self, party: str, path: str, offset: int = 0) -> bytes:
        """Read a file inside a party from a byte offset to its end."""
        pieces = []
        while piece := self._piece(party, path, offset):
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)

    def _piece(self, party: str, path: str, offset: int) -> bytes:
        answer = self._channel(party).call({"op": "get", "path": path, "offset": offset})
        return base64.b64decode(answer[0])

    def log(self, ref: ProcessRef) -> bytes:
        """What the process has written to stdout and stderr."""
        return self.get(ref.party, f"{self._engine.kept(ref.party)}/{ref.name}.log")

    def folder(self, party: str) -> str:
        """The party's own writable folder, as its processes see it."""
        self._channel(party)
        return self._engine.folder(party)

    def kept(self, party: str) -> str:
        """The party's folder whose files survive the lab."""
        self._channel(party)
        return self._engine.kept(party)

    def clock_error_ns(self, party: str) -> int:
        """0: all parties of an agented lab on one machine read the same kernel clock."""
        self._channel(party)
        return 0

    def keep(self) -> str:
        """Let the lab outlive the test process."""
        return self._engine.keep()

    def close(self) -> None:
        """End all processes and remove the parties."""
        if self._closed:
            return
        self._closed = True
        self._engine.close()
        for channel in self._channels.values():
            channel.close()


_SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv4/ip_local_port_range": "32768 60999",
}


def _data_ports(spec: PartySpec) -> tuple[int, ...]:
    return tuple(port.number for port in spec.ports if port.plane in ("data", "both"))


def _by_party(rules: Sequence[LinkRule]) -> dict[str, list[LinkRule]]:
    grouped: dict[str, list[LinkRule]] = {}
    for rule in rules:
        grouped.setdefault(links.party_of(rule), []).append(rule)
    return grouped


def _first_packets(listing: str) -> int:
    found = re.search(r'"packets": ?(\d+)', listing)
    return int(found[1]) if found else 0
