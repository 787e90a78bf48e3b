"""
What this machine can do: each ability is tried, not guessed.
"""

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chaos import process
from chaos.errors import ChaosError, MissingSoftwareError
from chaos.servers import find
from chaos.servers.software import which

if TYPE_CHECKING:
    from chaos.providers.contract import Provider

OK, MISSING, OPTIONAL = "ok", "missing", "optional"
LINUX = sys.platform == "linux"
"""Elsewhere there are no namespaces, so every lab is one of containers."""

NAMESPACES = ("--net", "--pid", "--fork")  # Mounts are what the local provider itself tries.
REJECT_AHEAD = """
add table inet probe
add chain inet probe c { type filter hook prerouting priority -350 ; }
add rule inet probe c tcp dport 1 reject with tcp reset
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """
    One thing a machine may be able to do.

    :param state: ``ok``, ``missing`` (experiments need it) or ``optional`` (missing, and only some things need it).
    :param command: what makes it available, when it is not.
    :param software: what ``chaos install`` can install for it.
    """

    name: str
    state: str
    detail: str
    command: str = ""
    software: str | None = None


def abilities() -> Iterator[Ability]:
    """Every ability that can be one here, tried one after another."""
    if LINUX:
        yield labs()
        yield from (tool(name, need) for name, need in TOOLS)
        yield libnftables()
        yield reject_ahead()
        yield tracing()
    yield from (library(name, extra, need) for name, extra, need in LIBRARIES)
    yield from (optional() for optional in (docker, chromium))
    yield from providers()


TOOLS = (
    ("iproute2", MISSING),
    ("nft", MISSING),
    ("toxiproxy", MISSING),
    ("redis", MISSING),
    ("valkey", OPTIONAL),
    ("etcd", OPTIONAL),
    ("client:etcd3", OPTIONAL),
    ("kafka", OPTIONAL),
    ("node", OPTIONAL),
    ("strace", OPTIONAL),
    ("cc", OPTIONAL),
)
LIBRARIES = (
    ("redis", "redis", MISSING),
    ("kafka", "kafka", OPTIONAL),
    ("aiokafka", "kafka-clients", OPTIONAL),
    ("confluent_kafka", "kafka-clients", OPTIONAL),
    ("allure_pytest", "report", OPTIONAL),
)


ELSEWHERE = ("the installer of Docker Desktop, or brew install colima docker", "docker desktop start, or colima start")
"""What makes a container engine available on a laptop: to install it, to start it."""


def labs() -> Ability:
    """Whether namespaces can be made here, as root or in a user namespace."""
    root = process.is_root()
    kind = "root" if root else "user namespaces"
    problem = _fails(_isolated("true"))
    if problem is None:
        return Ability(name="labs", state=OK, detail=f"as {kind}" if root else f"without root, by {kind}")
    return Ability(name="labs", state=MISSING, detail=problem, command=_namespace_advice(root))


def tool(name: str, need: str) -> Ability:
    """A program that ``chaos install`` knows."""
    try:
        there = find(name)
    except MissingSoftwareError as problem:
        return Ability(name=name, state=need, detail="not installed", command=problem.command, software=name)
    except ChaosError as problem:
        return Ability(name=name, state=need, detail=str(problem), command=f"chaos install {name}", software=name)
    return Ability(name=name, state=OK, detail=f"{there.version} ({there.source})")


def libnftables() -> Ability:
    """Rules are changed through the library, in a hundredth of the time that the nft command takes."""
    try:
        ctypes.CDLL("libnftables.so.1")
    except OSError as problem:
        command = "sudo apt-get install nftables"
        return Ability(name="libnftables", state=MISSING, detail=str(problem), command=command, software="nft")
    return Ability(name="libnftables", state=OK, detail="loads")


def reject_ahead() -> Ability:
    """Whether the kernel can reject ahead of connection tracking (Linux 5.9), which a rejecting partition needs."""
    name = "reject rules"
    nft = which("nft")
    if nft is None:
        return Ability(name=name, state=MISSING, detail="cannot be tried without nft", command="chaos install nft")
    problem = _fails(_isolated(str(nft), REJECT_AHEAD))
    if problem is None:
        return Ability(name=name, state=OK, detail="the kernel rejects ahead of connection tracking")
    return Ability(name=name, state=MISSING, detail=problem, command="a kernel of at least 5.9 with nf_tables")


def tracing() -> Ability:
    """Whether system calls can be traced here, which faults of the disk need."""
    strace = which("strace")
    if strace is None:
        return Ability(
            name="tracing", state=OPTIONAL, detail="cannot be tried without strace", command="chaos install strace"
        )
    problem = _fails([str(strace), "-o", "/dev/null", "true"])
    if problem is None:
        return Ability(name="tracing", state=OK, detail="system calls can be held up and failed")
    advice = "inside a container: start it with --cap-add SYS_PTRACE; elsewhere see /proc/sys/kernel/yama/ptrace_scope"
    return Ability(name="tracing", state=OPTIONAL, detail=problem, command=advice)


def library(module: str, extra: str, need: str) -> Ability:
    """A Python library of an extra."""
    name = f"python {module}"
    if importlib.util.find_spec(module) is not None:
        return Ability(name=name, state=OK, detail="importable")
    return Ability(name=name, state=need, detail="not installed", command=f"pip install 'middleware-chaos[{extra}]'")


def docker() -> Ability:
    """A container engine; where no other lab can be made, experiments need it."""
    install, start = ("sudo apt-get install docker.io", "sudo systemctl start docker") if LINUX else ELSEWHERE
    need = OPTIONAL if LINUX else MISSING
    if which("docker") is None:
        return Ability(name="docker", state=need, detail="no docker on PATH", command=install)
    argv = ["docker", "version", "--format", "{{.Server.Version}}"]
    if (problem := _fails(argv)) is not None:
        command = start
        if "permission denied" in problem.lower():
            command = "sudo usermod -aG docker $USER, and log in again"
        elif os.environ.get("DOCKER_HOST"):
            command = "unset DOCKER_HOST, or start the engine it names"
        return Ability(name="docker", state=need, detail=problem, command=command)
    return Ability(name="docker", state=OK, detail=f"engine {process.run(argv, timeout_s=20).stdout.strip()}")


def chromium() -> Ability:
    """A browser that can take pictures of the report."""
    if (program := which("chromium", "chromium-browser", "google-chrome")) is not None:
        return Ability(name="chromium", state=OK, detail=str(program))
    command = "sudo apt-get install chromium" if LINUX else "the installer of Chrome or Chromium"
    return Ability(name="chromium", state=OPTIONAL, detail="pictures of the report cannot be taken", command=command)


def providers() -> Iterator[Ability]:
    """What each provider says of this machine; experiments need one of them."""
    from chaos.providers import PROVIDERS

    said = {name: _missing(make) for name, make in PROVIDERS.items()}
    need = OPTIONAL if None in said.values() else MISSING
    for name, problem in said.items():
        state, detail = (OK, "can make labs") if problem is None else (need, problem)
        yield Ability(name=f"provider {name}", state=state, detail=detail)


def _missing(make: "Callable[[], Provider]") -> str | None:
    try:
        return make().missing()
    except Exception as problem:  # Whatever it is, this provider does not work here, and the doctor goes on.
        return f"{type(problem).__name__}: {problem}"


def _isolated(program: str, text: str | None = None) -> list[str]:
    """The program in fresh namespaces; ``text`` is handed to it as nft's script."""
    user = [] if process.is_root() else ["--user", "--map-root-user"]
    return ["unshare", *user, *NAMESPACES, program, *([text] if text else [])]


def _fails(argv: list[str]) -> str | None:
    try:
        done = process.run(argv, timeout_s=20, check=False)
    except ChaosError as problem:
        return str(problem)
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return said[0] if said else f"{argv[0]} ended with code {done.returncode}"


def _namespace_advice(root: bool) -> str:
    if root:
        return "inside a container: start it with --privileged (or CAP_SYS_ADMIN and CAP_NET_ADMIN)"
    if _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if _sysctl("kernel/unprivileged_userns_clone") == "0":
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _sysctl("user/max_user_namespaces") == "0":
        return "sudo sysctl -w user.max_user_namespaces=10000"
    return "run as root: sudo -E chaos ..."


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""
