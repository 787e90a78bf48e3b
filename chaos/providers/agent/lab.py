"""
A lab's life: a janitor outside, an init inside, and launchers that fork the parties' agents.

The init is process 1 of the lab's PID namespace. It holds one end of a socket whose other end only the test process holds:
on end of file, however the test process died, init exits, and the kernel ends every process of the lab and frees its
namespaces. The janitor, its parent, then removes the lab's data folder.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import kernel, relay
from .party import Party, run_ip
from .stream import Message, Stream

SWITCH = """link set lo up
link add name swdata type bridge
link add name swmgmt type bridge
link set swdata up
addr add {observer}/24 dev swmgmt
link set swmgmt up
"""


def main(config: Message) -> None:
    """The janitor: make the namespaces, start init in them, wait for its end, clean up."""
    folder = Path(config["folder"])
    control, relay_end = (socket.socket(fileno=fd) for fd in config["fds"])
    flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWPID
    stream = Stream(control)
    config["leaky_root"] = not config["user_namespace"] and _below_a_shared_mount()
    try:
        # Made here and not by the test process: whoever makes it must live to remove it.
        folder.mkdir(mode=0o700)
        note = {"janitor": os.getpid(), **config["note"]}
        (folder / "lab.json").write_text(json.dumps(note))
        uid, gid = os.getuid(), os.getgid()
        if config["user_namespace"]:
            kernel.unshare(kernel.CLONE_NEWUSER)
            kernel.become_root(uid, gid)
        kernel.unshare(flags)
    except OSError as problem:
        stream.send({"failed": str(problem)})
        shutil.rmtree(folder, ignore_errors=True)
        return
    pid = os.fork()
    if pid == 0:
        kernel.die_with_parent(signal.SIGKILL)
        _init(stream, relay_end, config)
    control.close()
    relay_end.close()
    os.waitpid(pid, 0)
    shutil.rmtree(folder, ignore_errors=True)


def _init(stream: Stream, relay_end: socket.socket, config: Message) -> None:
    """Process 1: never returns."""
    try:
        _furnish(config)
        if os.fork() == 0:
            stream.socket.close()
            relay.main(Stream(relay_end))
        relay_end.close()
        stream.send({"ready": True})
        Init(stream, config).serve()
    except Exception as problem:  # Nothing may escape: the test process must hear why the lab is gone.
        with suppress(OSError):
            stream.send({"failed": f"{type(problem).__name__}: {problem}"})
    os._exit(0)


def _furnish(config: Message) -> None:
    try:
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    except OSError:  # A plain chroot: its root is no mount point, so nothing can be said of how mounts in it spread.
        if config["leaky_root"]:
            raise OSError(
                "this root is a folder on a shared mount, into which the lab's mounts would leak; "
                "outside, run: mount --bind ROOT ROOT && mount --make-private ROOT, and enter it again"
            ) from None
    kernel.mount("proc", "/proc", "proc")
    Path(config["hosts"]).write_text("127.0.0.1 localhost\n")
    kernel.mount(config["hosts"], "/etc/hosts", None, kernel.MS_BIND)
    with suppress(OSError):
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    run_ip(SWITCH.format(observer=config["observer"]))


def _below_a_shared_mount() -> bool:
    """Whether what is mounted in here would be seen outside; asked of the first process' list, which shows all mounts."""
    with suppress(OSError, ValueError):
        root = os.open("/", os.O_PATH)
        try:
            facts = dict(line.split(":\t", 1) for line in Path(f"/proc/self/fdinfo/{root}").read_text().splitlines())
        finally:
            os.close(root)
        for line in Path("/proc/1/mountinfo").read_text().splitlines():
            if line.split()[0] == facts["mnt_id"].strip():
                return "shared:" in line.partition(" - ")[0]
    return False


class Init:
    """Takes the test process' orders, and reaps what the lab orphans."""

    def __init__(self, stream: Stream, config: Message) -> None:
        self._stream, self._config = stream, config
        self._launchers: dict[str, Stream] = {}
        self._keep = False

    def serve(self) -> None:
        """Work until the test process is gone."""
        signal.signal(signal.SIGCHLD, _reap_orphans)
        while True:
            message = self._stream.receive()
            if message is None:
                break
            try:
                result = getattr(self, f"do_{message['do']}")(message)
                self._stream.send({"result": result})
            except Exception as problem:  # The caller knows what was wanted and whom to blame.
                self._stream.send({"failed": f"{type(problem).__name__}: {problem}"})
        while self._keep:
            signal.pause()

    def do_launcher(self, message: Message) -> None:
        """Start an interpreter that imports modules ahead of time and forks agents on demand."""
        ours, theirs = socket.socketpair()
        argv = [message["interpreter"], "-c", _BOOT, json.dumps({**message, "fd": theirs.fileno()})]
        with Path(self._config["logs"], f"launcher-{len(self._launchers)}.log").open("ab") as log:
            subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[theirs.fileno()], cwd="/"
            )
        theirs.close()
        self._launchers[message["key"]] = Stream(ours)

    def do_party(self, message: Message) -> None:
        """Make a party's agent: forked here, or by the launcher whose imports its workers want."""
        fd = message.pop("fds")[0]
        launcher = self._launchers.get(message.get("launcher") or "")
        if launcher is not None:
            launcher.send(message, (fd,))
        elif os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._stream.close()
            agent(fd, message)
        os.close(fd)

    def do_ip(self, message: Message) -> None:
        """Wire the switch. The reaper must not collect ip's exit code before we have seen it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        try:
            run_ip(message["batch"])
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])

    def do_hosts(self, message: Message) -> None:
        """Names that the whole lab shares; written in place, since the file is a mount."""
        with Path(self._config["hosts"]).open("a") as file:
            file.write(message["lines"])

    def do_keep(self, message: Message) -> int:
        """Outlive the test process."""
        self._keep = True
        return os.getpid()


def _reap_orphans(*_: Any) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def agent(fd: int, message: Message) -> None:
    """In a fresh fork: enter new namespaces and serve as a party's agent; never returns."""
    stream = Stream(socket.socket(fileno=fd))
    try:
        sealed = kernel.CLONE_NEWPID | kernel.CLONE_NEWNS if message["hidden"] else 0
        kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWUTS | sealed)
        kernel.set_host_name(message["name"])
        stream.send({"up": os.getpid()})
        if message["hidden"]:
            _seal(stream, message)
        Party(stream, folder=message["folder"], logs=message["logs"]).serve()
    except Exception as problem:  # The other end must hear why this party has no agent.
        with suppress(OSError):
            stream.send({"failed": f"{type(problem).__name__}: {problem}"})
    os._exit(0)


def _seal(stream: Stream, message: Message) -> None:
    """Go on as process 1 of an own PID namespace, with own folders where the lab's would be; the rest waits for it."""
    pid = os.fork()
    if pid:
        stream.close()
        os.waitpid(pid, 0)
        os._exit(0)
    # The lab's own mounts are private already, and so are their copies here.
    kernel.mount("proc", "/proc", "proc")
    kernel.mount("tmpfs", message["hidden"], "tmpfs")
    for own in (message["folder"], message["logs"]):
        Path(own).mkdir(parents=True)


def launcher(config: Message) -> None:
    """Import ahead, then fork an agent for each order; what cannot be imported is the worker's to report."""
    sys.path[:] = sys.path + [entry for entry in config["sys_path"] if entry not in sys.path]
    for module in config["warm"]:
        with suppress(Exception):
            __import__(module)
    signal.signal(signal.SIGCHLD, _reap_orphans)
    orders = Stream(socket.socket(fileno=config["fd"]))
    while (message := orders.receive()) is not None:
        fd = message.pop("fds")[0]
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            orders.close()
            agent(fd, message)
        os.close(fd)


_PARENT = str(Path(__file__).parent.parent)
_BOOT = (
    f"import json, sys; sys.path.insert(0, {_PARENT!r}); from agent.lab import launcher; "
    "sys.path.pop(0); launcher(json.loads(sys.argv[1]))"
)
