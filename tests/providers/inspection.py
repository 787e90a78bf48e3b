"""
What a lab is made of, seen from the machine: for tests that look for what is left of it.
"""

import os
from pathlib import Path

from chaos.providers.agented import AgentedLab
from chaos.providers.contract import Lab


def holders(mark: str) -> set[int]:
    """The processes that carry this text in their command line or environment."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        for part in ("cmdline", "environ"):
            try:
                if mark.encode() in (entry / part).read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def janitor(lab: Lab) -> int:
    """The process under which all of a lab runs."""
    (found,) = [
        pid for pid in holders(lab.name) if Path(f"/proc/{pid}/stat").read_text().split()[3] == str(os.getpid())
    ]
    return found


def proxy(lab: Lab, party: str) -> int:
    """The Toxiproxy of one party."""
    assert isinstance(lab, AgentedLab)
    descriptor = lab._roster.channel(party).descriptor({"op": "namespace"})
    own = os.fstat(descriptor).st_ino
    os.close(descriptor)
    for entry in Path("/proc").iterdir():
        try:
            if b"toxiproxy" in (entry / "cmdline").read_bytes() and (entry / "ns" / "net").stat().st_ino == own:
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError(f"{party} has no Toxiproxy")


def left(label: str) -> list[str]:
    """The names of all containers, networks and volumes of the engine that have a label."""
    from chaos.providers.docker import connection

    containers, networks, volumes = connection.found(connection.connect(), label)
    return [str(one.get("Names") or one["Name"]) for one in (*containers, *networks, *volumes)]
