"""
Redis workloads as worker processes against a real server: what they do there, and what they record of it.
"""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from chaos import process
from chaos.servers import find
from chaos.wait import wait_until
from chaos.workloads import WORKLOADS
from chaos.workloads.worker import load
from tests.workloads.worker_agent import PATIENCE_S, Agent


class Server:
    """A Redis on this machine's loopback, for one test."""

    def __init__(self, folder: Path, name: str, version: str | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        argv: list[str | Path] = [
            find("redis", version).program,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
        ]
        self.process: subprocess.Popen[bytes] = process.start(argv, log=folder / f"{name}.log")
        self.redis = redis.Redis(port=self.port, decode_responses=True, protocol=2)
        wait_until(self.redis.ping, within_s=PATIENCE_S, wanted="PONG", forgive=(redis.ConnectionError,))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        self.redis.close()
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(PATIENCE_S)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, "server")
    yield server
    server.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Server]:
    store = Server(tmp_path, "store")
    yield store
    store.close()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    yield agent
    agent.close()


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Agent]:
    (tmp_path / "second").mkdir()
    agent = Agent(tmp_path / "second")
    yield agent
    agent.close()


def run(agent: Agent, name: str, hold: tuple[str, ...] = (), client: str = "c1", **arguments: object) -> None:
    agent.run(WORKLOADS[name], arguments=arguments, hold=list(hold), client=client)


def finish(agent: Agent, f: str, count: int) -> list[str]:
    """Wait for so many operations of a kind, ask the worker to stop, and return their outcomes."""
    wait_until(lambda: len(agent.operations(f)) >= count, within_s=PATIENCE_S, wanted=f"{count} {f}")
    agent.say(stop=True)
    assert agent.exit_code() == 0, agent.recorded()[-1]
    return [one["outcome"] for one in agent.operations(f)]


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_every_registered_workload_exists_and_says_what_it_does(name: str) -> None:
    assert load(WORKLOADS[name]).__doc__


def test_the_set_writer_acknowledges_what_the_server_has(agent: Agent, server: Server) -> None:
    run(agent, "redis-set", address=server.address)
    assert set(finish(agent, "add", 50)) == {"ok"}
    assert {one["value"] for one in agent.operations("add")} == server.redis.smembers("acked")
    assert agent.operations("add")[0]["notes"] == {"address": server.address}


def test_a_write_whose_answer_never_came_is_info_and_one_that_never_left_is_fail(agent: Agent, server: Server) -> None:
    run(agent, "redis-set", address=server.address, timeout_s=0.1)
    wait_until(lambda: agent.operations("add"), within_s=PATIENCE_S, wanted="an add")
    server.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: agent.operations("add")[-1]["outcome"] == "info", within_s=PATIENCE_S, wanted="a timeout")
    server.process.send_signal(signal.SIGCONT)
    server.process.kill()
    server.process.wait(PATIENCE_S)
    wait_until(
        lambda: agent.operations("add")[-1]["outcome"] == "fail", within_s=PATIENCE_S, wanted="a refused connect"
    )
    assert agent.operations("add")[-1]["error"].startswith("not sent: ConnectionError")
    assert agent.operations("add")[-1]["notes"]["sent"] is False
    assert "sent" not in agent.operations("add")[0]["notes"]
    finish(agent, "add", 1)


def test_a_write_that_too_few_replicas_have_is_info(agent: Agent, server: Server) -> None:
    run(agent, "redis-set-wait", address=server.address, replicas=1, wait_ms=10)
    assert set(finish(agent, "add", 3)) == {"info"}
    assert agent.operations("add")[0]["error"] == "written, but only 0 of 1 replicas have it"
    assert server.redis.scard("acked") >= 3


@pytest.mark.parametrize("script", [False, True])
@pytest.mark.parametrize("version", ["7.0", "6.2"])
def test_a_refusal_is_fail_in_every_version_and_from_inside_a_script(
    agent: Agent, tmp_path: Path, version: str, script: bool
) -> None:
    server = Server(tmp_path, "refusing", version)
    try:
        server.redis.config_set("min-replicas-to-write", 1)
        if script:
            run(agent, "redis-lock-keeper", address=server.address, pace_s=0.01)
        else:
            run(agent, "redis-incr", address=server.address)
        outcomes = finish(agent, "acquire" if script else "incr", 3)
        assert set(outcomes) == {"fail"}
    finally:
        server.close()


def test_the_librarys_own_retries_apply_one_increment_many_times(agent: Agent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        run(agent, "redis-incr", address=address, times=1, with_default_retries=True)
        received = drop_after_each_increment(listener, agent)
    assert received == 11
    assert [one["outcome"] for one in agent.operations("incr")] == ["info"]


def drop_after_each_increment(listener: socket.socket, agent: Agent) -> int:
    """A server that takes each INCR and hangs up without an answer; how many came."""
    received = 0
    listener.settimeout(0.2)
    assert agent.process
    while agent.process.poll() is None:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            connection.settimeout(PATIENCE_S)
            while data := connection.recv(4096):
                if b"INCR" in data:
                    received += 1
                    break
                connection.sendall(
                    b"%1\r\n+proto\r\n:3\r\n" if b"HELLO" in data else b"+OK\r\n" * data.count(b"CLIENT")
                )
    return received


# -- locks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guard", ["none", "compare", "fencing"])
@pytest.mark.parametrize("unlock", ["del", "compare-del", "lua", "watch"])
@pytest.mark.parametrize("acquire", ["set-nx-px", "setnx-expire"])
def test_every_variant_of_the_lock_works_undisturbed(
    agent: Agent, server: Server, store: Server, guard: str, unlock: str, acquire: str
) -> None:
    run(
        agent,
        "redis-lock",
        address=server.address,
        store=store.address,
        rounds=2,
        guard=guard,
        unlock=unlock,
        acquire=acquire,
        pace_s=0.001,
    )
    assert agent.exit_code() == 0, agent.recorded()[-1]
    assert [one["result"] for one in agent.operations("acquire")] == [1, 2]
    assert [(one["result"], one["notes"]["token"]) for one in agent.operations("write")] == [(1, 1), (2, 2)]
    assert [one["result"] for one in agent.operations("release")] == [1, 1]
    checks_a_turn = (guard == "compare") + (unlock in ("compare-del", "watch"))
    assert len(agent.operations("check")) == 2 * checks_a_turn
    assert not server.redis.exists("lock")


def late_write(agent: Agent, second: Agent, server: Server, store: Server, guard: str) -> str:
    """Hold c1 between its comparison and its write until its lease ran out and c2 has written; how c1's write ended."""
    arguments: dict[str, Any] = {
        "address": server.address,
        "store": store.address,
        "ttl_ms": 200,
        "guard": guard,
        "rounds": 1,
    }
    run(agent, "redis-lock", ("before-write",), **arguments)
    assert agent.hear() == {"point": "before-write"}
    wait_until(lambda: not server.redis.exists("lock"), within_s=PATIENCE_S, wanted="an expired lease")
    run(second, "redis-lock", client="c2", **arguments)
    assert second.exit_code() == 0
    agent.say(go="before-write")
    assert agent.exit_code() == 0
    return str(agent.operations("write")[0]["outcome"])


@pytest.mark.parametrize(("guard", "outcome"), [("none", "ok"), ("compare", "ok"), ("fencing", "fail")])
def test_only_fencing_refuses_the_write_of_a_holder_whose_lease_ran_out(
    agent: Agent, second: Agent, server: Server, store: Server, guard: str, outcome: str
) -> None:
    assert late_write(agent, second, server, store, guard) == outcome
    accepted = store.redis.lrange("store:log", 0, -1)
    assert len(accepted) == (2 if outcome == "ok" else 1)


@pytest.mark.parametrize(("unlock", "stolen"), [("del", True), ("compare-del", True), ("lua", False), ("watch", False)])
def test_a_late_release_takes_the_next_holders_lock_unless_it_is_compared_and_deleted_at_once(
    agent: Agent, server: Server, store: Server, unlock: str, stolen: bool
) -> None:
    point = "compared-release" if unlock in ("compare-del", "watch") else "before-release"
    run(agent, "redis-lock", (point,), address=server.address, store=store.address, rounds=1, unlock=unlock)
    assert agent.hear() == {"point": point}
    server.redis.set("lock", "somebody else's")
    agent.say(go=point)
    assert agent.exit_code() == 0
    assert agent.operations("release")[0]["outcome"] == ("ok" if stolen else "fail")
    assert server.redis.exists("lock") == (0 if stolen else 1)


def test_a_holder_that_finds_its_lock_gone_writes_and_releases_nothing(
    agent: Agent, server: Server, store: Server
) -> None:
    arguments: dict[str, Any] = {"address": server.address, "store": store.address, "guard": "compare", "rounds": 1}
    run(agent, "redis-lock", ("acquired",), **arguments)
    agent.hear()
    server.redis.delete("lock")
    agent.say(go="acquired")
    assert agent.exit_code() == 0
    assert [one.get("result") for one in agent.operations("check")] == [False]
    assert not agent.operations("write")
    assert not agent.operations("release")


def test_a_client_that_dies_between_setnx_and_expire_leaves_a_lock_without_end(
    agent: Agent, server: Server, store: Server
) -> None:
    point = "between-setnx-and-expire"
    run(agent, "redis-lock", (point,), address=server.address, store=store.address, acquire="setnx-expire")
    assert agent.hear() == {"point": point}
    assert agent.process
    agent.process.kill()
    agent.exit_code()
    assert server.redis.pttl("lock") == -1


def test_an_evicted_lock_is_noticed_by_its_keeper(agent: Agent, second: Agent, server: Server) -> None:
    server.redis.config_set("maxmemory", "4mb")
    server.redis.config_set("maxmemory-policy", "volatile-ttl")
    run(agent, "redis-lock-keeper", address=server.address, pace_s=0.01)
    wait_until(lambda: agent.operations("check"), within_s=PATIENCE_S, wanted="a check")
    assert agent.operations("check")[0]["result"] is True
    run(second, "redis-cache-filler", client="c2", address=server.address, value_bytes=4096)
    assert agent.exit_code() == 0
    assert agent.operations("check")[-1]["result"] is False
    assert not agent.operations("release")
    finish(second, "fill", 1)


@pytest.mark.parametrize(("retry", "locked_out"), [("new-value", True), ("same-value", False), ("release", False)])
def test_after_a_lost_reply_only_a_new_value_locks_the_client_out_of_its_own_lock(
    agent: Agent, server: Server, retry: str, locked_out: bool
) -> None:
    arguments: dict[str, Any] = {
        "address": server.address,
        "ttl_ms": 1500,
        "timeout_s": 0.1,
        "pace_s": 0.02,
        "retry": retry,
    }
    run(agent, "redis-lock-lost-reply", ("before-acquire",), **arguments)
    agent.hear()
    # The server takes the command and answers once the client has given up: the reply is lost, the lock is taken.
    server.process.send_signal(signal.SIGSTOP)
    agent.say(go="before-acquire")
    wait_until(lambda: agent.operations("acquire"), within_s=PATIENCE_S, wanted="a timeout")
    server.process.send_signal(signal.SIGCONT)
    assert agent.exit_code() == 0, agent.recorded()[-1]
    assert agent.operations("acquire")[0]["outcome"] == "info"
    (took,) = [line["value"] for line in agent.recorded() if line.get("observe") == "acquired-after"]
    assert (took["s"] > 1.4) is locked_out


def test_without_a_sentinel_that_names_a_master_nothing_is_sent(agent: Agent) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # Bound and not listening: a connect is refused.
        run(agent, "redis-set", sentinels=[f"127.0.0.1:{closed.getsockname()[1]}"])
        assert set(finish(agent, "add", 2)) == {"fail"}
    assert agent.operations("add")[0]["error"].startswith("not sent: no Sentinel names a master")


@pytest.mark.parametrize("arguments", [{}, {"address": "a:1", "sentinels": ["b:2"]}, {"address": "nowhere"}])
def test_arguments_that_say_not_where_to_go_break_the_worker_with_a_sentence(
    agent: Agent, arguments: dict[str, Any]
) -> None:
    run(agent, "redis-set", **arguments)
    assert agent.exit_code() == 70
    assert agent.recorded()[-1]["broken"].startswith("UsageError: ")
