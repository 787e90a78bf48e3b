"""
Two planes: who reaches whom, and under which address.
"""

import socket
from pathlib import Path

import pytest

from chaos.errors import UsageError
from chaos.providers.contract import OBSERVER, Lab, Role, Spawn
from chaos.wait import wait_until
from tests.conformance.talk import PORT, PYTHON, call, client, events, node, run, serve, wait_event


def ask(lab: Lab, party: str, code: str) -> str:
    """What a line of Python prints in a party."""
    ref = lab.spawn(party, Spawn(name=f"ask-{len(lab.exits())}", argv=(PYTHON, "-S", "-E", "-c", code)))
    wait_until(lambda: lab.state(ref) == "ended", within_s=10, wanted=code)
    return lab.log(ref).decode().strip()


def test_the_observer_reaches_the_management_plane_only(lab: Lab) -> None:
    lab.place([node("n1")])
    serve(lab, "n1")
    host, port = lab.reach(OBSERVER, "n1", PORT, "management")
    with socket.create_connection((host, port), 2) as connection:
        connection.sendall(b"hello\n")
        assert connection.recv(100) == b"hello\n"
    assert lab.reach(OBSERVER, "n1", PORT, "management") == (host, port)
    with pytest.raises(UsageError, match="management plane only"):
        lab.reach(OBSERVER, "n1", PORT, "data")


def test_a_peer_is_never_given_the_management_plane(lab: Lab) -> None:
    lab.place([node("n1"), client("c1")])
    with pytest.raises(UsageError, match="no fault acts there"):
        lab.reach("c1", "n1", PORT, "management")
    assert lab.reach("n1", "n1", PORT, "management") != lab.reach("c1", "n1", PORT)


def test_a_peer_that_dials_the_management_address_all_the_same_gets_nowhere(lab: Lab) -> None:
    lab.place([node("n1"), client("c1")])
    (server,) = serve(lab, "n1")
    heard = len(events(lab, server, "accepted"))
    host, port = lab.reach("n1", "n1", PORT, "management")
    code = f"import socket; socket.create_connection(({host!r}, {port}), 0.5)"
    answer = ask(lab, "c1", code).splitlines()[-1]
    assert answer.startswith(("TimeoutError", "OSError"))
    assert len(events(lab, server, "accepted")) == heard


def test_the_server_sees_the_true_address_of_its_peer(lab: Lab) -> None:
    lab.place([node("n1"), node("n2"), client("c1")])
    server, _ = serve(lab, "n1", "n2")
    for source in ("n2", "c1"):
        caller = call(lab, source, "n1")
        own = lab.reach("n1", source, PORT)[0]
        assert wait_event(lab, server, "accepted", peer=own)
        assert events(lab, caller, "connected")


def test_host_names_resolve_to_data_addresses(lab: Lab) -> None:
    lab.place([node("n1")])
    lab.place([node("n2"), client("c1")])
    for source, target in (("c1", "n1"), ("n1", "n2"), ("n2", "c1")):
        code = f"import socket; print(socket.gethostbyname({target!r}))"
        assert ask(lab, source, code) == lab.reach(source, target, PORT)[0]


def test_an_unknown_name_fails_at_once(lab: Lab) -> None:
    lab.place([node("n1")])
    code = (
        "import socket, time; t = time.monotonic()\n"
        "try: socket.gethostbyname('no-such-host.example.org')\n"
        "except OSError: print('failed', time.monotonic() - t < 1)"
    )
    assert ask(lab, "n1", code) == "failed True"


def test_there_is_no_way_out_of_the_lab(lab: Lab) -> None:
    lab.place([node("n1")])
    listener = socket.create_server(("0.0.0.0", 0))
    with listener:
        port = listener.getsockname()[1]
        for host in ("192.0.2.1", socket.gethostbyname(socket.gethostname()), "127.0.0.1"):
            code = f"import socket; socket.create_connection(({host!r}, {port}), 0.5)"
            assert "Error" in ask(lab, "n1", code)


def test_a_party_reaches_itself_without_the_mesh(lab: Lab) -> None:
    lab.place([node("n1"), node("n2")])
    serve(lab, "n1")
    ref = run(lab, "n1", "call", *lab.reach("n1", "n1", PORT))
    assert wait_event(lab, ref, "connected")["me"] == lab.reach("n2", "n1", PORT)[0]


def test_a_thread_inside_a_party_meets_its_network(lab: Lab, needs_root: None, request: pytest.FixtureRequest) -> None:
    if "InProcessData" not in request.getfixturevalue("provider").abilities:
        pytest.skip("InProcessData is not an ability of this provider")
    lab.place([node("n1"), client("c1")])
    (server,) = serve(lab, "n1")
    outside = own_network()
    with lab.inside("c1"), socket.create_connection(lab.reach("c1", "n1", PORT), 2) as connection:
        own = connection.getsockname()[0]
        assert own_network() != outside
    wait_event(lab, server, "accepted", peer=own)
    assert own_network() == outside


def test_entering_a_party_makes_it(lab: Lab, needs_root: None, request: pytest.FixtureRequest) -> None:
    if "InProcessData" not in request.getfixturevalue("provider").abilities:
        pytest.skip("InProcessData is not an ability of this provider")
    lab.place([node("n1")])
    serve(lab, "n1")
    with lab.inside("me"), socket.create_connection(lab.reach("me", "n1", PORT), 2):
        assert lab.parties["me"].role is Role.APP


def own_network() -> int:
    """The network that new sockets of this thread belong to."""
    return Path("/proc/thread-self/ns/net").stat().st_ino
