"""
etcd workloads as worker processes against a real server: what they do there, and what they record of it.
"""

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chaos import process
from chaos.errors import OutcomeTableError, UsageError
from chaos.history.records import Outcome
from chaos.servers import find
from chaos.wait import monotonic_ns, wait_until
from chaos.workloads import WORKLOADS
from chaos.workloads.etcd3_lock import etcd3_outcomes
from chaos.workloads.etcd_client import ETCD_OUTCOMES, Etcd, EtcdError, NoAnswer, NotSent
from chaos.workloads.etcd_lock import Lock, open_store
from chaos.workloads.outcomes import Refused, classify
from tests.workloads.worker_agent import PATIENCE_S, Agent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """An etcd of one member on this machine's loopback, for one test."""

    def __init__(self, folder: Path) -> None:
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.address = client.removeprefix("http://")
        told = {"data-dir": folder / "data", "listen-client-urls": client, "advertise-client-urls": client}
        told |= {"listen-peer-urls": peer, "initial-advertise-peer-urls": peer, "initial-cluster": f"default={peer}"}
        argv: list[str | Path] = [find("etcd").program, *(f"--{flag}={value}" for flag, value in told.items())]
        self.process: subprocess.Popen[bytes] = process.start(argv, log=folder / "etcd.log")
        self.etcd = Etcd(self.address)
        wait_until(
            lambda: self.etcd.put("ready", "1"),
            within_s=PATIENCE_S,
            wanted="a write",
            forgive=(EtcdError, NoAnswer, NotSent),
        )

    def values(self, key: str) -> list[str]:
        return [item.value for item in self.etcd.range(key, prefix=True).items]

    def close(self) -> None:
        self.etcd.close()
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(PATIENCE_S)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.close()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    yield agent
    agent.close()


def run(agent: Agent, name: str, hold: tuple[str, ...] = (), **arguments: object) -> None:
    agent.run(WORKLOADS[name], arguments=arguments, hold=list(hold))


def finish(agent: Agent, f: str, count: int) -> list[str]:
    """Wait for so many operations of a kind, ask the worker to stop, and return their outcomes."""
    wait_until(lambda: len(agent.operations(f)) >= count, within_s=PATIENCE_S, wanted=f"{count} {f}")
    agent.say(stop=True)
    assert agent.exit_code() == 0, agent.recorded()[-1]
    return [one["outcome"] for one in agent.operations(f)]


def test_the_set_writer_acknowledges_what_the_server_has_with_its_revision(agent: Agent, server: Server) -> None:
    run(agent, "etcd-set", address=server.address)
    assert set(finish(agent, "add", 50)) == {"ok"}
    assert {one["value"] for one in agent.operations("add")} == set(server.values("acked/"))
    first, second = agent.operations("add")[:2]
    assert first["notes"]["address"] == server.address
    assert first["result"] == first["notes"]["revision"] == second["notes"]["revision"] - 1
    assert (first["notes"]["term"] > 0, len(first["notes"]["member"])) == (True, 16)


def test_a_write_whose_answer_never_came_is_info_and_one_that_never_left_is_fail(agent: Agent, server: Server) -> None:
    run(agent, "etcd-set", address=server.address, timeout_s=0.1)
    wait_until(lambda: agent.operations("add"), within_s=PATIENCE_S, wanted="an add")
    server.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: agent.operations("add")[-1]["outcome"] == "info", within_s=PATIENCE_S, wanted="a timeout")
    assert "revision" not in agent.operations("add")[-1]["notes"]
    server.process.kill()
    wait_until(
        lambda: agent.operations("add")[-1]["outcome"] == "fail", within_s=PATIENCE_S, wanted="a refused connect"
    )
    assert agent.operations("add")[-1]["error"].startswith("not sent: ConnectionRefusedError")
    assert agent.operations("add")[-1]["notes"]["sent"] is False


def test_registers_are_read_written_and_swapped_with_versions(agent: Agent, server: Server) -> None:
    run(agent, "etcd-register", address=server.address, keys=["r", "s"], cas_share=0.3, pace_s=0)
    assert set(finish(agent, "cas", 20)) <= {"ok", "fail"}
    (key, (_, value)), (version, same) = (lambda one: (one["value"], one["result"]))(agent.operations("write")[0])
    assert (key in "rs", version >= 1, value) == (True, True, same)
    read = agent.operations("read")[-1]
    assert (read["value"][1], read["notes"]["serializable"]) == (None, False)
    swapped = next(one for one in agent.operations("cas") if one["outcome"] == "ok")
    assert swapped["result"][1] == swapped["value"][1][1]


def test_a_compare_and_set_on_a_value_that_has_changed_is_refused(agent: Agent, server: Server) -> None:
    server.etcd.put("r", "mine")
    run(agent, "etcd-register", address=server.address, cas_share=0.5, pace_s=0)
    wait_until(lambda: agent.operations("cas"), within_s=PATIENCE_S, wanted="a cas")

    def refused() -> bool:
        server.etcd.put("r", "mine")
        return any(one["outcome"] == "fail" for one in agent.operations("cas"))

    wait_until(refused, within_s=PATIENCE_S, wanted="a refusal")
    agent.say(stop=True)
    assert agent.exit_code() == 0


def test_a_reader_sees_nothing_as_version_0_and_needs_an_address(agent: Agent, server: Server) -> None:
    run(agent, "etcd-reader", addresses=[server.address], serializable=True)
    assert set(finish(agent, "read", 3)) == {"ok"}
    assert agent.operations("read")[0]["result"] == [0, None]
    assert agent.operations("read")[0]["notes"]["serializable"] is True


def test_a_reader_without_an_address_says_so(agent: Agent) -> None:
    run(agent, "etcd-reader")
    assert agent.exit_code() == 70
    assert "give a reader an address" in agent.recorded()[-1]["broken"]


@pytest.mark.parametrize(
    ("workload", "arguments", "says"),
    [
        ("chaos.workloads.etcd_leases:lock_holder", {"kind": "outside"}, "needs the address of the outside store"),
        ("chaos.workloads.etcd3_lock:lock_holder", {}, "this Python has no etcd3: chaos install client:etcd3"),
    ],
)
def test_what_a_workload_lacks_is_said_before_it_asks_for_anything(
    agent: Agent, workload: str, arguments: dict[str, object], says: str
) -> None:
    agent.run(workload, arguments={"address": "127.0.0.1:1", **arguments})
    assert agent.exit_code() == 70
    *before, told = agent.recorded()
    assert not [line for line in before if "invoke" in line]
    assert told["broken"].startswith("UsageError: ")
    assert says in told["broken"]


def test_a_lock_holder_takes_turns_with_tokens_that_grow(agent: Agent, server: Server) -> None:
    run(agent, "etcd-lock", address=server.address, kind="own-guarded", rounds=3, pace_s=0)
    assert agent.exit_code() == 0
    tokens = [one["result"] for one in agent.operations("acquire")]
    assert tokens == sorted(set(tokens))
    assert [one["notes"]["token"] for one in agent.operations("write")] == tokens
    assert [one["result"] for one in agent.operations("release")] == [1, 1, 1]
    assert server.values("lock") == []
    assert len(server.values("store/")) == 3


def test_a_lock_that_somebody_holds_is_refused(agent: Agent, server: Server) -> None:
    server.etcd.put("lock", "somebody")
    run(agent, "etcd-lock", address=server.address)
    assert set(finish(agent, "acquire", 3)) == {"fail"}
    assert agent.operations("acquire")[0]["error"] == "held by somebody"
    assert server.etcd.ask("lease/leases", {}).body.get("leases", []) == []  # A refused attempt leaves no lease behind.


def test_a_write_under_a_lock_that_is_gone_is_refused_by_the_guard_alone(agent: Agent, server: Server) -> None:
    run(agent, "etcd-lock", hold=("before-write",), address=server.address, kind="own-guarded", rounds=1)
    assert agent.hear() == {"point": "before-write"}
    assert server.etcd.delete("lock") == 1
    agent.say(go="before-write")
    assert agent.exit_code() == 0
    (write,), (release,) = agent.operations("write"), agent.operations("release")
    assert (write["outcome"], "the lock is not mine any more" in write["error"]) == ("fail", True)
    assert (release["outcome"], release["result"]) == ("fail", 0)


def test_a_keeper_renews_and_looks_and_ends_when_its_lease_is_gone(agent: Agent, server: Server) -> None:
    run(agent, "etcd-lease-keeper", address=server.address, renew_every_s=0.1, check_every_s=0.05)
    wait_until(lambda: len(agent.operations("renew")) > 2, within_s=PATIENCE_S, wanted="renewals")
    (acquire,) = agent.operations("acquire")
    renewed = agent.operations("renew")[0]
    assert renewed["notes"]["lease"] == acquire["notes"]["lease"]
    assert 4e9 < renewed["notes"]["expires_ns"] - monotonic_ns() <= 5e9
    server.etcd.revoke(int(acquire["notes"]["lease"], 16))
    assert agent.exit_code() == 0
    assert [one["result"] for one in (*agent.operations("renew"), *agent.operations("check"))].count(False) == 1
    assert agent.operations("release") == []


def test_a_keeper_that_is_asked_to_stop_gives_its_lock_back(agent: Agent, server: Server) -> None:
    run(agent, "etcd-lease-keeper", address=server.address)
    assert set(finish(agent, "check", 2)) == {"ok"}
    assert [one["outcome"] for one in agent.operations("release")] == ["ok"]
    assert server.values("lock") == []


def test_a_lease_that_the_server_would_lengthen_breaks_the_workload_in_one_sentence(
    agent: Agent, server: Server
) -> None:
    run(agent, "etcd-lease-keeper", address=server.address, ttl_s=1)
    assert agent.exit_code() == 70
    assert agent.recorded()[-1]["broken"].startswith(
        "UsageError: a lease of 1 s was asked for and this server gives 2 s: its least is one and a half election timeouts"
    )


def test_a_lock_is_looked_at_renewed_and_given_back_once(server: Server) -> None:
    lock = Lock(server.etcd, key="k", ttl_s=2, owner="me")
    token = lock.acquire()
    assert lock.is_mine()
    assert lock.renew()
    assert lock.release() == 1
    assert not lock.is_mine()
    with pytest.raises(Refused, match="not mine any more"):
        lock.release()
    lock.lease = 7
    assert not lock.renew()
    assert token > 0


def test_a_kind_of_store_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="store is one of own, own-guarded, outside, outside-guarded, not 'mine'"):
        open_store("mine", "h:1", "lock")


OUTCOMES = {
    8: ("etcdserver: mvcc: database space exceeded", Outcome.FAIL),
    5: ("etcdserver: requested lease not found", Outcome.FAIL),
    14: ("etcdserver: request timed out", Outcome.INFO),
    4: ("context deadline exceeded", Outcome.INFO),
    2: ("raft: stopped", Outcome.INFO),
}


@pytest.mark.parametrize("code", OUTCOMES)
def test_an_error_of_the_server_says_whether_the_operation_may_have_happened(code: int) -> None:
    message, outcome = OUTCOMES[code]
    assert classify(EtcdError(code, message), ETCD_OUTCOMES) is outcome


@pytest.mark.parametrize(
    "problem", [EtcdError(12, "unimplemented"), EtcdError(5, "Not Found"), EtcdError(2, "some bug"), OSError("disk")]
)
def test_an_error_outside_the_table_is_ours(problem: Exception) -> None:
    with pytest.raises(OutcomeTableError, match=r"the outcome table has no rule for .*; add one that says whether"):
        classify(problem, ETCD_OUTCOMES)


def test_etcd3s_exceptions_are_in_its_table() -> None:
    names = ("PreconditionFailedError", "ConnectionFailedError", "ConnectionTimeoutError", "InternalServerError")
    exceptions = SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names})
    table = etcd3_outcomes(exceptions)
    told = [classify(getattr(exceptions, name)("x"), table) for name in names]
    assert told == [Outcome.FAIL, Outcome.INFO, Outcome.INFO, Outcome.INFO]


ANSWERS: dict[str, tuple[int, str]] = {
    "old error": (503, '{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}'),
    "new error": (400, '{"code":14,"message":"etcdserver: no leader","details":[]}'),
    "old stream": (200, '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}}\n'),
    "new stream": (200, '{"error":{"code":14,"message":"etcdserver: no leader"}}\n'),
}


@pytest.fixture
def scripted() -> Iterator[HTTPServer]:
    """A gateway that says what a test tells it to."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, text = server.answer  # type: ignore[attr-defined]
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", ANSWERS)
def test_errors_are_read_as_every_version_writes_them(scripted: HTTPServer, kind: str) -> None:
    scripted.answer = ANSWERS[kind]  # type: ignore[attr-defined]
    client = Etcd(f"127.0.0.1:{scripted.server_port}")
    with pytest.raises(EtcdError, match=r"etcdserver: no leader \(code 14\)"):
        client.keep_alive(7)
    assert client.stamp is None
    client.close()


def test_what_is_no_answer_of_etcd_is_an_error_outside_the_table(scripted: HTTPServer) -> None:
    scripted.answer = (502, "<html>Bad gateway</html>")  # type: ignore[attr-defined]
    client = Etcd(f"127.0.0.1:{scripted.server_port}")
    with pytest.raises(EtcdError, match="HTTP 502: <html>Bad gateway") as told:
        client.put("k", "v")
    client.close()
    with pytest.raises(OutcomeTableError):
        classify(told.value, ETCD_OUTCOMES)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="an address is host:port, not 'somewhere'"):
        Etcd("somewhere")
