"""
Which image a program is taken from, and what is said where there is none.
"""

import base64
from pathlib import Path

import pytest

pytest.importorskip("docker")
pytest.importorskip("testcontainers")

from chaos import __version__
from chaos.errors import MissingAbilityError, MissingSoftwareError, ProviderError, UsageError
from chaos.providers.docker import IMAGES, images, recipes
from chaos.servers.images import checked
from tests.providers.fake_engine import api


@pytest.mark.parametrize(
    ("wanted", "version"), [(None, "7.0.15"), ("7", "7.10.1"), ("7.2", "7.2.4"), ("6.2", "6.2.14"), ("7.2.4", "7.2.4")]
)
def test_the_default_version_is_chosen_or_the_newest_that_answers(wanted: str | None, version: str) -> None:
    there = api(
        "redis:7.2.4",
        "redis:7.0.15",
        "redis:7.10.1",
        "middleware-chaos/redis:6.2.14",
        "redis:latest",
        "redis:8.0-rc1",
        "other:9",
    )
    found = images.software(there, "redis", wanted)
    assert (found.version, found.program) == (version, Path("redis-server"))


def test_a_tag_with_a_prefix_is_a_version_all_the_same() -> None:
    assert images.software(api("gcr.io/etcd-development/etcd:v3.6.16"), "etcd", "3.6").version == "3.6.16"


def test_a_missing_image_is_said_with_both_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        MissingSoftwareError, match=r"docker pull redis:7\.0 .*docker load.*or chaos install image:redis\)"
    ):
        images.software(api("redis:6.2.1"), "redis", "7")
    with pytest.raises(MissingSoftwareError, match=r"docker pull redis:8\.2 \(.*docker load it here\)"):
        images.software(api("redis:6.2.1"), "redis", "8.2")
    monkeypatch.setenv(images.MIRROR, "mirror.example/hub/")
    with pytest.raises(MissingSoftwareError, match=r"docker pull mirror.example/hub/redis:7\.0"):
        images.resolve(api(), "redis:7.0")
    with pytest.raises(
        MissingSoftwareError, match=rf"sidecar:{__version__} is not installed; run: chaos install image:sidecar"
    ):
        images.sidecar_image(api())


def test_a_version_that_can_be_built_here_is_said_with_that_command() -> None:
    with pytest.raises(
        MissingSoftwareError, match=r"an image of etcd 3\.4 .*v3\.4\.23 .*chaos install image:etcd=3\.4\)"
    ):
        images.software(api(), "etcd", "3.4")
    with pytest.raises(UsageError, match="the image redis is built in one version only"):
        recipes.build(api(), "redis", "6.2")
    with pytest.raises(UsageError, match="no recipe for an image 'nothing'; there are: sidecar, redis, valkey, etcd"):
        recipes.build(api(), "nothing")
    assert list(IMAGES) == list(recipes.RECIPES)  # The names are known without the libraries that a recipe needs.


def test_an_image_is_taken_as_it_is_from_the_mirror_or_as_built_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(images.MIRROR, "mirror.example")
    built, mirrored = "middleware-chaos/etcd:v3", "mirror.example/gcr.io/etcd-development/etcd:v3"
    official = "gcr.io/etcd-development/etcd:v3"
    assert images.resolve(api(built, mirrored, official), official) == official
    assert images.resolve(api(built, mirrored), official) == mirrored
    assert images.resolve(api(built), official) == built


def test_a_tag_that_is_only_half_a_version_is_asked_for_the_rest() -> None:
    there = api("redis:7.0")
    assert images.software(there, "redis", None).version == "7.0.99"
    assert not there.left


def test_an_image_of_ones_own_is_taken_wherever_its_version_answers() -> None:
    there = api("mine/redis:patched", "redis:6.2.14")
    chosen = {"redis": "mine/redis:patched"}
    for wanted in (None, "7", "7.0.99"):
        found = images.software(there, "redis", wanted, chosen)
        assert (found.image, found.version) == ("mine/redis:patched", "7.0.99")
    assert images.software(there, "redis", "6.2", chosen).image == "redis:6.2.14"
    with pytest.raises(
        MissingSoftwareError, match=r"of redis 6\.0 \(mine/redis:patched was chosen, and is 7\.0\.99\) is not"
    ):
        images.software(there, "redis", "6.0", chosen)
    with pytest.raises(MissingSoftwareError, match="image mine/redis:other is not installed; run: docker pull mine"):
        images.software(there, "redis", None, {"redis": "mine/redis:other"})


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"reddis": "redis:7"}, "no image to choose for 'reddis'; there is for redis, valkey, etcd, kafka"),
        ({"redis": "redis"}, "needs a tag or a digest, and latest is none"),
        ({"redis": "registry.example:5000/redis"}, "needs a tag or a digest"),
        ({"redis": "redis:latest"}, "latest is none"),
    ],
)
def test_an_image_that_may_be_another_one_tomorrow_is_refused(chosen: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked(chosen)
    good = {"redis": "registry.example:5000/redis:7.2", "etcd": "e@sha256:0123"}
    assert checked(good) == good


def test_an_image_whose_program_does_not_run_is_quoted() -> None:
    there = api("mine/redis:broken")
    there.code, there.says = 127, "first\nredis-server: not found"
    with pytest.raises(
        ProviderError, match=r"the image mine/redis:broken ran redis-server and failed with 127: .*not found"
    ):
        images.software(there, "redis", None, {"redis": "mine/redis:broken"})
    there = api("mine/redis:empty")
    there.says = ""
    with pytest.raises(
        ProviderError, match="the image mine/redis:empty has no redis-server, so it is none of this system"
    ):
        images.software(there, "redis", None, {"redis": "mine/redis:empty"})
    assert not there.left
    there = api("mine/redis:strange")
    there.says = "hello"
    with pytest.raises(ProviderError, match="does not say its version but: 'hello'"):
        images.software(there, "redis", None, {"redis": "mine/redis:strange"})
    assert not there.left


def test_what_an_image_makes_once_is_beside_its_program() -> None:
    there = api("apache/kafka:4.4.0")
    there.says = base64.b64encode(b"records\0").decode()
    found = images.software(there, "kafka", "4")
    assert found.beside("format.checkpoint") == b"records\0"
    assert found.argv("server.properties")[::4] == ("sh", "server.properties")


def test_each_offered_version_is_shown_with_the_image_that_would_be_taken() -> None:
    there = images.taken(api("redis:7.0.15", "redis:7.2.4", "middleware-chaos/etcd:v3.5.1", "redis:latest"))
    assert there == {("redis", "7.0"): "redis:7.0.15", ("etcd", "3.5.1"): "middleware-chaos/etcd:v3.5.1"}


def test_a_system_without_an_image_is_skipped_by_name() -> None:
    with pytest.raises(
        MissingAbilityError, match=r"node is not available here: the docker provider has no image of it"
    ):
        images.software(api(), "node", None)


def test_an_images_variables_are_its_programs_variables() -> None:
    assert images.environment(api("redis:7"), "redis:7") == {"PATH": "/bin", "A": "b=c"}
