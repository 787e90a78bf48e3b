"""
What an image says of itself: how it was made, which version its program is, what its tools make.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from docker import APIClient
from docker.errors import APIError, ImageNotFound

from chaos.errors import ProviderError, said
from chaos.providers.docker.connection import PREFIX, blamed, owned
from chaos.servers.software import Image, found_version

__tracebackhide__ = said

ASK_S = 60
LAST_LINES = 3


def inspected(api: APIClient, image: str) -> dict[str, Any]:
    """What the engine knows of an image; ``ImageNotFound`` if it has none of that name."""
    absent: ImageNotFound | None = None
    with blamed(f"the image {image}"):
        try:
            found: dict[str, Any] = api.inspect_image(image)  # type: ignore[no-untyped-call]
            return found
        except ImageNotFound as problem:
            absent = problem
    raise absent


def is_there(api: APIClient, image: str) -> bool:
    """Whether the engine has an image of this name."""
    try:
        inspected(api, image)
    except ImageNotFound:
        return False
    return True


def version_in(api: APIClient, image: str, entry: Image) -> str:
    """The version that an image's program says."""
    words = asked(api, image, entry.asks).decode(errors="replace")
    if (found := found_version(words)) is None:
        raise ProviderError(f"the image {image} does not say its version but: {words.strip()[-200:]!r}")
    return found


def asked(api: APIClient, image: str, argv: Sequence[str]) -> bytes:
    """What a program of an image prints; asked once of each image."""
    return _asked(api, inspected(api, image).get("Id", image), image, tuple(argv))


@cache
def _asked(api: APIClient, _id: str, image: str, argv: tuple[str, ...]) -> bytes:
    """In a container of its own, which has no network."""
    with blamed(f"the image {image}"):
        made = api.create_container(
            image,
            list(argv[1:]),
            entrypoint=[argv[0]],
            user="0",
            labels={f"{PREFIX}.asked": image, **owned()},
            host_config=api.create_host_config(network_mode="none"),
        )
        try:
            started = _started(api, made)
            code = api.wait(made, timeout=ASK_S)["StatusCode"] if started else 0
            printed: bytes = api.logs(made, stdout=True, stderr=False) if started else b""
            everything: bytes = api.logs(made, stdout=True, stderr=True) if code else b""
        finally:
            api.remove_container(made, force=True)
    if not started:
        raise ProviderError(f"the image {image} has no {argv[0]}, so it is none of this system")
    if code:
        last = "; ".join(everything.decode(errors="replace").strip().splitlines()[-LAST_LINES:])
        raise ProviderError(f"the image {image} ran {argv[0]} and failed with {code}: {last or 'it said nothing'}")
    return printed


def _started(api: APIClient, made: Any) -> bool:
    """Whether it could be started: False where the image lacks the program."""
    try:
        api.start(made)
    except APIError as problem:
        if "executable file not found" in str(problem) or "no such file or directory" in str(problem):
            return False
        raise
    return True
