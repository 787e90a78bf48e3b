"""
The party agent: takes batches of commands on its stream, answers in order, and ends when the stream ends.

A batch stops at its first failure and says which command failed, so that the caller knows what to heal.
"""

import base64
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import network
from .kernel import Nft
from .launching import by_interpreter, call, execute
from .listening import Listening
from .poll import poll
from .processes import Processes
from .stream import Message, Stream

CONTROL = "chaos-agent"
"""Name of the abstract socket on which this party's workers report; abstract names end at the network namespace."""
PIECE = 1 << 20
PROXY = "toxiproxy"


class Party:
    """One party's agent, in the party's own namespaces."""

    def __init__(self, stream: Stream, *, folder: str, logs: str) -> None:
        self._stream, self._folder, self._logs = stream, folder, logs
        self._processes = Processes(logs, folder)
        self._nft: Nft | None = None
        self._listening: Listening | None = None
        self._workers: dict[str, Stream] = {}
        self._released: dict[str, list[str]] = {}
        self._selector = selectors.DefaultSelector()
        self._commands: dict[str, Callable[[Message], Any]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    def serve(self) -> None:
        """Work until the other end of the stream is gone."""
        wake, wake_write = socket.socketpair()
        wake_write.setblocking(False)
        signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        control.bind("\0" + CONTROL)
        control.listen(64)
        for source, handler in ((self._stream, self._command), (wake, self._reap), (control, self._greet)):
            self._selector.register(source, selectors.EVENT_READ, handler)
        self._wake, self._control = wake, control
        self._serving = True
        while self._serving:
            for key, _ in self._selector.select(self._listening.wait_s() if self._listening else None):
                key.data() if not isinstance(key.fileobj, Stream) or key.fileobj is self._stream else key.data(key)
            if self._listening:
                self._listening.look()

    # -- the command stream ------------------------------------------------------------------------------------------

    def _command(self) -> None:
        message = self._stream.receive()
        while message is not None:
            self._answer(message)
            if not self._stream.pending():
                return
            message = self._stream.receive()
        self._serving = False

    def _answer(self, message: Message) -> None:
        results: list[Any] = []
        reply: Message = {"id": message["id"], "results": results}
        self._fds: tuple[int, ...] = ()
        try:
            for command in message["do"]:
                results.append(self._commands[command["op"]](command))
        except Exception as problem:  # Everything that fails here belongs to the caller, who knows what was wanted.
            reply["failed"] = {"index": len(results), "kind": type(problem).__name__, "error": str(problem)}
        reply["at"] = time.monotonic_ns()
        self._stream.send(reply, self._fds)
        self._reap_all()

    def _event(self, **event: Any) -> None:
        self._stream.send({"at": time.monotonic_ns(), **event})

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            self._wake.recv(4096)
        self._reap_all()

    def _reap_all(self) -> None:
        for name, code in self._processes.reap():
            self._event(event="exit", name=name, code=code)

    # -- workers at named points -------------------------------------------------------------------------------------

    def _greet(self) -> None:
        connection, _ = self._control.accept()
        worker = Stream(connection)
        self._selector.register(worker, selectors.EVENT_READ, self._hear)

    def _hear(self, key: selectors.SelectorKey) -> None:
        worker: Stream = key.fileobj  # type: ignore[assignment]
        message = worker.receive()
        while message is not None:
            self._note(worker, message)
            if not worker.pending():
                return
            message = worker.receive()
        self._selector.unregister(worker)
        worker.close()

    def _note(self, worker: Stream, message: Message) -> None:
        if "hello" in message:
            self._workers[message["hello"]] = worker
            return
        name = next((name for name, known in self._workers.items() if known is worker), "?")
        point = message["point"]
        self._event(event="point", name=name, point=point)
        if point in self._released.get(name, ()):
            self._released[name].remove(point)
            worker.send({"go": point})

    def do_release(self, command: Message) -> None:
        """Let a worker pass a point. It remembers a release that came early; before it has said hello, we do."""
        name, point = command["name"], command["point"]
        if name in self._workers:
            with suppress(OSError):  # It has ended, and its end is told as such.
                self._workers[name].send({"go": point})
        else:
            self._released.setdefault(name, []).append(point)

    def do_stop(self, command: Message) -> bool:
        """Ask a worker to end after its current operation."""
        worker = self._workers.get(command["name"])
        if worker is None:
            return False
        with suppress(OSError):
            worker.send({"stop": True})
        return True

    # -- processes ---------------------------------------------------------------------------------------------------

    def do_spawn(self, command: Message) -> None:
        """Start a program or, with ``python``, a callable in this interpreter."""
        for path, content in command.get("files", {}).items():
            self.do_put({"path": path, "content": content})
        name, own = command["name"], {"HOME": self._folder, "TMPDIR": self._folder, "LANG": "C.UTF-8"}
        env = {**self._surroundings(command), **own, **command["env"]}
        argv, attach = command["argv"], command.get("attach")
        if attach:
            argv = [word.replace("{pid}", str(self._processes.id_of(attach))) for word in argv]
        if command.get("python") and command.get("interpreter"):
            argv = by_interpreter(command["interpreter"], command["python"], command["arguments"], command["sys_path"])
        called = command["python"], command["arguments"], env, command["sys_path"]
        launch = self._execute(argv, env, command) if argv else call(*called)
        self._workers.pop(name, None)
        self._released.pop(name, None)
        self._processes.start(name, launch, program=argv[0] if argv else None, tool_of=attach)
        if self._listening:
            self._listening.expect()

    def _surroundings(self, command: Message) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath)}

    def _execute(self, argv: list[str], env: dict[str, str], command: Message) -> Callable[[], None]:
        return execute(argv, env)

    def do_signal(self, command: Message) -> int:
        """Signal a process and all it started."""
        return self._processes.signal(command["name"], command["signal"])

    def do_state(self, command: Message) -> str:
        """Running, stopped or ended."""
        self._reap_all()
        return self._processes.state(command["name"])

    def do_freeze(self, command: Message) -> int:
        """Stop everything but the mesh."""
        return self._processes.freeze()

    def do_thaw(self, command: Message) -> int:
        """Let everything go on."""
        return self._processes.thaw()

    # -- network -----------------------------------------------------------------------------------------------------

    def do_ip(self, command: Message) -> None:
        """Run an ``ip -batch`` script in this namespace."""
        run_ip(command["batch"])

    def do_sysctl(self, command: Message) -> None:
        """Write settings of this network namespace; a kernel without one of them has nothing to be switched off."""
        for name, value in command["values"].items():
            with suppress(FileNotFoundError):
                Path(f"/proc/sys/net/{name}").write_text(value)

    def do_nft(self, command: Message) -> str:
        """One nftables transaction."""
        if self._nft is None:
            self._nft = Nft()
        return self._nft(command["script"], json=command.get("json", False))

    def do_listening(self, command: Message) -> None:
        """Watch the party's declared ports and tell the peers, from now on."""
        self._listening = Listening(command)
        self._selector.register(self._listening, selectors.EVENT_READ, self._listening.look)

    def do_repeat(self, command: Message) -> None:
        """Tell peers that have just come which ports are open."""
        if self._listening:
            self._listening.repeat()

    def do_proxy(self, command: Message) -> None:
        """Start this party's Toxiproxy and wait until its API answers."""
        env = {"PATH": os.environ.get("PATH", os.defpath)}
        argv = [command["program"], "-host", network.API_HOST, "-port", str(network.API_PORT)]
        self._processes.start(PROXY, execute(argv, env), program=argv[0], mesh=True)

        def answers() -> bool:
            return network.toxiproxy([("GET", "/version", None)], deadline_s=0.5)[0][0] == 200

        if not poll(answers, within_s=command["within_s"]):
            raise TimeoutError(f"Toxiproxy did not answer within {command['within_s']} s")

    def do_end_proxy(self, command: Message) -> None:
        """Kill this party's Toxiproxy, hung or not; no exit is told, since it was asked for."""
        self._processes.end(PROXY)

    def do_http(self, command: Message) -> list[Any]:
        """Calls to the party's Toxiproxy."""
        requests = [(method, path, body) for method, path, body in command["requests"]]
        side_by_side = command.get("side_by_side", False)
        return list(network.toxiproxy(requests, deadline_s=command["deadline_s"], side_by_side=side_by_side))

    def do_canaries(self, command: Message) -> list[Any]:
        """Connection attempts from this party."""
        wanted = [
            (host, port, base64.b64decode(ping) if ping is not None else None, within_s)
            for host, port, ping, within_s in command["wanted"]
        ]
        return list(network.canaries(wanted))

    def do_unsettled(self, command: Message) -> int:
        """Abandoned sockets with bytes for a peer."""
        return network.unsettled(command["shadow"])

    def do_namespace(self, command: Message) -> None:
        """Hand out this party's network namespace."""
        self._fds = (os.open("/proc/self/ns/net", os.O_RDONLY),)

    # -- files -------------------------------------------------------------------------------------------------------

    def do_put(self, command: Message) -> None:
        """Write a file, making its folders."""
        path = Path(os.path.normpath(Path(self._folder, command["path"])))
        if not any(path.is_relative_to(own) for own in (self._folder, self._logs)):
            raise PermissionError(f"{path} is outside this party's folders")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(command["content"]))

    def do_get(self, command: Message) -> str:
        """Read a piece of a file; nothing when there is no such file yet. A folder reads as the names in it."""
        path, offset = Path(self._folder, command["path"]), command["offset"]
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return base64.b64encode(file.read(PIECE)).decode()
        except FileNotFoundError:
            return ""
        except IsADirectoryError:
            names = "\n".join(sorted(each.name for each in path.iterdir())).encode()
            return base64.b64encode(names[offset : offset + PIECE]).decode()

    def do_kept(self, command: Message) -> list[str]:
        """The files of the kept folder, relative to it."""
        root = Path(self._logs)
        return [str(path.relative_to(root)) for path in sorted(root.rglob("*")) if path.is_file()]


def run_ip(batch: str) -> None:
    """Run an ``ip -batch`` script; the error names the line that ip refused."""
    import subprocess

    try:
        done = subprocess.run(["ip", "-batch", "-"], input=batch, text=True, capture_output=True, check=False)
    except FileNotFoundError:
        raise OSError("the program ip is missing (Debian package iproute2)") from None
    if done.returncode:
        raise OSError(f"ip: {done.stderr.strip()}")
