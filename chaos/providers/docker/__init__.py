"""
The docker provider: parties are containers of this machine's engine.

Nothing is asked of the engine but its API: no mount of a folder of ours, no route to its networks. It may be under another
kernel, such as Docker Desktop's; its clock is translated then (``chaos.providers.clock``).
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from chaos.errors import ProviderError, UsageError
from chaos.history.records import empty
from chaos.providers.agented import AgentedLab
from chaos.providers.contract import Lab

__all__ = [
    "IMAGES",
    "NO_LIBRARIES",
    "DockerProvider",
    "build_image",
    "check_image",
    "has_libraries",
    "heal",
    "images_there",
]

IMAGES = {"sidecar": None, "redis": None, "valkey": "valkey", "etcd": "etcd", "kafka": "kafka"}
"""The images that can be built here, each with the software whose versions it comes in; None: in one version only."""

NO_LIBRARIES = (
    "the Python libraries of the docker provider are not installed; run: pip install 'middleware-chaos[docker]'"
)


class DockerProvider:
    """Labs of containers."""

    name = "docker"

    @property
    def abilities(self) -> frozenset[str]:
        """What a container can do."""
        return frozenset({"Images", "PacketRules", "Streams", "Workers"})

    def missing(self) -> str | None:
        """Why labs cannot be made here: no library, no engine, no image; None when nothing is in the way."""
        if not has_libraries():
            return NO_LIBRARIES
        from chaos.providers.docker.connection import connect
        from chaos.providers.docker.images import sidecar_image

        try:
            sidecar_image(connect())
        except ProviderError as problem:
            return str(problem)
        return None

    def open(
        self, *, keep_at: str, mesh: bool = True, warm: Sequence[str] = (), images: Mapping[str, str] = empty()
    ) -> Lab:
        """Make an empty lab."""
        if not has_libraries():
            raise ProviderError(NO_LIBRARIES)
        from chaos.providers.docker.engine import DockerEngine

        return AgentedLab(
            DockerEngine(keep_at=Path(keep_at).absolute(), mesh=mesh, warm=warm, chosen=images), mesh=mesh
        )


def heal() -> list[str]:
    """Remove containers, networks and volumes of labs whose test process is gone; returns a sentence for each lab."""
    if not has_libraries():
        return []
    from chaos.providers.docker import clean
    from chaos.providers.docker.connection import connect, is_expected

    try:
        connect()
    except ProviderError as problem:
        if not is_expected():
            return []  # On a machine without an engine there are no containers.
        raise ProviderError(f"left-over containers cannot be looked for: {problem}") from None
    return clean.heal()


def build_image(name: str, version: str | None = None, *, base: str | None = None) -> str:
    """Build one of the project's own images, such as ``sidecar``, on a Debian ``base``; returns its name and tag."""
    from chaos.providers.docker import recipes
    from chaos.providers.docker.connection import connect

    return recipes.build(connect(), name, version, base=base or recipes.BASE)


def check_image(name: str, version: str | None = None) -> None:
    """Refuse an image that cannot be built here in that version; asks neither an engine nor for our libraries."""
    from chaos.servers.locate import offered

    if name not in IMAGES:
        raise UsageError(f"there is no recipe for an image {name!r}; there are: {', '.join(IMAGES)}")
    software = IMAGES[name]
    if version and software is None:
        raise UsageError(f"the image {name} is built in one version only")
    if version and software is not None:
        offered(software, version)


def images_there() -> dict[tuple[str, str], str]:
    """The images that the engine has, by the system and the offered version that they are taken for."""
    from chaos.providers.docker import images
    from chaos.providers.docker.connection import connect

    return images.taken(connect())


def has_libraries() -> bool:
    """Whether docker-py and Testcontainers are installed."""
    return find_spec("docker") is not None and find_spec("testcontainers") is not None
