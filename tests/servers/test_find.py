"""
Looking for software: what is taken, what is refused, and that nothing is ever fetched.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.errors import MissingSoftwareError, ProviderError, UsageError
from chaos.servers import SOFTWARE, ChangedSoftwareError, cache_folder, find, install, installed
from chaos.servers.cache import sum_up
from chaos.servers.maven import MavenJars
from tests.servers.conftest import Machine
from tests.servers.fakes import debian, offer_valkey


def test_missing_software_names_the_command_that_installs_it(machine: Machine) -> None:
    with pytest.raises(MissingSoftwareError, match=r"redis 6\.2 is not installed; run: chaos install redis=6\.2$"):
        find("redis", "6.2")
    assert not machine.cache.exists()


def test_unknown_name_lists_what_there_is(machine: Machine) -> None:
    with pytest.raises(UsageError, match=r"unknown software 'redsi'; there is .*toxiproxy, redis"):
        find("redsi")


def test_version_that_nobody_offers_lists_the_offers(machine: Machine) -> None:
    with pytest.raises(UsageError, match=r"redis 5 is not offered \(there is 7\.0, 6\.2\)"):
        find("redis", "5")


def test_program_on_path_is_taken_with_the_version_it_says(machine: Machine) -> None:
    machine.program("redis-server", "echo Redis server v=7.4.1 sha=0 bits=64")

    found = find("redis")

    assert (found.version, found.source) == ("7.4.1", "PATH")
    assert find("redis", "7.4") == find("redis", "7") == found


def test_program_on_path_of_another_version_is_not_taken(machine: Machine) -> None:
    machine.program("redis-server", "echo Redis server v=7.0.15")

    with pytest.raises(MissingSoftwareError):
        find("redis", "6.2")


def test_too_old_program_on_path_is_as_good_as_none(machine: Machine) -> None:
    machine.program("node", "echo v18.20.4")

    with pytest.raises(MissingSoftwareError):
        find("node")


def test_default_offer_comes_before_path_and_path_before_older_installations(machine: Machine, as_root: None) -> None:
    debian(machine)
    install("redis")
    machine.program("redis-server", "echo Redis server v=8.0.0")

    assert find("redis").version == "7.0.15"
    assert [each.version for each in installed() if each.name == "redis"] == ["7.0.15", "8.0.0"]


def test_newest_patch_release_answers_unless_one_is_named(machine: Machine) -> None:
    for each in ("9.1.2", "9.1.10"):
        offer_valkey(machine, each)
        install("valkey", each)

    asked = [None, "9", "9.1", "9.1.2", "9.1.10"]

    assert [find("valkey", wanted).version for wanted in asked] == ["9.1.10", "9.1.10", "9.1.10", "9.1.2", "9.1.10"]


@pytest.mark.parametrize(
    ("harm", "answer"), [(lambda jar: jar.write_text("else"), "sha256 .*…"), (lambda jar: jar.unlink(), "it is gone")]
)
def test_a_damaged_file_of_a_program_of_many_is_refused_and_repaired_by_installing(
    machine: Machine, harm: Callable[[Path], None], answer: str
) -> None:
    offer_valkey(machine, "9.1.2")
    install("valkey")
    place = machine.cache / "valkey" / "9.1.2"
    (place / "lib").mkdir(exist_ok=True)
    jar = place / "lib" / "one.jar"
    jar.write_text("one")
    sum_up(place)
    assert find("valkey").version == "9.1.2"
    harm(jar)
    with pytest.raises(
        ChangedSoftwareError, match=rf"one\.jar is not what was installed: {answer} where .* run: chaos in"
    ):
        find("valkey")
    assert install("valkey").version == "9.1.2"
    assert find("valkey").version == "9.1.2"


def test_a_cache_that_cannot_be_written_is_said_in_a_sentence(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer_valkey(machine, "9.1.2")
    (tmp_path / "file").touch()
    monkeypatch.setenv("CHAOS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(
        ProviderError, match=r"the cache .*/file/cache cannot be written \(Not a directory\); CHAOS_CACHE"
    ):
        install("valkey")


def test_changed_program_is_refused_in_a_sentence(machine: Machine) -> None:
    offer_valkey(machine, "9.1.2")
    program = install("valkey").program
    program.write_text("#!/bin/sh\necho Valkey server v=9.1.2 and more\n")

    with pytest.raises(ChangedSoftwareError, match=r"is not what was installed: .* run: chaos install valkey=9\.1\.2"):
        find("valkey")


def test_updated_package_shows_its_new_version(machine: Machine, as_root: None) -> None:
    debian(machine)
    install("redis")
    machine.program("redis-check-rdb", "echo Redis server v=7.0.16 sha=1")

    assert find("redis").version == "7.0.16"


def test_removed_package_counts_as_not_installed(machine: Machine, as_root: None) -> None:
    debian(machine)
    install("redis")
    (machine.folder / "bin" / "redis-check-rdb").unlink()

    with pytest.raises(MissingSoftwareError):
        find("redis")


def test_cache_lies_where_the_environment_says(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == machine.cache

    monkeypatch.delenv("CHAOS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")

    assert str(cache_folder()) == "/somewhere/middleware-chaos"


@pytest.mark.parametrize("name", SOFTWARE)
def test_every_entry_has_offers_that_can_be_told_apart(name: str) -> None:
    offers = [offer.version for offer in SOFTWARE[name].offers]

    assert offers
    assert len(set(offers)) == len(offers)
    of_jars = all(isinstance(offer.source, MavenJars) for offer in SOFTWARE[name].offers)
    assert SOFTWARE[name].on_path or SOFTWARE[name].role == "client" or of_jars  # Libraries and jars are on no PATH.
