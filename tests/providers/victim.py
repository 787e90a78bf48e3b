"""
A test process that is killed at any moment of its labs' lives: opens, places, spawns, harms, freezes, closes, again and again.

    victim.py PROVIDER KEEP_AT
"""

import itertools
import sys
from collections.abc import Callable

from chaos.network.rules import Closed, Gate, LinkRule, Wire
from chaos.providers import PROVIDERS
from chaos.providers.contract import OBSERVER, Lab
from tests.conformance.talk import PORT, client, node, outcome, run


def life(lab: Lab, say: Callable[[str], None]) -> None:
    """One lab, with everything that could be left behind."""
    say("place")
    lab.place([node("n1"), node("n2"), client("c1")])
    say("spawn")
    run(lab, "n1", "serve", PORT, name="server")
    run(lab, "c1", "family")
    lab.reach(OBSERVER, "n1", PORT, "management")
    say("faults")
    rules: list[LinkRule] = [
        Gate(source="c1", target="n1", action="drop"),
        Wire(source="c1", target="n1", action="drop"),
    ]
    lab.apply([*rules, Closed(source="c1", target="n2")])
    say("frozen")
    lab.freeze("n1")
    outcome(lab, "c1", "n1", within_s=0.2)
    lab.withdraw(rules)
    say("close")
    lab.close()


def main() -> None:
    provider, keep_at = sys.argv[1:]
    for number in itertools.count():
        print(f"open {number}", flush=True)
        life(PROVIDERS[provider]().open(keep_at=keep_at), lambda phase: print(phase, flush=True))


if __name__ == "__main__":
    main()
