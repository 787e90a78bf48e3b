"""
A party's agent as the first process of a sidecar container, in namespaces and on cables that the engine made.

It talks over the container's own pipes and ends when its input ends, and everything in the container with it. The party's
programs are started from the files of an image of their own, where the party has one: a container of that image stands
still in the same namespaces, and only lends its file system.
"""

import ctypes
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .container import HOLD, KEPT, OWN, clock_name
from .kernel import Nft
from .party import Party, run_ip
from .processes import ProgramError
from .stream import Message, Pipes

HOSTS, NAMES = Path("/etc/hosts"), Path("/etc/resolv.conf")
PR_CAPBSET_DROP = 24
HARNESS_ONLY = (12, 19)
"""CAP_NET_ADMIN and CAP_SYS_PTRACE: the agent needs them, and no program of the party may have them."""
ONE_WAY = """
table ip container {
  chain out {
    type filter hook output priority 0;
    oifname "mgmt" tcp flags & (syn|ack) == syn drop
    oifname "mgmt" udp dport 1-65535 drop
  }
}
"""
"""Nothing of a party goes out over the management plane by itself: its far end is the engine's own host."""


class PreloadError(OSError):
    """A program asks for a library that its image does not have; its loader would only grumble and start it without."""


class Sidecar(Party):
    """The agent of a party that is a container."""

    def __init__(self, stream: Pipes) -> None:
        super().__init__(stream, folder=OWN, logs=KEPT)
        self._lender: int | None = None
        self._image_env: dict[str, str] = {}
        self.kept_alive = False

    def do_lent(self, command: Message) -> bool:
        """From now on start the party's programs from the files of the container that stands still; false before it is here."""
        self._lender = next((pid for pid in self._processes.strangers() if _stands_still(pid)), None)
        if self._lender is None:
            return False
        self._processes.leave_alone(self._lender)
        self._image_env = command["env"]
        return True

    def do_hosts(self, command: Message) -> None:
        """Names that the whole lab shares; written in place, since the file is a mount that other containers see too."""
        with HOSTS.open("a") as file:
            file.write(command["lines"])

    def do_sysctl(self, command: Message) -> None:
        """Only the engine can write them; see that it has."""
        for name, wanted in command["values"].items():
            path = Path(f"/proc/sys/net/{name}")
            if path.exists() and numbers(path.read_text()) != numbers(wanted):
                raise OSError(f"net/{name} is {path.read_text().strip()!r}, and the lab needs {wanted!r}")

    def do_keep(self, command: Message) -> None:
        """Outlive the test process."""
        self.kept_alive = True  # Its input will end, and it goes on.

    def _surroundings(self, command: Message) -> dict[str, str]:
        return self._image_env if self._from_image(command) else super()._surroundings(command)

    def _execute(self, argv: list[str], env: dict[str, str], command: Message) -> Callable[[], None]:
        launch = super()._execute(argv, env, command)
        lender = self._lender if self._from_image(command) else None
        if lender is not None and not _stands_still(lender):
            raise ProgramError("the container of its image, which lends its programs, has ended")
        _refuse_absent_libraries(env, Path("/" if lender is None else f"/proc/{lender}/root"))

        def lent() -> None:
            if lender is not None:
                os.chroot(f"/proc/{lender}/root")
                os.chdir(self._folder)
            if not command.get("attach"):
                _drop_powers()
            launch()

        return lent

    def _from_image(self, command: Message) -> bool:
        """Tools of the harness and workers are the sidecar's own."""
        return self._lender is not None and not command.get("attach") and not command.get("python")


def numbers(setting: str) -> set[int]:
    """The kernel shows neighbours as a range: 7000-7001 for what was written as 7000,7001."""
    found: set[int] = set()
    for part in setting.replace(",", " ").split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _refuse_absent_libraries(env: dict[str, str], root: Path) -> None:
    for library in env.get("LD_PRELOAD", "").replace(":", " ").split():
        if "/" in library and not os.path.lexists(root / library.lstrip("/")):
            raise PreloadError(
                f"its image has no {library}, and a library of another machine cannot be preloaded there"
            )


def _stands_still(pid: int) -> bool:
    """Whether this is the first process of the container that lends an image's files."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] == HOLD.encode()
    except OSError:
        return False


def _drop_powers() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for power in HARNESS_ONLY:
        if libc.prctl(PR_CAPBSET_DROP, power, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def main(config: dict[str, Any]) -> None:
    """Serve until the engine closes our input; never returns."""
    stream = Pipes(0, 1)
    agent = None
    try:
        _furnish(config)
        agent = Sidecar(stream)
        stream.send({"up": os.getpid(), "clock": clock_name()})
        agent.serve()
    except Exception as problem:  # The other end must hear why this party has no agent.
        stream.send({"failed": f"{type(problem).__name__}: {problem}"})
    while agent is not None and agent.kept_alive:
        signal.pause()
    os._exit(0)


def _furnish(config: dict[str, Any]) -> None:
    """Give the engine's devices the names that the rules know, and forget what it says of other names."""
    for folder in (OWN, KEPT):
        Path(folder).mkdir(parents=True, exist_ok=True)
    shown = subprocess.run(
        ["ip", "-j", "-4", "addr"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    for device in json.loads(shown.stdout):
        for name in ("data", "mgmt"):
            if any(address.get("local") == config[name] for address in device["addr_info"]):
                old = device["ifname"]
                # Its routes go with its being down, the default route among them: nothing leads out of the lab.
                run_ip(f"link set {old} down\nlink set {old} name {name}\nlink set {name} up\n")
    HOSTS.write_text("127.0.0.1 localhost\n")
    NAMES.write_text("nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")
    Nft()(ONE_WAY)
