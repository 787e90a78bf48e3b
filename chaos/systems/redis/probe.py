"""
Watching a Redis cluster from outside: what changes is recorded when it is seen, and a server that is down is a finding.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import redis

from chaos.cluster.watching import Sink, Watch
from chaos.providers.contract import Lab
from chaos.systems.redis.console import UNREACHABLE, Console, node_console, node_view, sentinel_console
from chaos.systems.redis.settings import SERVICE

EVENTS = ("+sdown", "-sdown", "+odown", "-odown", "+switch-master", "+convert-to-slave", "+try-failover", "+selected-slave",
          "+failover-end", "+reboot", "+tilt", "-tilt", "-failover-abort-no-good-slave")  # fmt: skip
"""The Sentinel channels that tell the story of a failover."""
OFFSET_EVERY_S = 0.2
TIMEOUT_S = 0.3


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
        self._names = dict(names)
        self._in_words = {address.rpartition(":")[0]: name for address, name in names.items()} | self._names
        self._watch = Watch(sink, every_s=every_s, unreachable=UNREACHABLE)
        self.start, self.stop = self._watch.start, self._watch.stop
        for name in nodes:
            node = node_console(lab, name, password=password, timeout_s=TIMEOUT_S)
            self._watch.look_at(name, partial(self._look_at_node, node), node.close)
        for name in sentinels:
            sentinel = sentinel_console(lab, name, timeout_s=TIMEOUT_S)
            self._watch.look_at(name, partial(self._look_at_sentinel, sentinel), sentinel.close)
            self._watch.run(partial(self._listen, sentinel))

    def _look_at_node(self, console: Console) -> None:
        view, party = node_view(console), console.party
        self._watch.note(party, "role", view.role)
        if view.role == "master":
            self._watch.note(party, "good-replicas", view.good_replicas)
        else:
            self._watch.note(party, "following", self._names.get(view.following or "", view.following))
            self._watch.note(party, "link", "up" if view.link_up else "down")
        if self._watch.due(party, OFFSET_EVERY_S):
            self._watch.note(party, "offset", view.offset)

    def _look_at_sentinel(self, console: Console) -> None:
        host, port = console.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        self._watch.note(console.party, "leader", self._names.get(f"{host}:{port}", host))

    def _listen(self, console: Console) -> None:
        host, _, port = console.address.rpartition(":")
        client: Any = redis.Redis(
            host=host, port=int(port), protocol=2, decode_responses=True, socket_connect_timeout=TIMEOUT_S
        )
        while not self._watch.ended.is_set():
            try:
                self._hear_events(console.party, client.pubsub(ignore_subscribe_messages=True))
            except UNREACHABLE:  # The watching thread says so already; here only the subscription is renewed.
                self._watch.ended.wait(self._watch.every_s)
        client.close()

    def _hear_events(self, party: str, channel: Any) -> None:
        with channel:
            channel.subscribe(*EVENTS)
            while not self._watch.ended.is_set():
                message = channel.get_message(timeout=self._watch.every_s)
                if message:
                    value = {"event": message["channel"], "of": self._readable(message["data"])}
                    self._watch.tell(party, "sentinel-event", value)

    def _readable(self, event: str) -> str:
        return " ".join(self._in_words.get(word, word) for word in event.split())
