"""
Container images that somebody chose for some systems.
"""

from collections.abc import Mapping

from chaos.errors import UsageError
from chaos.servers.catalogue import SOFTWARE


def checked(chosen: Mapping[str, str]) -> dict[str, str]:
    """Images that somebody chose for some software; a name that nobody knows, or no tag, is refused."""
    known = [name for name, software in SOFTWARE.items() if software.image is not None]
    for name, image in chosen.items():
        if name not in known:
            raise UsageError(f"there is no image to choose for {name!r}; there is for {', '.join(known)}")
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest"):
            raise UsageError(
                f"the image for {name} needs a tag or a digest, and latest is none (it is another one tomorrow): {image!r}"
            )
    return dict(chosen)
