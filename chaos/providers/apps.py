"""
The user's own program as a party: with addresses in its environment, under the same faults as everybody else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from chaos.cluster import App, Node, Target, resolve
from chaos.errors import NoProgressError, ServerError, UsageError, said
from chaos.history.records import empty
from chaos.providers.contract import Canary, Lab, PartySpec, Port, ProcessRef, Role, Spawn
from chaos.providers.signals import Signal
from chaos.wait import FAST_S, wait_until

__tracebackhide__ = said

PROCESS = "app"
Value = str | int | float | PurePath | Node | Sequence[Node]
"""What a variable of the environment may be given as."""
Ready = str | Callable[[], Any] | None
"""When the program is ready: a piece of text in its output, a condition, or (None) its ports being open."""


@dataclass(frozen=True, slots=True)
class RunningApp(App):
    """
    The user's program, running. A fault's target like any other party: ``Pause(app)``, ``isolate(app)``.

    :param spawn: how it was started, and is started again after a kill.
    """

    lab: Lab = field(kw_only=True, repr=False, compare=False)
    spawn: Spawn = field(kw_only=True, repr=False, compare=False)

    @property
    def ref(self) -> ProcessRef:
        """Its process, as the lab knows it."""
        return ProcessRef(party=self.name, name=self.spawn.name)

    def output(self) -> str:
        """What it has written to stdout and stderr so far."""
        return self.lab.log(self.ref).decode(errors="replace")

    def wait_output(self, text: str, *, within_s: float, after: int = 0) -> int:
        """Wait until its output holds this text behind position ``after``; returns the position behind it."""

        def found() -> int | None:
            at = self.output().find(text, after)
            return None if at < 0 else at + len(text)

        return wait_until(
            found,
            within_s=within_s,
            wanted=f"{self.name} to write {text!r}",
            seen=self._last_words,
            every_s=FAST_S * 5,
            error=NoProgressError,
        )

    def running(self) -> bool:
        """Whether it runs: neither ended nor paused."""
        return self.lab.state(self.ref) == "running"

    def exit_code(self) -> int | None:
        """How its latest life ended; minus the signal that ended it; None while it lives."""
        if self.lab.state(self.ref) != "ended":
            return None
        codes = [event.code for event in self.lab.exits() if event.ref == self.ref]
        return codes[-1] if codes else None

    def stop(self, *, within_s: float = 10.0) -> int:
        """Ask it to end (SIGTERM), wait, and return its exit code."""
        self.lab.signal(self.ref, Signal.SIGTERM)
        wait_until(
            lambda: self.exit_code() is not None,
            within_s=within_s,
            wanted=f"{self.name} to end after SIGTERM",
            seen=self._last_words,
            every_s=FAST_S,
            error=ServerError,
        )
        return int(str(self.exit_code()))

    def restart(self, target: Target = ()) -> None:
        """Start it again on what it left."""
        if target and self.name not in resolve(target):
            raise UsageError(f"{self.name} cannot restart {target}")
        self.lab.spawn(self.name, replace(self.spawn, files={}))

    def _last_words(self) -> str:
        lines = self.output().strip().splitlines()
        state = self.lab.state(self.ref)
        return f"it is {state}; its last line: {lines[-1]!r}" if lines else f"it is {state} and has written nothing"


def start_app(
    lab: Lab,
    argv: Sequence[str],
    *,
    name: str = "app",
    env: Mapping[str, Value] = empty(),
    ports: Sequence[int | Port] = (),
    files: Mapping[str, bytes] = empty(),
    ready: Ready = None,
    within_s: float = 10.0,
) -> RunningApp:
    """
    Start a program of the user's in a party of its own, and return when it is ready.

    The address of every node in the lab is in its environment as ``CHAOS_<NAME>`` (``CHAOS_N1=198.18.0.1:6379``).

    :param env: further variables: text, numbers and paths as they are; a node becomes its ``host:port``, several nodes
        theirs with commas between them.
    :param ports: what it listens on, so that others reach it through the mesh.
    :param files: path below the party's folder, its working directory, to content, written before the start.
    :param ready: text in its output, a condition, or None: its ports are open (without ports: it runs).
    """
    _refuse_no_bytes(files)
    declared = tuple(port if isinstance(port, Port) else Port(number=port, name=f"port-{port}") for port in ports)
    _place(lab, name, declared)
    variables = {**_addresses(lab, name), **{key: _as_text(lab, name, key, value) for key, value in env.items()}}
    spawn = Spawn(name=PROCESS, argv=tuple(map(str, argv)), env=variables, files=dict(files))
    app = RunningApp(name, PROCESS, lab=lab, spawn=spawn)
    lab.spawn(name, spawn)
    _wait_ready(app, declared, ready, within_s)
    return app


def _refuse_no_bytes(files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        if not isinstance(content, bytes):
            raise UsageError(
                f"files: {path} is given its content as bytes (Path(...).read_bytes()), not {content!r:.80}"
            )


def _place(lab: Lab, name: str, ports: tuple[Port, ...]) -> None:
    if name not in lab.parties:
        lab.place([PartySpec(name=name, role=Role.APP, ports=ports)])
    elif lab.state(ProcessRef(party=name, name=PROCESS)) != "ended":
        raise UsageError(f"an app named {name!r} runs already; give it another name=")
    elif lab.parties[name].role is not Role.APP:
        raise UsageError(f"{name} is the name of a party of role {lab.parties[name].role}; an app needs one of its own")


def _wait_ready(app: RunningApp, ports: Sequence[Port], ready: Ready, within_s: float) -> None:
    def condition() -> bool:
        code = app.exit_code()  # Asked before: what it wrote until its end is then sure to be seen.
        if is_ready():
            return True
        if code is not None:
            raise ServerError(f"{app.name} ended with code {code} before it was ready; {app._last_words()}")
        return False

    def is_ready() -> bool:
        if isinstance(ready, str):
            return ready in app.output()
        if ready is not None:
            return bool(ready())
        canaries = [Canary(source=app.name, target=app.name, port=port.number) for port in ports]
        return all(result.outcome == "connected" for result in app.lab.canaries(canaries)) if canaries else True

    wanted = f"{app.name} to be ready" + (f" ({ready!r} in its output)" if isinstance(ready, str) else "")
    wait_until(condition, within_s=within_s, wanted=wanted, seen=app._last_words, every_s=FAST_S * 5, error=ServerError)


def _addresses(lab: Lab, app: str) -> dict[str, str]:
    return {
        f"CHAOS_{name.upper().replace('-', '_')}": _address(lab, app, name, port.number)
        for name, spec in lab.parties.items()
        for port in [port for port in spec.ports if port.plane != "management"][:1]
        if name != app
    }


def _address(lab: Lab, source: str, party: str, port: int) -> str:
    return "{}:{}".format(*lab.reach(source, party, port))


def _as_text(lab: Lab, app: str, key: str, value: Value) -> str:
    if isinstance(value, Node):
        return _address(lab, app, value.name, value.port)
    if isinstance(value, list | tuple) and value and all(isinstance(one, Node) for one in value):
        return ",".join(_as_text(lab, app, key, one) for one in value)
    if not isinstance(value, str | int | float | PurePath):
        raise UsageError(f"env: {key} is text, a number, a path, a node or several nodes, not {value!r}")
    return str(value)
