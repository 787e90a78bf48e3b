"""
The mesh of a lab at work: newcomers join it, link rules come into force and leave it, canaries try it.
"""

import base64
import re
import threading
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from chaos.errors import ProviderError, UsageError, said
from chaos.network import mesh, toxiproxy
from chaos.network.mesh import Seat
from chaos.network.rules import LinkRule, check_ports
from chaos.network.toxiproxy import ApiCall, ApiReply
from chaos.providers import links
from chaos.providers.agent.stream import Message
from chaos.providers.contract import Canary, ConnectResult, RuleCounter
from chaos.providers.links import PacketPiece, Piece, StreamPiece
from chaos.providers.roster import Roster

__tracebackhide__ = said

STARTED_S = 10.0
RESTARTED = "its Toxiproxy did not answer and was restarted: every connection of this party through the mesh was closed"
# A party's own ports are reserved as well: a client of its that was given one would look like a server to a port's fault.
_SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv4/ip_local_port_range": "32768 60999",
}


class Wires:
    """All links of one lab."""

    def __init__(self, roster: Roster, *, proxy_program: str | None) -> None:
        self._roster, self._program = roster, proxy_program
        self._in_force: Counter[LinkRule] = Counter()
        self._before: dict[LinkRule, int] = {}
        """What elements that a rule shares had counted when it came into force."""
        self._lock = threading.RLock()

    # -- joining -----------------------------------------------------------------------------------------------------

    def join(self, newcomers: Sequence[Seat]) -> None:
        """Furnish newcomers; those that were here learn of them without a connection of theirs being touched."""
        fresh = {seat.name for seat in newcomers}
        old = [name for name in self._roster.seats if name not in fresh]
        within_s = STARTED_S + 5
        self._roster.call_each({name: self._furnish(name) for name in fresh}, within_s=within_s)
        self._roster.call_each({name: self._introduce(newcomers) for name in old}, within_s=within_s)
        if self._program:
            self._roster.call_each({name: [{"op": "repeat"}] for name in old})

    def _furnish(self, name: str) -> list[Message]:
        seat, peers = self._roster.seats[name], self._roster.peers(name)
        ports = [port for other in self._roster.seats.values() for port in other.ports]
        script = mesh.table(seat.planes) + mesh.declare(ports) + (mesh.introduce(peers) if self._program else "")
        commands: list[Message] = [
            {"op": "sysctl", "values": {**_SYSCTLS, "ipv4/ip_local_reserved_ports": ",".join(map(str, seat.ports))}},
            {"op": "ip", "batch": mesh.wiring(seat)},
            {"op": "nft", "script": script},
        ]
        if self._program:
            commands += [*self._proxy(name), {"op": "listening", **mesh.listening(seat)}]
        return commands

    def _proxy(self, name: str) -> list[Message]:
        populate = toxiproxy.populate(mesh.proxies(self._roster.peers(name)))
        return [{"op": "proxy", "program": self._program, "within_s": STARTED_S}, links.http([populate])]

    def _introduce(self, newcomers: Sequence[Seat]) -> list[Message]:
        script = mesh.declare(port for seat in newcomers for port in seat.ports)
        if not self._program or not script:
            return [{"op": "nft", "script": script}] if script else []
        populate = links.http([toxiproxy.populate(mesh.proxies(newcomers))])
        return [populate, {"op": "nft", "script": script + mesh.introduce(newcomers)}]

    # -- link rules --------------------------------------------------------------------------------------------------

    def apply(self, rules: Sequence[LinkRule]) -> None:
        """Put link rules in force in stages: gates, streams, wires; what fails is taken back."""
        with self._lock:
            self._check(rules)
            fresh = [rule for rule in dict.fromkeys(rules) if not self._in_force[rule]]
            held = self._held()
            # What an element that another rule put in force has counted so far is none of a newcomer's.
            before = self._count([rule for rule in fresh if not held.keys().isdisjoint(self._pieces(rule))])
            try:
                for stage in links.STAGES:
                    self._add(self._apart(fresh, stage, held))
            except ProviderError:
                with suppress(ProviderError):
                    self._delete(fresh)
                raise
            self._in_force.update(rules)
            self._before.update(before)

    def withdraw(self, rules: Sequence[LinkRule]) -> Sequence[RuleCounter]:
        """Take link rules out of force in reverse order of stages; what another rule still needs stays."""
        with self._lock:
            leaving = []
            for rule in rules:
                if self._in_force[rule]:
                    self._in_force[rule] -= 1
                    if not self._in_force[rule]:
                        leaving.append(rule)
            counted, restarted = self._delete(leaving)
            counted = {rule: packets - self._before.pop(rule, 0) for rule, packets in counted.items()}
        return [
            RuleCounter(
                rule=rule,
                packets=counted.get(rule),
                remark=RESTARTED if links.is_stream(rule) and links.party_of(rule) in restarted else None,
            )
            for rule in rules
        ]

    def _check(self, rules: Sequence[LinkRule]) -> None:
        for rule in rules:
            for party in (rule.source, rule.target):
                self._roster.channel(party)
            if rule.source == rule.target:
                raise UsageError(f"a link needs two parties, not {rule.source} twice")
            if not self._program and links.is_stream(rule):
                raise UsageError("this lab was opened without a mesh, so it has no streams to harm")
            check_ports(rule, lambda party: self._roster.seats[party].ports)

    def _pieces(self, rule: LinkRule) -> tuple[Piece, ...]:
        return links.pieces(rule, self._roster.seats)

    def _held(self) -> dict[Piece, None]:
        """The pieces of all rules in force, in the order in which they came."""
        return {piece: None for rule, times in self._in_force.items() if times for piece in self._pieces(rule)}

    def _apart(self, rules: Iterable[LinkRule], stage: int, held: Container[Piece]) -> list[Piece]:
        """The pieces of rules of this stage, apart from those that other rules hold in force."""
        chosen = [piece for rule in rules if links.stage_of(rule) == stage for piece in self._pieces(rule)]
        return [piece for piece in chosen if piece not in held]

    def _add(self, pieces: Sequence[Piece]) -> None:
        scripts = {party: links.nft_add(own) for party, own in links.by_party(pieces).items()}
        batches: dict[str, list[Message]] = {
            party: [{"op": "nft", "script": script}] for party, script in scripts.items() if script
        }
        # Who dials comes first: were its packets rejected far away before its own gate stands, its proxy would close
        # the near end politely (FIN), where a real network resets it.
        diallers = {party: batch for party, batch in batches.items() if links.GATES["reject"] in batch[0]["script"]}
        self._roster.call_each(diallers)
        self._roster.call_each({party: batch for party, batch in batches.items() if party not in diallers})
        unanswered = self._streams(pieces, add=True)
        if unanswered:
            raise next(iter(unanswered.values()))

    def _delete(self, rules: Sequence[LinkRule]) -> tuple[dict[LinkRule, int], set[str]]:
        counted: dict[LinkRule, int] = {}
        restarted: set[str] = set()
        held = self._held()
        for stage in reversed(links.STAGES):
            leaving = self._apart(rules, stage, held)
            for party in self._streams(leaving, add=False):
                self._restart_proxy(party)
                restarted.add(party)
            counted.update(self._count([rule for rule in rules if links.stage_of(rule) == stage], leaving))
        return counted, restarted

    def _count(self, rules: Sequence[LinkRule], leaving: Sequence[Piece] = ()) -> dict[LinkRule, int]:
        """What packet rules have caught; counters go with their elements, so both happen in the same breath."""
        parts = {rule: [each for each in self._pieces(rule) if isinstance(each, PacketPiece)] for rule in rules}
        wanted = {
            party: list(dict.fromkeys(links.nft_count(piece) for piece in own if isinstance(piece, PacketPiece)))
            for party, own in links.by_party(piece for own in parts.values() for piece in own).items()
        }
        scripts = {party: links.nft_delete(own) for party, own in links.by_party(leaving).items()}
        batches: dict[str, list[Message]] = {
            party: [
                *({"op": "nft", "script": each, "json": True} for each in listings),
                *([{"op": "nft", "script": scripts[party]}] if scripts.get(party) else []),
            ]
            for party, listings in wanted.items()
        }
        found = {
            (party, asked): links.packets(listing)
            for party, answers in self._roster.call_each(batches).items()
            for asked, listing in zip(wanted[party], answers, strict=False)
        }
        return {
            rule: sum(found[piece.party, links.nft_count(piece)].get(links.counted_by(piece), 0) for piece in own)
            for rule, own in parts.items()
            if own
        }

    # -- streams -----------------------------------------------------------------------------------------------------

    def _streams(self, pieces: Iterable[Piece], *, add: bool) -> dict[str, ProviderError]:
        """Carry stream pieces out; returns the parties whose Toxiproxy did not answer, with the error that says so."""
        chosen = links.by_party(piece for piece in pieces if isinstance(piece, StreamPiece))
        calls = {party: _calls(own, add=add) for party, own in chosen.items()}
        batches = {party: [links.http(asked, side_by_side=not add)] for party, asked in calls.items()}
        unanswered: dict[str, ProviderError] = {}
        for party, results in self._roster.call_each(batches, within_s=_patience(calls)).items():
            for call, (status, body, took_ms) in zip(calls[party], results[0], strict=True):
                reply = ApiReply(status=status, body=body, took_ms=took_ms)
                try:
                    toxiproxy.check(call, reply, where=party)
                except toxiproxy.ToxiproxyError as problem:
                    if status:
                        raise
                    unanswered[party] = problem
        return unanswered

    def _restart_proxy(self, party: str) -> None:
        """The last resort when its API hangs: a new Toxiproxy, with what is still in force."""
        calls = _calls(links.by_party(self._held()).get(party, ()), add=True)
        batch = [{"op": "end_proxy"}, *self._proxy(party), *([links.http(calls)] if calls else [])]
        self._roster.call_each({party: batch}, within_s=STARTED_S + 5)

    # -- looking -----------------------------------------------------------------------------------------------------

    def canaries(self, canaries: Sequence[Canary]) -> Sequence[ConnectResult]:
        """Try these connections side by side."""
        by_source: dict[str, list[int]] = {}
        for number, canary in enumerate(canaries):
            by_source.setdefault(canary.source, []).append(number)
        answers = self._roster.call_each(
            {
                source: [{"op": "canaries", "wanted": [self._wanted(canaries[number]) for number in numbers]}]
                for source, numbers in by_source.items()
            },
            within_s=STARTED_S + max((canary.within_s for canary in canaries), default=0),
        )
        found = [ConnectResult(outcome="", took_ms=0.0)] * len(canaries)
        for source, numbers in by_source.items():
            for number, (outcome, took_ms) in zip(numbers, answers[source][0], strict=True):
                found[number] = ConnectResult(outcome=outcome, took_ms=took_ms)
        return found

    def _wanted(self, canary: Canary) -> tuple[str, int, str | None, float]:
        ping = None if canary.ping is None else base64.b64encode(canary.ping).decode()
        return self._roster.seat(canary.target).data, canary.port, ping, canary.within_s

    def unsettled(self) -> Mapping[str, int]:
        """Per party: abandoned sockets that still hold bytes for a peer."""
        return self._roster.call_all(op="unsettled", shadow=mesh.SHADOW_PREFIX)

    def undeclared(self) -> Mapping[str, int]:
        """Per party: packets outside the declared ports."""
        answers = self._roster.call_all(op="nft", script="list counter ip chaos undeclared", json=True)
        return {party: _first_packets(answer) for party, answer in answers.items()}


def _calls(pieces: Iterable[Piece], *, add: bool) -> list[ApiCall]:
    return [links.stream_call(piece, add=add) for piece in pieces if isinstance(piece, StreamPiece)]


def _patience(calls: Mapping[str, list[ApiCall]]) -> float:
    """Each call has its own deadline; in a row they add up."""
    return STARTED_S + toxiproxy.DEADLINE_S * max((len(asked) for asked in calls.values()), default=0)


def _first_packets(listing: Any) -> int:
    found = re.search(r'"packets": ?(\d+)', str(listing))
    return int(found[1]) if found else 0
