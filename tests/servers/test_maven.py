"""
Jars from Maven Central: compared with their sums before anything is kept, and run by a launcher beside them.
"""

import hashlib
from pathlib import Path

import pytest

from chaos.errors import MissingSoftwareError, ProviderError
from chaos.servers import catalogue
from chaos.servers.cache import SUMS
from chaos.servers.java import java_version
from chaos.servers.maven import MavenJars
from chaos.servers.software import Progress
from tests.servers.conftest import Machine

POM = "<project><artifactId>server_2</artifactId>\n<version>4.4.0</version></project>"


def said(text: str) -> None:
    """Progress that nobody hears."""


def prepared(launcher: Path, java: Path, progress: Progress) -> None:
    (launcher.parent / "prepared").write_text(f"{launcher.name} {java.name}")


def java_says(machine: Machine, version: str) -> None:
    machine.program("java", f"""echo 'openjdk version "{version}" 2025-04-15' >&2""")


def maven_fetches(machine: Machine, **jars: str) -> None:
    """A mvn that puts these jars where it is told."""
    lines = [f"printf {content} > $to/{name}.jar" for name, content in jars.items()]
    found = 'for each in "$@"; do case $each in -DoutputDirectory=*) to=${each#*=};; esac; done'
    machine.program("mvn", "\n".join(["[ -s pom.xml ] || exit 1", found, "/bin/mkdir -p $to", *lines]))


@pytest.fixture
def jars(tmp_path: Path) -> MavenJars:
    """A server of two jars."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "pom.xml").write_text(POM)
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two")}
    (source / "jars.sha256").write_text("".join(f"{digest}  {name}.jar\n" for name, digest in sums.items()))
    return MavenJars(source, "server_2", "a.Main", "server", 17, ("-Xmx9m",), prepared)


def test_jars_are_fetched_and_run_by_a_launcher_in_their_folder(
    machine: Machine, jars: MavenJars, tmp_path: Path
) -> None:
    """With the archive of classes, if there is one."""
    java_says(machine, "17.0.15")
    maven_fetches(machine, one="one", two="two")
    folder = tmp_path / "kept"
    folder.mkdir()
    launcher = jars.fetch(folder, said)
    assert sorted(jar.name for jar in (folder / "lib").iterdir()) == ["one.jar", "two.jar"]
    assert (folder / "prepared").read_text() == "server java"
    assert [line.split()[1] for line in (folder / SUMS).read_text().splitlines()] == [
        *("lib/one.jar", "lib/two.jar", "prepared", "server")
    ]
    assert jars.label == "Maven Central server_2:4.4.0"
    assert 'exec "$java" -Xmx9m $share $JAVA_OPTIONS -cp "lib/*" a.Main "$@"' in launcher.read_text()


@pytest.mark.parametrize(
    ("fetched", "complaint"),
    [
        ({"one": "one", "two": "else"}, r"two\.jar has sha256 [0-9a-f]{12}…, [0-9a-f]{12}… is pinned; nothing was"),
        ({"one": "one"}, r"two\.jar was not fetched, [0-9a-f]{12}… is pinned; nothing was"),
        (
            {"one": "one", "two": "two", "six": "6"},
            r"six\.jar has sha256 [0-9a-f]{12}…, nobody asked for it; nothing was",
        ),
        (
            {"one": "1", "two": "2"},
            r"one\.jar has sha256 [0-9a-f]{12}…, [0-9a-f]{12}… is pinned \(and 1 more\); nothing",
        ),
    ],
)
def test_jars_whose_sums_differ_are_refused(
    machine: Machine, jars: MavenJars, tmp_path: Path, fetched: dict[str, str], complaint: str
) -> None:
    java_says(machine, "21")
    maven_fetches(machine, **fetched)
    with pytest.raises(ProviderError, match=rf"server 4\.4\.0: {complaint}"):
        jars.fetch(tmp_path / "kept", said)


def test_a_java_that_is_too_old_is_named(machine: Machine, jars: MavenJars, tmp_path: Path) -> None:
    java_says(machine, "1.8.0_402")
    with pytest.raises(MissingSoftwareError, match=r"Java 17 or newer \(.*/java is 8\) is not installed; run: apt-get"):
        jars.fetch(tmp_path, said)


def test_a_missing_java_or_maven_is_installed_or_said(
    machine: Machine, as_user: None, jars: MavenJars, tmp_path: Path
) -> None:
    with pytest.raises(MissingSoftwareError, match="openjdk-17-jre-headless is not installed; run"):
        jars.fetch(tmp_path, said)
    java_says(machine, "17")
    with pytest.raises(MissingSoftwareError, match="maven is not installed; run"):
        jars.fetch(tmp_path, said)


def test_what_maven_said_is_quoted(machine: Machine, jars: MavenJars, tmp_path: Path) -> None:
    """With a hint where it was not reached at all."""
    java_says(machine, "17")
    machine.program("mvn", "echo '[ERROR] Unknown host repo'; exit 1")
    with pytest.raises(ProviderError, match=r"not fetched: Maven Central was not reached, see .*: Unknown"):
        jars.fetch(tmp_path, said)
    lines = (
        r"\033[0m[ERROR] No plugin found for prefix dependency -> [Help 1]",
        *("[ERROR]", "[ERROR] Re-run Maven with -X", "[WARNING] x"),
    )
    machine.program("mvn", "\n".join([*(f"printf '{line}\\n'" for line in lines), "exit 1"]))
    with pytest.raises(ProviderError, match=r"was not reached, .*; mvn said: No plugin found for prefix dependency$"):
        jars.fetch(tmp_path, said)
    machine.program("mvn", "echo '[ERROR] no such artifact'; exit 1")
    with pytest.raises(ProviderError, match=r"not fetched: mvn said: no such artifact"):
        jars.fetch(tmp_path, said)


def test_versions_of_java_are_read_as_they_are_written(machine: Machine) -> None:
    """The old way too; a program that does not say is of version 0."""
    for text, version in (("17.0.15", 17), ("1.8.0_402", 8), ("25", 25)):
        java_says(machine, text)
        assert java_version(machine.folder / "bin" / "java") == version
    machine.program("java", "echo no")
    assert java_version(machine.folder / "bin" / "java") == 0


def test_the_sums_are_of_the_jars_that_the_pom_names() -> None:
    """The server itself among them, in the pinned version."""
    lines = (catalogue.KAFKA_4.source / "jars.sha256").read_text().splitlines()
    names = [line.split()[1] for line in lines]
    assert f"kafka_2.13-{catalogue.KAFKA_4.version}.jar" in names
    assert names == sorted(names, key=str)
    assert all(len(line.split()[0]) == 64 for line in lines)
