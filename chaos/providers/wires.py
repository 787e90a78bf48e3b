"""
The mesh of a lab at work: newcomers join it, link rules come into force and leave it, canaries try it.
"""

import base64
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from chaos.errors import ProviderError, UsageError, said
from chaos.network import mesh, toxiproxy
from chaos.network.mesh import Seat
from chaos.network.rules import Closed, LinkRule, Stream
from chaos.network.toxiproxy import ApiCall, ApiReply
from chaos.providers import links
from chaos.providers.agent.stream import Message
from chaos.providers.contract import Canary, ConnectResult, RuleCounter
from chaos.providers.roster import Roster

__tracebackhide__ = said

STARTED_S = 10.0
RESTARTED = "its Toxiproxy did not answer and was restarted: every connection of this party through the mesh was closed"
_SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv4/ip_local_port_range": "32768 60999",
}


class Wires:
    """All links of one lab."""

    def __init__(self, roster: Roster, *, proxy_program: str | None) -> None:
        self._roster, self._program = roster, proxy_program
        self._in_force: Counter[LinkRule] = Counter()
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
        script = mesh.TABLE + mesh.declare(ports) + (mesh.introduce(peers) if self._program else "")
        commands: list[Message] = [
            {"op": "sysctl", "values": _SYSCTLS},
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
            try:
                for stage in links.STAGES:
                    self._add([rule for rule in fresh if links.stage_of(rule) == stage])
            except ProviderError:
                with suppress(ProviderError):
                    self._delete(fresh)
                raise
            self._in_force.update(rules)

    def withdraw(self, rules: Sequence[LinkRule]) -> Sequence[RuleCounter]:
        """Take link rules out of force in reverse order of stages; a rule that another fault still needs stays."""
        with self._lock:
            leaving = []
            for rule in rules:
                if self._in_force[rule]:
                    self._in_force[rule] -= 1
                    if not self._in_force[rule]:
                        leaving.append(rule)
            counted, restarted = self._delete(leaving)
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

    def _add(self, rules: Sequence[LinkRule]) -> None:
        batches: dict[str, list[Message]] = {}
        for party, own in links.by_party(rules).items():
            script = "".join(links.nft_add(rule, self._roster.seats) for rule in own if not links.is_stream(rule))
            if script:
                batches[party] = [{"op": "nft", "script": script}]
        # Who dials comes first: were its packets rejected far away before its own gate stands, its proxy would close
        # the near end politely (FIN), where a real network resets it.
        diallers = {party: batch for party, batch in batches.items() if links.GATES["reject"] in batch[0]["script"]}
        self._roster.call_each(diallers)
        self._roster.call_each({party: batch for party, batch in batches.items() if party not in diallers})
        unanswered = self._streams(rules, add=True)
        if unanswered:
            raise next(iter(unanswered.values()))

    def _delete(self, rules: Sequence[LinkRule]) -> tuple[dict[LinkRule, int], set[str]]:
        counted: dict[LinkRule, int] = {}
        restarted: set[str] = set()
        for stage in reversed(links.STAGES):
            chosen = [rule for rule in rules if links.stage_of(rule) == stage]
            for party in self._streams(chosen, add=False):
                self._restart_proxy(party)
                restarted.add(party)
            counted.update(self._delete_packet_rules([rule for rule in chosen if not links.is_stream(rule)]))
        return counted, restarted

    def _delete_packet_rules(self, rules: Sequence[LinkRule]) -> dict[LinkRule, int]:
        """Counters go with their elements, so they are read in the same breath, just before."""
        seats = self._roster.seats
        batches: dict[str, list[Message]] = {}
        for party, own in links.by_party(rules).items():
            script = "".join(links.nft_delete(rule, seats) for rule in own)
            if script:
                lists: list[Message] = [{"op": "nft", "script": each, "json": True} for each in self._listings(own)]
                batches[party] = [*lists, {"op": "nft", "script": script}]
        counted = {}
        answers = self._roster.call_each(batches)
        for party, own in links.by_party(rules).items():
            listings = dict(zip(self._listings(own), answers.get(party, ()), strict=False))
            for rule in own:
                if listing := listings.get(links.nft_count(rule, seats)):
                    counted[rule] = links.packets(rule, listing, seats)
        return counted

    def _listings(self, rules: Sequence[LinkRule]) -> list[str]:
        return list(dict.fromkeys(links.nft_count(rule, self._roster.seats) for rule in rules))

    # -- streams -----------------------------------------------------------------------------------------------------

    def _streams(self, rules: Sequence[LinkRule], *, add: bool) -> dict[str, ProviderError]:
        """Carry stream rules out; returns the parties whose Toxiproxy did not answer, with the error that says so."""
        make = links.stream_add if add else links.stream_delete
        calls: dict[str, list[ApiCall]] = {}
        for rule in rules:
            if isinstance(rule, Stream | Closed):
                calls.setdefault(rule.source, []).extend(make(rule, self._roster.seats))
        batches = {party: [links.http(asked, side_by_side=not add)] for party, asked in calls.items() if asked}
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
        still = [rule for rule, times in self._in_force.items() if times and rule.source == party]
        calls = [call for rule in still if isinstance(rule, Stream | Closed) for call in self._again(rule)]
        batch = [{"op": "end_proxy"}, *self._proxy(party), *([links.http(calls)] if calls else [])]
        self._roster.call_each({party: batch}, within_s=STARTED_S + 5)

    def _again(self, rule: Stream | Closed) -> list[ApiCall]:
        return links.stream_add(rule, self._roster.seats)

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


def _patience(calls: Mapping[str, list[ApiCall]]) -> float:
    """Each call has its own deadline; in a row they add up."""
    return STARTED_S + toxiproxy.DEADLINE_S * max((len(asked) for asked in calls.values()), default=0)


def _first_packets(listing: Any) -> int:
    found = re.search(r'"packets": ?(\d+)', str(listing))
    return int(found[1]) if found else 0
