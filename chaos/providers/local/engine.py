"""
The local engine: a lab is one PID, mount and network namespace; a party is a network and UTS namespace within it.

Nothing of it touches the host's network: addresses are the lab's own, and the observer comes in through sockets that are
handed over, not through a device or a route. So labs need no leases and cannot disturb one another.
"""

import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaos import process
from chaos.errors import MissingAbilityError, ProviderError, said
from chaos.network import mesh
from chaos.network.mesh import ALONE, Seat
from chaos.providers.agent import kernel
from chaos.providers.agent.stream import Message, Stream
from chaos.providers.channel import AgentChannel
from chaos.providers.contract import PartySpec, Role
from chaos.servers import Installed, find

__tracebackhide__ = said

_PARENT = Path(__file__).parent.parent
_BOOT = (
    f"import json, sys; sys.path.insert(0, {str(_PARENT)!r}); "
    "from agent.lab import main; sys.path.pop(0); main(json.loads(sys.argv[1]))"
)
READY_S = 10.0
OWN = "own"


def runtime_root() -> Path:
    """Where this user's labs keep what goes with them."""
    return Path(tempfile.gettempdir()) / f"chaos-{os.getuid()}"


def _prepare(keep_at: Path) -> Path:
    """Make the folders that outlive a lab; returns the one for labs."""
    root = runtime_root()
    for folder in (root, keep_at):
        try:
            folder.mkdir(mode=0o700 if folder is root else 0o777, parents=True, exist_ok=True)
        except OSError as problem:
            raise ProviderError(f"cannot make the folder {folder}: {problem.strerror}") from problem
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise ProviderError(f"{root} belongs to somebody else; set TMPDIR to a folder of your own")
    return root


def _own_path() -> list[str]:
    return [str(Path(entry).absolute()) for entry in sys.path if entry]


def launch(config: Message, control: socket.socket, relay: socket.socket, log: Path) -> process.Started:
    """Start a lab's janitor, which starts its init."""
    argv = [sys.executable, "-I", "-S", "-c", _BOOT, json.dumps(config)]
    return process.start(argv, pass_fds=(control.fileno(), relay.fileno()), log=log)


class LocalEngine:
    """One lab's machinery."""

    planes = ALONE

    def __init__(
        self,
        *,
        keep_at: Path,
        proxy_program: str,
        user_namespace: bool,
        warm: Sequence[str] = (),
        sealed: bool = False,
    ) -> None:
        self._folder = _prepare(keep_at) / f"lab-{secrets.token_hex(4)}"
        self._keep_at, self._user_namespace, self._sealed = keep_at, user_namespace, sealed
        self.proxy_program = proxy_program
        self._lock = threading.Lock()
        self._relay_lock = threading.Lock()
        self._janitor: process.Started | None = None
        self._kept = False
        self._launchers: set[str] = set()
        self._listeners: list[socket.socket] = []
        try:
            self._start([] if sealed else warm)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The lab's name."""
        return self._folder.name

    def _start(self, warm: Sequence[str]) -> None:
        control, control_inside = socket.socketpair()
        relay, relay_inside = socket.socketpair()
        config = {
            "folder": str(self._folder),
            "logs": str(self._keep_at),
            "hosts": str(self._folder / "hosts"),
            "observer": self.planes.observer,
            "user_namespace": self._user_namespace,
            "note": {"owner": os.getpid(), "keep_at": str(self._keep_at)},
            "fds": [control_inside.fileno(), relay_inside.fileno()],
        }
        self._control, self._relay = Stream(control), Stream(relay)
        with control_inside, relay_inside:
            self._janitor = launch(config, control_inside, relay_inside, self._keep_at / "lab.log")
        self._hear("ready")
        if warm:
            self._launcher(sys.executable, warm)

    def _hear(self, wanted: str) -> object:
        try:
            message = self._control.receive(READY_S)
        except TimeoutError:
            raise ProviderError(f"lab {self.name}: no answer within {READY_S:g} s (wanted: {wanted})") from None
        if message is None:
            raise ProviderError(f"lab {self.name}: its init has ended (wanted: {wanted}); see {self._keep_at}/lab.log")
        if "failed" in message:
            raise ProviderError(f"lab {self.name}: {wanted} failed: {message['failed']}")
        return message.get("result")

    def _order(self, message: Message, fds: tuple[int, ...] = ()) -> object:
        with self._lock:
            try:
                self._control.send(message, fds)
            except OSError as problem:
                raise ProviderError(f"lab {self.name} is gone ({problem})") from problem
            return self._hear(str(message["do"]))

    def _launcher(self, interpreter: str, warm: Sequence[str]) -> str:
        if interpreter not in self._launchers:
            self._launchers.add(interpreter)
            self._order(
                {
                    "do": "launcher",
                    "key": interpreter,
                    "interpreter": interpreter,
                    "warm": list(warm),
                    "sys_path": _own_path(),
                }
            )
        return interpreter

    # -- parties -----------------------------------------------------------------------------------------------------

    def place(self, seats: Sequence[Seat], specs: Sequence[PartySpec]) -> Mapping[str, AgentChannel]:
        """Fork the agents, lay their cables, make their names known."""
        streams: dict[str, Stream] = {}
        try:
            for spec in specs:
                streams[spec.name] = self._agent(spec)
            pids = {name: self._up(name, stream) for name, stream in streams.items()}
            self._order({"do": "ip", "batch": mesh.cables((seat, pids[seat.name]) for seat in seats)})
            self._order({"do": "hosts", "lines": "".join(f"{seat.data} {seat.name}\n" for seat in seats)})
        except ProviderError:
            for stream in streams.values():
                stream.close()  # An agent without its other end goes, and its cables with it.
            raise
        return {name: AgentChannel(name, stream) for name, stream in streams.items()}

    def _agent(self, spec: PartySpec) -> Stream:
        launcher = None
        if not self._sealed:
            for folder in (self.folder(spec.name), self.kept(spec.name)):
                Path(folder).mkdir(parents=True, exist_ok=True)
        if not self._sealed and (spec.role is Role.CLIENT or spec.interpreter):
            launcher = self._launcher(spec.interpreter or sys.executable, ())
        ours, theirs = socket.socketpair()
        message = {
            "do": "party",
            "name": spec.name,
            "folder": self.folder(spec.name),
            "logs": self.kept(spec.name),
            "launcher": launcher,
            "hidden": str(self._folder) if self._sealed else None,
        }
        try:
            with theirs:
                self._order(message, (theirs.fileno(),))
        except ProviderError:
            ours.close()
            raise
        return Stream(ours)

    def _up(self, name: str, stream: Stream) -> int:
        try:
            message = stream.receive(READY_S)
        except TimeoutError:
            message = {"failed": f"silent for {READY_S:g} s"}
        if message is None or "failed" in message:
            reason = message["failed"] if message else "it ended at once"
            raise ProviderError(f"{name}: its agent did not come up: {reason}; see {self._keep_at}")
        return int(message["up"])

    def folder(self, party: str) -> str:
        """The party's own folder; it goes with the lab."""
        return str(self._folder / ("own" if self._sealed else f"parties/{party}"))

    def kept(self, party: str) -> str:
        """The party's folder that survives."""
        return str(self._folder / "kept" if self._sealed else self._keep_at / party)

    def interpreter(self, spec: PartySpec) -> str | None:
        """None where agents fork workers; a sealed party starts its own."""
        return (spec.interpreter or sys.executable) if self._sealed else None

    def python_path(self, spec: PartySpec, modules: Sequence[str]) -> Sequence[str]:
        """The test process' own path: what it can import, a workload can."""
        return _own_path()

    def program(self, spec: PartySpec, argv: Sequence[str]) -> tuple[Sequence[str], Mapping[str, str]]:
        """As it is: a party sees this machine's files."""
        return argv, {}

    def software(self, name: str, version: str | None) -> Installed:
        """A program of this machine."""
        return find(name, version)

    # -- the observer's ways in --------------------------------------------------------------------------------------

    def observe(self, seat: Seat, port: int) -> tuple[str, int]:
        """A port on this machine's loopback that leads to the party's management address."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listeners.append(listener)
        with self._relay_lock:
            self._relay.send({"to": [seat.management, port]}, (listener.fileno(),))
            if self._relay.receive(READY_S) is None:
                raise ProviderError(f"lab {self.name}: its relay has ended")
        host, chosen = listener.getsockname()
        return str(host), int(chosen)

    @contextmanager
    def inside(self, channel: AgentChannel) -> Iterator[None]:
        """Enter the party's network namespace with the calling thread; threads it starts inside stay inside."""
        if self._sealed or self._user_namespace:
            reason = "a sealed party lets nobody in" if self._sealed else "entering a party's network needs root"
            raise MissingAbilityError("lab.inside", reason)
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            theirs = channel.descriptor({"op": "namespace"})
            try:
                kernel.setns(theirs, kernel.CLONE_NEWNET)
            finally:
                os.close(theirs)
            try:
                yield
            finally:
                kernel.setns(own, kernel.CLONE_NEWNET)
        finally:
            os.close(own)

    # -- the end -----------------------------------------------------------------------------------------------------

    def keep(self) -> str:
        """Let the lab outlive the test process; ``chaos heal`` ends it."""
        self._order({"do": "keep"})
        self._kept = True
        (self._folder / "kept").touch()
        user = "-U --preserve-credentials " if self._user_namespace else ""
        return (
            f"nsenter -t $(pgrep -P {self._janitor.pid if self._janitor else 0} | head -1) {user}-n -m -p -- sh   # the switch; "
            "then nsenter -t AGENT_PID -n for a party (ps shows them)"
        )

    def save(self, channels: Mapping[str, AgentChannel]) -> None:
        """Fetch what sealed parties keep; the others write where it stays."""
        for party, channel in channels.items() if self._sealed else ():
            for name in channel.call({"op": "kept"})[0]:
                target = self._keep_at / party / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(channel.read(f"{self.kept(party)}/{name}"))

    def close(self) -> None:
        """Close our end; init sees it, and the kernel does the rest."""
        self._control.close()
        self._relay.close()
        for listener in self._listeners:
            listener.close()
        if self._kept:  # Waiting for its end would be in vain, and ends in killing it.
            return
        if self._janitor is not None:
            process.wait_end(self._janitor, within_s=READY_S, what=f"lab {self.name}")
        shutil.rmtree(self._folder, ignore_errors=True)  # The janitor has done it, unless somebody killed it.
