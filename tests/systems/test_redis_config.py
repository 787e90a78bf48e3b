"""What Redis servers are told, as text."""

import pytest

from chaos.errors import UsageError
from chaos.systems.redis import DEFAULT, HARDENED, TOPOLOGIES, TUNED, UNSAFE, Periods, SentinelSettings, Topology
from chaos.systems.redis.config import (
    VALKEY_DEFAULTS,
    redis_conf,
    sentinel_conf,
    without_secrets,
)
from chaos.systems.redis.settings import Setting, find_topology, masked, run_id
from chaos.systems.redis.user_config import adopted, password_in, quoted


def settings_of(conf: str) -> dict[str, str]:
    """What a server reads from it: of several lines for one setting the last counts."""
    return dict(line.split(" ", 1) for line in conf.splitlines())


def test_the_first_master_listens_writes_and_logs_where_the_lab_wants() -> None:
    conf = settings_of(redis_conf(folder="/party/n1", settings=UNSAFE))
    assert conf["port"] == "6379"
    assert conf["dir"] == "/party/n1"
    assert conf["logfile"] == '""'
    assert conf["min-replicas-to-write"] == "0"
    assert conf["repl-diskless-sync"] == "no"
    assert "replicaof" not in conf


def test_a_replica_follows_the_address_it_was_given_and_authenticates() -> None:
    conf = settings_of(redis_conf(folder="/p", settings=HARDENED, master=("198.18.0.1", 6379), password="s3cret"))
    assert conf["replicaof"] == "198.18.0.1 6379"
    assert (conf["requirepass"], conf["masterauth"]) == ("s3cret", "s3cret")
    assert (conf["min-replicas-to-write"], conf["min-replicas-max-lag"]) == ("1", "2")


def test_settings_win_over_the_users_file_and_the_users_file_over_the_labs_defaults() -> None:
    lines = redis_conf(folder="/p", settings={"maxmemory": "4mb"}, user_config=True).splitlines()
    order = [lines.index(line) for line in ("repl-diskless-sync no", "include /p/user.conf", "maxmemory 4mb", "dir /p")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (True, ["save yes"]),
        ("", ['save ""']),
        (3, ["save 3"]),
        (("900 1", "300 10"), ["save 900 1", "save 300 10"]),
    ],
)
def test_values_are_written_as_redis_reads_them(value: Setting, lines: list[str]) -> None:
    conf = redis_conf(folder="/p", settings={"save": value}, defaults={}).splitlines()
    assert [line for line in conf if line.startswith("save")] == lines


def test_what_the_lab_itself_decides_is_refused_as_a_setting() -> None:
    for setting in ("port", "PORT", "replicaof", "slaveof"):
        with pytest.raises(UsageError, match=f"the lab itself decides {setting.lower()}"):
            redis_conf(folder="/p", settings={setting: "7000"})


def test_a_setting_cannot_smuggle_in_a_second_line() -> None:
    with pytest.raises(UsageError, match="one line"):
        redis_conf(folder="/p", settings={"maxmemory": "4mb\nport 1"})


def test_only_servers_that_know_the_setting_are_told_to_allow_debug() -> None:
    assert "enable-debug-command" not in redis_conf(folder="/p", settings={})
    assert settings_of(redis_conf(folder="/p", settings={}, debug_command=True))["enable-debug-command"] == "yes"


def test_valkey_loads_its_first_copy_without_a_second_of_waiting() -> None:
    conf = settings_of(redis_conf(folder="/p", settings={}, defaults=VALKEY_DEFAULTS))
    assert conf["repl-diskless-load"] == "on-empty-db"


def sentinel(settings: SentinelSettings, password: str | None = None) -> str:
    return sentinel_conf(
        name="s1",
        folder="/p",
        settings=settings.in_force(tunable=True),
        quorum=2,
        master=("198.18.0.1", 6379),
        replicas=[("198.18.0.2", 6379)],
        others={"s2": ("198.18.0.5", 26379)},
        password=password,
    )


def test_a_sentinel_is_told_everything_it_would_have_to_find_out() -> None:
    lines = sentinel(SentinelSettings(options={"deny-scripts-reconfig": True})).splitlines()
    assert f"sentinel myid {run_id('s1')}" in lines
    assert "sentinel monitor m 198.18.0.1 6379 2" in lines
    assert "sentinel known-replica m 198.18.0.2 6379" in lines
    assert f"sentinel known-sentinel m 198.18.0.5 26379 {run_id('s2')}" in lines
    assert "sentinel down-after-milliseconds m 1000" in lines
    assert "sentinel deny-scripts-reconfig m yes" in lines


def test_reports_show_configurations_without_their_secrets() -> None:
    node = without_secrets(redis_conf(folder="/p", settings={}, password="s3cret"))
    watcher = without_secrets(sentinel(SentinelSettings(), password="s3cret"))
    assert "s3cret" not in node + watcher
    assert "requirepass ***" in node
    assert "sentinel auth-pass m ***" in watcher
    assert masked({"primaryauth": "s3cret"}) == {"primaryauth": "***"}
    assert masked({"RequirePass": "s3cret", "hz": 10}) == {"RequirePass": "***", "hz": 10}


def test_the_password_of_a_users_own_file_is_found() -> None:
    assert password_in('# requirepass no\n  RequirePass "s3cret"\n') == "s3cret"
    assert password_in("maxmemory 4mb\n") is None
    assert password_in("requirepass 'it\\'s'\n") == "it's"


@pytest.mark.parametrize(
    "secret", ["s3 cret", 's3"cret', "s3'cret", "s3\\cret", "s3#cret", "päss", "s3\ncret", "s3-cret"]
)
def test_a_password_may_contain_anything(secret: str) -> None:
    conf = redis_conf(folder="/p", settings={}, password=secret)
    assert password_in(conf) == secret
    assert quoted("s3-cret") == "s3-cret"
    assert "cret" not in without_secrets(conf)


def test_what_the_lab_decides_is_left_out_of_a_users_file_line_by_line() -> None:
    own = "maxmemory 4mb\n  Dir /var/lib/redis\n\n# port 1\nreplicaof 10.0.0.1 6379\nrequirepass s3cret\nhz 50"
    assert adopted(own).splitlines() == [
        "maxmemory 4mb",
        "# dir: decided by the lab",
        "",
        "# port 1",
        "# replicaof: decided by the lab",
        "# requirepass: decided by the lab",
        "hz 50",
    ]


def test_open_choices_depend_on_whether_the_sentinels_can_be_tuned() -> None:
    assert SentinelSettings().in_force(tunable=True).down_after_ms == 1000
    assert SentinelSettings(periods=DEFAULT).in_force(tunable=True).down_after_ms == 2000
    old = SentinelSettings(down_after_ms=1000, periods=TUNED).in_force(tunable=False)
    assert (old.down_after_ms, old.periods) == (2000, DEFAULT)


@pytest.mark.parametrize(
    "settings",
    [
        SentinelSettings(down_after_ms=1000, periods=DEFAULT),
        SentinelSettings(down_after_ms=500),
        SentinelSettings(down_after_ms=1000, periods=Periods(ping_ms=600)),
    ],
)
def test_a_down_after_that_calls_healthy_masters_down_is_refused(settings: SentinelSettings) -> None:
    with pytest.raises(UsageError, match="at least twice the ping period"):
        settings.in_force(tunable=True)


def test_topologies_are_found_by_name_or_given() -> None:
    assert find_topology("sentinel") is TOPOLOGIES["sentinel"]
    own = Topology(name="mine", nodes=("a", "b"), sentinels=("x", "y", "z"))
    assert find_topology(own) is own
    assert own.quorum(SentinelSettings()) == 2
    assert str(own) == "mine (1+1, 3 Sentinels)"
    with pytest.raises(UsageError, match="there are standalone, replication, sentinel"):
        find_topology("ring")
    with pytest.raises(UsageError, match="a name of its own"):
        Topology(name="twice", nodes=("a", "a"))
