"""
Images that are built here, without a registry: from Debian packages and from what ``chaos install`` has.
"""

import io
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from docker import APIClient

from chaos import __version__
from chaos.errors import ProviderError, said
from chaos.providers.docker import check_image
from chaos.providers.docker.asking import is_there, version_in
from chaos.providers.docker.connection import PREFIX, blamed
from chaos.servers import SOFTWARE, Installed, find
from chaos.servers.kafka import FORMAT, HOME, LAUNCH, STARTED

__tracebackhide__ = said

SIDECAR = f"{PREFIX}/sidecar:{__version__}"
BUILD = "chaos install image:"
BASE = "debian:bookworm-slim"
BUILD_S = 900

_SIDECAR = """
RUN apt-get update -q && apt-get install -y -q --no-install-recommends python3 nftables libnftables1 iproute2 strace \\
    busybox-static && rm -rf /var/lib/apt/lists/* && mkdir -p /chaos/own /chaos/kept && cp /bin/busybox /chaos/busybox
COPY toxiproxy-server /usr/local/bin/toxiproxy-server
"""
_REDIS = """
RUN apt-get update -q && apt-get install -y -q --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
"""
_VALKEY = """
COPY valkey-server /usr/local/bin/valkey-server
"""
_ETCD = """
COPY etcd /usr/local/bin/etcd
"""
_KAFKA = f"""
RUN apt-get update -q && apt-get install -y -q --no-install-recommends openjdk-17-jre-headless \\
    && rm -rf /var/lib/apt/lists/*
COPY libs {HOME}/libs
COPY archive /tmp/archive
RUN sh /tmp/archive
"""
# Like the official image's, made by a broker that is started once and asked to end.
_ARCHIVE = f"""
set -e
{FORMAT}
launch() {{ {LAUNCH}; }}
(export JAVA_OPTIONS=-XX:ArchiveClassesAtExit={HOME}/kafka.jsa; launch server.properties) >log 2>&1 &
timeout 60 sh -c 'until grep -q "{STARTED}" log; do sleep 0.1; done' || {{ cat log; exit 1; }}
kill -TERM $!
wait $! || true
test -s {HOME}/kafka.jsa
"""
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    How an image is built.

    :param steps: what follows the base, as a Dockerfile says it.
    :param software: what ``chaos install`` must have; None where Debian's packages are all.
    :param files: what goes into the build, of that software.
    """

    steps: str
    software: str | None = None
    files: Callable[[Installed], Files] = lambda _: {}


def _program(name: str) -> Callable[[Installed], Files]:
    return lambda installed: {name: installed.program.read_bytes()}


def _jars(installed: Installed) -> Files:
    folder = Path(installed.program).resolve().parent / "lib"
    jars = {f"libs/{jar.name}": jar.read_bytes() for jar in sorted(folder.glob("*.jar"))}
    return {"archive": _ARCHIVE.encode(), **jars}


RECIPES = {
    "sidecar": Recipe(_SIDECAR, "toxiproxy", _program("toxiproxy-server")),
    "redis": Recipe(_REDIS),
    "valkey": Recipe(_VALKEY, "valkey", _program("valkey-server")),
    "etcd": Recipe(_ETCD, "etcd", _program("etcd")),
    "kafka": Recipe(_KAFKA, "kafka", _jars),
}


def build(api: APIClient, name: str, version: str | None = None, *, base: str = BASE) -> str:
    """
    Build an image; returns its name, with the version that its program says as its tag.

    :param base: a Debian or what is made of one, such as ``python:3.13-slim-bookworm``: a sidecar's workers run under its Python.
    """
    check_image(name, version)
    recipe = RECIPES[name]
    files = recipe.files(find(recipe.software, version)) if recipe.software else {}
    steps = f"FROM {base}{recipe.steps}LABEL {PREFIX}.image={name}\n"
    tag = SIDECAR if name == "sidecar" else f"{PREFIX}/{name}:building"
    with blamed(f"building the image {name}"):
        lines = api.build(
            fileobj=_context({"Dockerfile": steps.encode(), **files}),
            custom_context=True,
            tag=tag,
            rm=True,
            decode=True,
            network_mode="host",
            timeout=BUILD_S,
        )
        said_last, failed = "", None
        for line in lines:
            said_last = line.get("stream", "").strip() or said_last
            failed = failed or line.get("error")
    if failed:
        absent = "" if is_there(api, base) else f"; its base {base} is not on the engine: docker pull or docker load it"
        raise ProviderError(f"building the image {name}: {failed.strip()}; it said last: {said_last}{absent}")
    return tag if name == "sidecar" else _tagged(api, name, tag)


def _tagged(api: APIClient, name: str, building: str) -> str:
    """Name it after the version that its program says."""
    image = SOFTWARE[name].image
    assert image is not None
    tag = f"{image.prefix}{version_in(api, building, image)}"
    with blamed(f"the image {name}"):
        api.tag(building, f"{PREFIX}/{name}", tag)
        api.remove_image(building)
    return f"{PREFIX}/{name}:{tag}"


def _context(files: Files) -> io.BytesIO:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    target.seek(0)
    return target
