"""
Servers made of jars from Maven Central: a pom of our own names them, and a list of sums says which files they are.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaos import process
from chaos.errors import ProviderError
from chaos.servers.cache import new_folder, sum_up
from chaos.servers.java import java_for, maven
from chaos.servers.software import Progress

WITHIN_S = 900.0
UNREACHED = (
    *("Could not transfer", "Unknown host", "Connection refused", "Connect timed out", "Network is unreachable"),
    "No plugin found for prefix",  # What Maven says where it cannot even look for its own plugins.
)
LAST_LINES = 4
_DRESS = re.compile(r"(\x1b\[[0-9;]*m|\[ERROR\]|->\s*\[Help \d+\])")
_ADVICE = ("To see the full stack trace", "Re-run Maven", "For more information", "[Help")
"""Lines of Maven's that are about Maven."""

ARCHIVE = "classes.jsa"
"""An archive of classes beside the launcher is used if it is there. It belongs to jars in just that folder, as named there."""
Prepare = Callable[[Path, Path, Progress], None]
"""What else an installation makes once: given the launcher and the Java."""


def _said(output: str) -> str:
    """What Maven complains of, without colours, prefixes and advice."""
    said = [_DRESS.sub("", line).strip() for line in output.splitlines() if "ERROR" in line]
    words = [line for line in said if line and not line.startswith(_ADVICE)]
    return " ".join(words[:LAST_LINES]) or "no output"


@dataclass(frozen=True, slots=True)
class MavenJars:
    """
    A program of jars, run by a launcher beside them.

    :param source: folder with pom.xml and jars.sha256.
    :param artifact: the one in the pom whose version the program has.
    :param main: the class that is run.
    :param java: the oldest feature release that it runs on.
    :param options: of the Java machine. It runs in the program's folder: files are named by their whole path.
    :param prepare: run once the jars are there.
    """

    source: Path
    artifact: str
    main: str
    program: str
    java: int
    options: tuple[str, ...]
    prepare: Prepare

    @property
    def label(self) -> str:
        """Where it comes from, in words."""
        return f"Maven Central {self.artifact}:{self.version}"

    @property
    def version(self) -> str:
        """As the pom pins it."""
        pom = (self.source / "pom.xml").read_text(encoding="utf-8")
        found = re.search(rf"<artifactId>{re.escape(self.artifact)}</artifactId>\s*<version>([^<]+)</version>", pom)
        assert found, f"{self.source}/pom.xml does not name {self.artifact}"
        return found[1]

    @property
    def on_host(self) -> bool:
        """It is put into the cache."""
        return False

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Fetch the jars, compare them with their sums, and make the launcher."""
        java = java_for(self.java, progress)
        self._fetch_jars(folder / "lib", java, progress)
        self._compare(folder / "lib")
        launcher = self._launcher(folder, java)
        self.prepare(launcher, java, progress)
        sum_up(folder)
        return launcher

    def _fetch_jars(self, lib: Path, java: Path, progress: Progress) -> None:
        mvn = maven(progress)
        progress(f"mvn dependency:copy-dependencies, {self.artifact} {self.version}")
        with new_folder() as work:
            (work / "pom.xml").write_bytes((self.source / "pom.xml").read_bytes())
            goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={lib}")
            argv: list[str | Path] = [mvn, "-q", "-B", "-C", f"-Dmaven.repo.local={work / 'repository'}", *goal]
            done = process.run(argv, timeout_s=WITHIN_S, cwd=work, check=False, env={**os.environ, "NO_COLOR": "1"})
        if done.returncode:
            words = _said(done.stdout + done.stderr)
            missed = any(sign in words for sign in UNREACHED)
            hint = "Maven Central was not reached, see ~/.m2/settings.xml; " if missed else ""
            raise ProviderError(f"{self.program} {self.version} was not fetched: {hint}mvn said: {words}")

    def _compare(self, lib: Path) -> None:
        lines = (self.source / "jars.sha256").read_text(encoding="ascii").splitlines()
        wanted = {name: digest for digest, name in (line.split() for line in lines)}
        seen = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in lib.glob("*.jar")}
        wrong = sorted(name for name in wanted.keys() | seen.keys() if wanted.get(name) != seen.get(name))
        if wrong:
            name = wrong[0]
            found = f"has sha256 {seen[name][:12]}…" if name in seen else "was not fetched"
            pinned = f"{wanted[name][:12]}… is pinned" if name in wanted else "nobody asked for it"
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise ProviderError(f"{self.program} {self.version}: {name} {found}, {pinned}{more}; nothing was installed")

    def _launcher(self, folder: Path, java: Path) -> Path:
        launcher = folder / self.program
        launcher.write_text(
            "#!/bin/sh\n"
            f'[ "$1" = --version ] && echo {self.program} {self.version} && exit\n'
            'here=$(dirname "$(readlink -f "$0")")\n'
            f'java={java}; [ -x "$java" ] || java=java\n'
            f'cd "$here" && [ -e {ARCHIVE} ] && share="-XX:SharedArchiveFile=$here/{ARCHIVE}"\n'
            f'exec "$java" {" ".join(self.options)} $share $JAVA_OPTIONS -cp "lib/*" {self.main} "$@"\n'
        )
        launcher.chmod(0o755)
        return launcher
