"""
What the machine itself has to do with a lab: it is left as it was, and what it lacks is said in one sentence.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.errors import ProviderError
from chaos.network.rules import Closed, Gate, Wire
from chaos.providers import PROVIDERS, choose
from chaos.providers.contract import Lab
from chaos.providers.local import LocalProvider, try_out
from tests.conformance.talk import client, node, serve


def host() -> dict[str, str]:
    """Everything of the host's network that a lab could have touched."""
    commands = {
        "rules": ["nft", "list", "ruleset"],
        "links": ["ip", "-o", "link"],
        "addresses": ["ip", "-o", "address"],
        "routes": ["ip", "route", "show", "table", "all"],
        "neighbours": ["ip", "netns"],
    }
    seen = {name: subprocess.run(argv, capture_output=True, text=True).stdout for name, argv in commands.items()}
    for setting in ("ipv4/ip_forward", "ipv4/ip_local_port_range", "ipv6/conf/all/disable_ipv6"):
        seen[setting] = Path("/proc/sys/net", setting).read_text()
    seen["hosts"], seen["name"] = Path("/etc/hosts").read_text(), os.uname().nodename
    return seen


def test_the_host_is_the_same_before_during_and_after_a_lab(local: LocalProvider, tmp_path: Path) -> None:
    before = host()
    lab = local.open(keep_at=str(tmp_path))
    try:
        lab.place([node("n1"), client("c1")])
        serve(lab, "n1")
        lab.reach("observer", "n1", 7000, "management")
        lab.apply([Gate(source="c1", target="n1", action="drop"), Wire(source="c1", target="n1", action="drop")])
        lab.apply([Closed(source="c1", target="n1")])
        assert host() == before
    finally:
        lab.close()
    assert host() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_says_so(lab: Lab, local: LocalProvider, small_disk: Path, tmp_path: Path) -> None:
    full = local.open(keep_at=str(small_disk / "kept"))
    try:
        full.place([node("n1")])
        with pytest.raises(ProviderError, match=r"n1: put failed: .*No space left on device"):
            full.put("n1", f"{full.kept('n1')}/large", bytes(1 << 20))
    finally:
        full.close()


def test_a_full_temporary_folder_says_so(
    local: LocalProvider, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    (small_disk / "filler").write_bytes(bytes(150_000))
    number = 0
    with pytest.raises(OSError, match="No space"):  # noqa: PT012 - until the last inode and byte are gone.
        while True:
            number += 1
            (small_disk / f"f{number}").write_bytes(bytes(4096))
    with pytest.raises(ProviderError, match="No space left on device"):
        local.open(keep_at=str(tmp_path / "kept"))


def test_a_temporary_folder_that_cannot_be_used_is_named(
    local: LocalProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    with pytest.raises(ProviderError, match="cannot make the folder /proc/nowhere/chaos-"):
        local.open(keep_at=str(tmp_path))
    foreign = tmp_path / f"chaos-{os.getuid()}"
    foreign.symlink_to(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ProviderError, match="belongs to somebody else; set TMPDIR"):
        local.open(keep_at=str(tmp_path / "kept"))


def test_missing_software_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAOS_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert LocalProvider().missing() == "toxiproxy is not installed; run: chaos install toxiproxy"


def test_a_missing_program_names_its_package(
    local: LocalProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match=r"the program ip is missing \(Debian package iproute2\)"):
        local.open(keep_at=str(tmp_path), mesh=False)


class Refusing:
    """A provider on a kernel that allows nothing."""

    name = "refusing"
    abilities: frozenset[str] = frozenset()

    def missing(self) -> str | None:
        return try_out(self, user_namespace=True)

    def open(self, *, keep_at: str, mesh: bool = True, warm: object = (), images: object = ()) -> Lab:
        raise ProviderError("lab x: ready failed: [Errno 1] unshare(0x10000000): Operation not permitted")


def test_a_kernel_that_refuses_namespaces_gets_advice(local: LocalProvider) -> None:
    assert "sysctl kernel.apparmor_restrict_unprivileged_userns=0" in (Refusing().missing() or "")


def test_an_unknown_provider_is_told_the_names() -> None:
    with pytest.raises(ValueError, match="there is no provider 'docked'; there are: auto, local"):
        choose("docked")


def test_auto_takes_local_first(local: LocalProvider) -> None:
    provider, reason = choose()
    assert (provider.name, reason) == ("local", "the first that works here")


def test_auto_says_why_it_passed_one_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "local", Refusing)
    monkeypatch.setattr("chaos.providers.AUTO", ("local", "memory"))
    provider, reason = choose()
    assert provider.name == "memory"
    assert reason.startswith("the first that works here; local: ")
    assert "Operation not permitted" in reason
