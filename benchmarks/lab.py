"""
What a lab costs, step by step.

    python -m benchmarks.lab [ROUNDS] [PROVIDER]        ROUNDS: 20, PROVIDER: local
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from chaos.network.rules import Gate, LinkRule, Stream, Wire
from chaos.network.toxics import Latency
from chaos.providers import choose
from chaos.providers.contract import Canary, Lab, PartySpec, Port, Provider, Role, Spawn
from chaos.wait import FAST_S, wait_until

PARTIES = 8
PORT = 7000
SERVER = (
    "import socket\n"
    f"s = socket.create_server(('0.0.0.0', {PORT}))\n"
    "while True:\n c, _ = s.accept(); c.sendall(c.recv(9)); c.close()"
)
Samples = dict[str, list[float]]
T = TypeVar("T")


def specs() -> list[PartySpec]:
    """Seven nodes with a port each, and a client."""
    port = Port(number=PORT, name="echo", ping=b"ping")
    nodes = [PartySpec(name=f"n{number}", ports=(port,)) for number in range(1, PARTIES)]
    return [*nodes, PartySpec(name="c1", role=Role.CLIENT)]


def life(provider: Provider, samples: Samples) -> None:
    """One lab from nothing to nothing."""
    with tempfile.TemporaryDirectory() as folder:
        lab = timed(samples, "open an empty lab", lambda: provider.open(keep_at=folder))
        try:
            timed(samples, f"place {PARTIES} parties", lambda: lab.place(specs()))
            timed(samples, "spawn a Python server, to the first answer through the mesh", lambda: serve(lab))
            for _ in range(3):
                faults(lab, samples)
        finally:
            timed(samples, f"close, with {PARTIES} parties", lab.close)


def serve(lab: Lab) -> None:
    """A server that a peer can talk to."""
    lab.spawn("n1", Spawn(name="echo", argv=("python3", "-S", "-E", "-c", SERVER)))
    wait_until(lambda: outcome(lab) == "answered", within_s=10, wanted="an answer", every_s=FAST_S)


def faults(lab: Lab, samples: Samples) -> None:
    """One of each kind, in and out."""
    ways = (("c1", "n1"), ("n1", "c1"))
    packet: list[LinkRule] = [Gate(source=one, target=two, action="drop") for one, two in ways]
    packet += [Wire(source=one, target=two, action="drop") for one, two in ways]
    slow: list[LinkRule] = [Stream(source="c1", target="n1", toxic=Latency(latency_ms=1), direction="upstream")]
    for name, rules in (("packet fault (two-way drop)", packet), ("stream fault (latency)", slow)):
        timed(samples, f"inject a {name}", lambda rules=rules: lab.apply(rules))  # type: ignore[misc]
        timed(samples, f"heal a {name}", lambda rules=rules: lab.withdraw(rules))  # type: ignore[misc]
    timed(samples, "from the heal to the first answer", lambda: until_answered(lab))
    timed(samples, "freeze a party", lambda: lab.freeze("n1"))
    timed(samples, "thaw it", lambda: lab.thaw("n1"))


def until_answered(lab: Lab) -> None:
    """Try until the link works."""
    wait_until(lambda: outcome(lab) == "answered", within_s=10, wanted="an answer", every_s=FAST_S)


def outcome(lab: Lab) -> str:
    """What a canary from the client to the server sees."""
    return lab.canaries([Canary(source="c1", target="n1", port=PORT, ping=b"ping")])[0].outcome


def timed(samples: Samples, row: str, act: Callable[[], T]) -> T:
    """Do it, and note how long it took in milliseconds."""
    began = time.monotonic()
    result = act()
    samples[row].append((time.monotonic() - began) * 1000)
    return result


def table(samples: Samples) -> Sequence[str]:
    """Median, least and most of each row."""
    head = f"{'':58} {'median':>8} {'min':>8} {'max':>8}  ms"
    return [
        head,
        *(f"{row:58} {statistics.median(ms):8.1f} {min(ms):8.1f} {max(ms):8.1f}" for row, ms in samples.items()),
    ]


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    provider, _ = choose(sys.argv[2] if len(sys.argv) > 2 else "local")
    samples: Samples = defaultdict(list)
    for _ in range(rounds):
        life(provider, samples)
    print(f"{provider.name}, {rounds} labs")
    print("\n".join(table(samples)))


if __name__ == "__main__":
    main()
