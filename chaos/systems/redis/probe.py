"""
Watching a Redis cluster from outside: what changes is recorded when it is seen, and a server that is down is a finding.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis

from chaos.history.records import Observation, Value
from chaos.providers.contract import Lab
from chaos.systems.redis.console import UNREACHABLE, Console, node_console, node_view, sentinel_console
from chaos.systems.redis.settings import SERVICE
from chaos.wait import monotonic_ns

Sink = Callable[[Observation], None]

EVENTS = ("+sdown", "-sdown", "+odown", "-odown", "+switch-master", "+convert-to-slave", "+try-failover", "+selected-slave",
          "+failover-end", "+reboot", "+tilt", "-tilt", "-failover-abort-no-good-slave")  # fmt: skip
"""The Sentinel channels that tell the story of a failover."""
OFFSET_EVERY_S = 0.2
TIMEOUT_S = 0.3
END_WITHIN_S = 5.0


class RedisProbe:
    """
    One thread a server, over the management plane. Observations (only when the value changed):

    ``role`` (``master``, ``slave``), ``following`` (whom a replica follows), ``link`` (``up``, ``down``),
    ``good-replicas``, ``offset`` (each 0.2 s), of a Sentinel ``leader`` and ``sentinel-event``, and of any server
    ``probe-error`` with the reason (None: it answers again).
    """

    def __init__(
        self,
        *,
        lab: Lab,
        nodes: Sequence[str],
        sentinels: Sequence[str],
        names: Mapping[str, str],
        sink: Sink,
        password: str | None = None,
        every_s: float = 0.05,
    ) -> None:
        self._sink, self._names, self._every_s = sink, dict(names), every_s
        self._in_words = {address.rpartition(":")[0]: name for address, name in names.items()} | self._names
        self._ended = threading.Event()
        self._seen: dict[tuple[str, str], Value] = {}
        self._offset_due_ns: dict[str, int] = {}
        looks: list[tuple[Console, Callable[[Console], None]]] = [
            (node_console(lab, name, password=password, timeout_s=TIMEOUT_S), self._look_at_node) for name in nodes
        ]
        looks += [(sentinel_console(lab, name, timeout_s=TIMEOUT_S), self._look_at_sentinel) for name in sentinels]
        self._threads = [threading.Thread(target=self._watch, args=look, daemon=True) for look in looks]
        self._threads += [
            threading.Thread(target=self._listen, args=(console,), daemon=True)
            for console, look in looks
            if look == self._look_at_sentinel
        ]

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop watching; nothing is recorded afterwards. Safe to call again."""
        self._ended.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(END_WITHIN_S)

    def _watch(self, console: Console, look: Callable[[Console], None]) -> None:
        while not self._ended.wait(self._every_s):
            try:
                look(console)
                self._note(console.party, "probe-error", None)
            except UNREACHABLE as problem:
                if self._seen.get((console.party, "probe-error")) is None:  # The reason at first; later ones vary.
                    self._note(console.party, "probe-error", f"{type(problem).__name__}: {problem}")
        console.close()

    def _look_at_node(self, console: Console) -> None:
        view, party = node_view(console), console.party
        self._note(party, "role", view.role)
        if view.role == "master":
            self._note(party, "good-replicas", view.good_replicas)
        else:
            self._note(party, "following", self._names.get(view.following or "", view.following))
            self._note(party, "link", "up" if view.link_up else "down")
        now = monotonic_ns()
        if now >= self._offset_due_ns.get(party, 0):
            self._offset_due_ns[party] = now + int(OFFSET_EVERY_S * 1e9)
            self._note(party, "offset", view.offset)

    def _look_at_sentinel(self, console: Console) -> None:
        host, port = console.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        self._note(console.party, "leader", self._names.get(f"{host}:{port}", host))

    def _listen(self, console: Console) -> None:
        host, _, port = console.address.rpartition(":")
        client: Any = redis.Redis(
            host=host, port=int(port), protocol=2, decode_responses=True, socket_connect_timeout=TIMEOUT_S
        )
        while not self._ended.is_set():
            try:
                self._hear_events(console.party, client.pubsub(ignore_subscribe_messages=True))
            except UNREACHABLE:  # The watching thread says so already; here only the subscription is renewed.
                self._ended.wait(self._every_s)
        client.close()

    def _hear_events(self, party: str, channel: Any) -> None:
        with channel:
            channel.subscribe(*EVENTS)
            while not self._ended.is_set():
                message = channel.get_message(timeout=self._every_s)
                if message:
                    value = {"event": message["channel"], "of": self._readable(message["data"])}
                    self._emit(party, "sentinel-event", value)

    def _readable(self, event: str) -> str:
        return " ".join(self._in_words.get(word, word) for word in event.split())

    def _note(self, party: str, kind: str, value: Value) -> None:
        if self._seen.get((party, kind)) != value:
            self._seen[party, kind] = value
            self._emit(party, kind, value)

    def _emit(self, party: str, kind: str, value: Value) -> None:
        if not self._ended.is_set():
            self._sink(Observation(at_ns=monotonic_ns(), party=party, kind=kind, value=value))
