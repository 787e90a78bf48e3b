"""
A machine of our own: an empty cache, and only the programs a test puts there. No test here reaches the network.
"""

import base64
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chaos.servers import software


@dataclass(frozen=True, slots=True)
class Machine:
    """Programs on PATH, a cache, and wheels that pip finds without a network."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def program(self, name: str, script: str) -> Path:
        """A shell script on PATH; only absolute paths and shell builtins work in it."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def wheel(self, package: str, version: str, files: dict[str, str]) -> None:
        """A wheel for pip to install."""
        info = f"{package.replace('-', '_')}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        content = {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": tags}
        record = "".join(f"{name},sha256={_digest(text)},{len(text.encode())}\n" for name, text in content.items())
        with zipfile.ZipFile(
            self.folder / "wheels" / f"{info.removesuffix('.dist-info')}-py3-none-any.whl", "w"
        ) as file:
            for name, text in {**content, f"{info}/RECORD": record}.items():
                file.writestr(name, text)

    def said(self, name: str = "log") -> list[str]:
        """What the programs wrote down."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A bare machine."""
    made = Machine(tmp_path)
    for name in ("bin", "wheels"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(software, "ADMIN_FOLDERS", ())
    for name, value in {
        "PATH": tmp_path / "bin",
        "CHAOS_CACHE": made.cache,
        "PIP_NO_INDEX": 1,
        "PIP_FIND_LINKS": tmp_path / "wheels",
        "PIP_CONFIG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, str(value))
    yield made
    shutil.rmtree(made.cache, ignore_errors=True)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages may be installed."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages may not be installed."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
