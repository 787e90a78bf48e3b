"""
redis.conf and sentinel.conf as text. Pure functions: what a server is told can be read and tested without one.

Later lines win in redis.conf, so the order is the precedence: the lab's defaults, the user's own file, the test's
settings, and last what the lab cannot do without (where to listen, where to write, whom to follow).
"""

from collections.abc import Iterable, Mapping, Sequence, Set

from chaos.errors import UsageError
from chaos.systems.redis.settings import (
    REDIS_PORT,
    SENTINEL_PORT,
    SERVICE,
    SentinelSettings,
    Setting,
    masked,
    run_id,
)
from chaos.systems.redis.user_config import quoted

USER_CONFIG = "user.conf"

LAB_DEFAULTS: Mapping[str, Setting] = {
    "save": "",
    "repl-ping-replica-period": 1,
    # With the default delay replicas attach after 5 s; over a diskless sync the master ignores a replica's first
    # acknowledgement and the next comes a second later.
    "repl-diskless-sync": False,
    "repl-diskless-sync-delay": 0,
}
VALKEY_DEFAULTS: Mapping[str, Setting] = {
    **LAB_DEFAULTS,
    # Valkey 9 downloads to disk in a thread whose end the main thread notices once a second.
    "repl-diskless-load": "on-empty-db",
}


def redis_conf(
    *,
    folder: str,
    settings: Mapping[str, Setting],
    master: tuple[str, int] | None = None,
    user_config: bool = False,
    password: str | None = None,
    debug_command: bool = False,
    defaults: Mapping[str, Setting] = LAB_DEFAULTS,
) -> str:
    """
    A data node's redis.conf.

    :param folder: the party's own folder as the server sees it.
    :param master: whom to follow at the start; None for the first master.
    :param user_config: whether the user's own file, as ``adopted``, lies in the folder, to be included.
    :param debug_command: allow DEBUG; a server before 7.0 allows it always and does not know the setting.
    """
    needed: dict[str, Setting] = {
        "port": REDIS_PORT,
        "bind": "0.0.0.0",
        "protected-mode": False,
        "daemonize": False,
        "supervised": "no",
        "logfile": "",
        "dir": folder,
    }
    if debug_command:
        needed["enable-debug-command"] = True
    if password is not None:
        needed |= {"requirepass": quoted(password), "masterauth": quoted(password)}
    following = {} if master is None else {"replicaof": f"{master[0]} {master[1]}"}
    include = [f"include {folder}/{USER_CONFIG}"] if user_config else []
    _refuse_owned(settings, {*needed, "replicaof", "slaveof"})
    return _text([*_lines(defaults), *include, *_lines(settings), *_lines(needed), *_lines(following)])


def sentinel_conf(
    *,
    name: str,
    folder: str,
    settings: SentinelSettings,
    quorum: int,
    master: tuple[str, int],
    replicas: Sequence[tuple[str, int]],
    others: Mapping[str, tuple[str, int]],
    password: str | None = None,
) -> str:
    """
    A Sentinel's configuration, seeded with everything it would otherwise need seconds to find out.

    :param others: the other Sentinels' addresses as this one must use them.
    """
    lines = [
        f"port {SENTINEL_PORT}",
        "bind 0.0.0.0",
        "protected-mode no",
        "daemonize no",
        'logfile ""',
        f"dir {folder}",
        f"sentinel myid {run_id(name)}",
        f"sentinel monitor {SERVICE} {master[0]} {master[1]} {quorum}",
    ]
    directives: dict[str, Setting] = {
        "down-after-milliseconds": settings.down_after_ms or 0,
        "failover-timeout": settings.failover_timeout_ms,
        "parallel-syncs": settings.parallel_syncs,
        **settings.options,
    }
    if password is not None:
        directives["auth-pass"] = quoted(password)
    lines += [f"sentinel {option} {SERVICE} {_value(value)}" for option, value in directives.items()]
    lines += [f"sentinel known-replica {SERVICE} {host} {port}" for host, port in replicas]
    lines += [
        f"sentinel known-sentinel {SERVICE} {host} {port} {run_id(peer)}" for peer, (host, port) in others.items()
    ]
    return _text(lines)


def without_secrets(config: str) -> str:
    """A rendered configuration as logs and reports may show it."""
    return "\n".join(_mask_line(line) for line in config.splitlines())


def _mask_line(line: str) -> str:
    words = line.split()
    if words[:1] == ["sentinel"] and len(words) > 3:
        return " ".join((*words[:3], "***")) if masked({words[1]: "x"})[words[1]] == "***" else line
    return f"{words[0]} ***" if words and masked({words[0]: "x"})[words[0]] == "***" else line


def _refuse_owned(settings: Mapping[str, Setting], needed: Set[str]) -> None:
    owned = sorted({name.lower() for name in settings} & needed)
    if owned:
        raise UsageError(f"the lab itself decides {', '.join(owned)}; leave it out of the settings")


def _lines(settings: Mapping[str, Setting]) -> Iterable[str]:
    for name, value in settings.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            yield f"{name} {_value(one)}"


def _value(value: Setting) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return '""' if value == "" else str(value)


def _text(lines: Iterable[str]) -> str:
    text = list(lines)
    for line in text:
        if "\n" in line or "\r" in line:
            raise UsageError(f"a setting is one line, not {line!r}")
    return "\n".join(text) + "\n"
