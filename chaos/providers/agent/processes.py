"""
The processes of one party: start, find, signal, freeze, and tell when they end.

Membership is the network namespace: whatever runs in it, started by us or by what we started, belongs to the party,
except the agent itself and the mesh.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from .launching import TAG, become, in_words

FIXPOINT_ROUNDS = 200
EFFECTS: dict[int, str] = {signal.SIGSTOP: "TtZX", signal.SIGKILL: "ZX"}
"""Signals that cannot be caught, with the states that show their effect."""


def network_of(pid: int | str) -> int | None:
    """The inode of a process' network namespace; None when the process is gone."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino  # noqa: PTH116 - a magic link, not a path.
    except OSError:
        return None


def look(pid: int) -> tuple[str, int, int] | None:
    """State letter, parent and session of a process; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[3])


def every_pid() -> list[int]:
    """All processes that this PID namespace shows."""
    with os.scandir("/proc") as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


class ProgramError(OSError):
    """A program that cannot be run; no process has come of it."""


class Processes:
    """What runs in this party, by name."""

    def __init__(self, logs: str, folder: str) -> None:
        self._logs, self._folder = logs, folder
        self._network = network_of("self")
        self._mesh: set[int] = {os.getpid()}
        self._tools: dict[str, str] = {}
        """Tracers, with the name of what they are attached to."""
        self.pids: dict[str, int] = {}
        self._ended: dict[str, int] = {}

    def start(
        self,
        name: str,
        launch: Callable[[], None],
        *,
        program: str | None = None,
        mesh: bool = False,
        tool_of: str | None = None,
    ) -> int:
        """
        Fork; the child writes to the log of its name and does ``launch``, which does not return.

        :param program: what ``launch`` becomes; that it cannot is said here and now.
        :param tool_of: what it is attached to; it is no member of the party, and only by its own name is it found.
        """
        if self.state_of_child(name) != "ended":
            raise ValueError(f"{name} is already running")
        log = f"{self._logs}/{name}.log"
        told, tells = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            become(launch, log, self._folder, name, None if program is None else tells)
        os.close(tells)
        with os.fdopen(told) as pipe:
            problem = pipe.read()  # Ends when the child has become its program, which closes the pipe.
        if problem:
            os.waitpid(pid, 0)
            raise ProgramError(in_words(int(problem), str(program), self._folder))
        self.pids[name] = pid
        self._ended.pop(name, None)
        if mesh:
            self._mesh.add(pid)
        if tool_of is not None:
            self._tools[name] = tool_of
        return pid

    def reap(self) -> Iterator[tuple[str, int]]:
        """Collect ended children; yields (name, exit code or minus the signal) for those with a name."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, known in self.pids.items():
                if known == pid and name not in self._ended:
                    self._ended[name] = os.waitstatus_to_exitcode(status)
                    yield name, self._ended[name]

    def end(self, name: str) -> None:
        """Kill a child and collect it here and now, so that nobody is told."""
        if self.state_of_child(name) != "ended":
            os.kill(self.pids[name], signal.SIGKILL)
            self._ended[name] = os.waitstatus_to_exitcode(os.waitpid(self.pids[name], 0)[1])
        self._mesh.discard(self.pids[name])

    def members(self, name: str | None = None) -> list[int]:
        """The live processes of the party, or those of one name with all that it started."""
        found = {}
        tools = {self.pids[tool] for tool in self._tools if tool != name and self.state_of_child(tool) != "ended"}
        for pid in every_pid():
            if pid in self._mesh or pid in tools or network_of(pid) != self._network:
                continue
            seen = look(pid)
            if seen and seen[0] not in "ZX":
                found[pid] = seen
        if name is None:
            return list(found)
        root = self._known(name)
        return [pid for pid in found if _belongs(pid, root, found) or tag_of(pid) == name]

    def strangers(self) -> list[int]:
        """Members of the party that nobody here started."""
        return [pid for pid in self.members() if pid not in self.pids.values()]

    def leave_alone(self, pid: int) -> None:
        """Count a process among the mesh: no fault on the party touches it."""
        self._mesh.add(pid)

    def state_of_child(self, name: str) -> str:
        """``started`` or ``ended``: of the process itself, not of what it started."""
        return "started" if name in self.pids and name not in self._ended else "ended"

    def state(self, name: str) -> str:
        """``running``, ``stopped`` (with all it started) or ``ended``."""
        if self.state_of_child(name) == "ended":
            return "ended"
        letters = {seen[0] for pid in self.members(name) if (seen := look(pid))}
        if not letters:
            return "running"  # Its last threads are going: until it is collected its name is not free.
        return "stopped" if letters <= {"T", "t"} else "running"

    def signal(self, name: str, number: int) -> int:
        """Signal a name and all it started, again until no new member appears; returns how many were reached."""
        reached = self._to_fixpoint(number, lambda: self.members(name))
        if number == signal.SIGKILL:
            self._let_go(name)
        _wait_effect(reached, number)
        return len(reached)

    def _let_go(self, name: str) -> None:
        """End the tracers of a process that was killed: what they hold cannot die."""
        for tool, of in self._tools.items():
            if of == name and self.state_of_child(tool) != "ended":
                with suppress(ProcessLookupError):
                    os.kill(self.pids[tool], signal.SIGKILL)

    def freeze(self) -> int:
        """Stop all members; returns how many are stopped."""
        reached = self._to_fixpoint(signal.SIGSTOP, self.members)
        _wait_effect(reached, signal.SIGSTOP)
        return len(reached)

    def thaw(self) -> int:
        """Let all members go on."""
        return len(self._to_fixpoint(signal.SIGCONT, self.members))

    def _to_fixpoint(self, number: int, members: Callable[[], list[int]]) -> set[int]:
        reached: set[int] = set()
        for _ in range(FIXPOINT_ROUNDS):
            fresh = [pid for pid in members() if pid not in reached]
            if not fresh:
                break
            for pid in fresh:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            reached.update(fresh)
        return reached

    def id_of(self, name: str) -> int:
        """The id of a process that lives."""
        pid = self._known(name)
        if self.state_of_child(name) == "ended":
            raise ProcessLookupError(f"{name} has ended, so nothing can be attached to it")
        return pid

    def _known(self, name: str) -> int:
        if name not in self.pids:
            raise KeyError(f"no process named {name!r} was started here; there are: {', '.join(self.pids) or 'none'}")
        return self.pids[name]


def _wait_effect(pids: set[int], number: int) -> None:
    """A signal takes effect when the kernel next schedules its target; a fault has bitten only then."""
    if number not in EFFECTS:
        return
    deadline = time.monotonic() + 1.0
    for pid in pids:
        while (seen := look(pid)) and seen[0] not in EFFECTS[number]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {pid} is in state {seen[0]} 1 s after signal {number}")
            os.sched_yield()


def _belongs(pid: int, root: int, found: dict[int, tuple[str, int, int]]) -> bool:
    while pid in found:
        if pid == root or found[pid][2] == root:
            return True
        pid = found[pid][1]
    return False


def tag_of(pid: int) -> str | None:
    """The name under which a process' ancestor was started here, from its environment."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    wanted = f"{TAG}=".encode()
    return next((v[len(wanted) :].decode() for v in environment.split(b"\0") if v.startswith(wanted)), None)
