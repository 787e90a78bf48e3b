"""
An engine that exists only in a test: images, networks and what its containers would say.
"""

from collections.abc import Sequence
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound


class FakeApi:
    """An engine with these images and these networks."""

    def __init__(self, *tags: str, taken: int = 0, containers: Sequence[dict[str, Any]] = ()) -> None:
        self.tags, self.taken, self.made, self.listed = tags, taken, list[str](), containers
        self.left: list[str] = []

    def containers(self, **chosen: Any) -> Sequence[dict[str, Any]]:
        return self.listed

    def networks(self, **chosen: Any) -> list[dict[str, Any]]:
        return []

    def volumes(self, **chosen: Any) -> dict[str, Any]:
        return {}

    def inspect_container(self, name: str) -> None:
        raise NotFound("no such container")

    def remove_container(self, name: str, **how: Any) -> None:
        if name not in self.left:
            raise NotFound("no such container")
        self.left.remove(name)

    def inspect_image(self, name: str) -> dict[str, Any]:
        if name not in self.tags:
            raise ImageNotFound("no such image")
        return {"Config": {"Env": ["PATH=/bin", "A=b=c"]}}

    says, code = "server v=7.0.99 sha=0", 0

    def create_host_config(self, **options: Any) -> dict[str, Any]:
        return options

    def create_container(self, image: str, command: list[str], **options: Any) -> str:
        self.left.append(image)
        return image

    def start(self, made: str) -> None:
        if not self.says:
            raise APIError('exec: "redis-server": executable file not found in $PATH')

    def wait(self, made: str, timeout: float) -> dict[str, int]:
        return {"StatusCode": self.code}

    def logs(self, made: str, *, stdout: bool, stderr: bool) -> bytes:
        return self.says.encode()

    def images(self) -> list[dict[str, Any]]:
        return [{"RepoTags": [tag]} for tag in self.tags] + [{"RepoTags": None}]

    def create_network(self, name: str, **options: Any) -> None:
        if self.taken:
            self.taken -= 1
            raise APIError("Pool overlaps with other one on this address space")
        self.made.append(name)

    def remove_network(self, name: str) -> None:
        self.made.remove(name)


def api(*tags: str, taken: int = 0) -> Any:
    return FakeApi(*tags, taken=taken)
