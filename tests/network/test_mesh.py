"""
The mesh as data: addresses, proxies and rules that a party's seat gives.
"""

import pytest

from chaos.errors import UsageError
from chaos.network import mesh
from chaos.network.mesh import ALONE, Seat


def test_a_seat_gives_three_addresses_that_never_meet() -> None:
    seats = [Seat(name=f"n{index}", index=index) for index in range(1, mesh.MOST_PARTIES + 1)]
    addresses = [address for seat in seats for address in (seat.data, seat.shadow, seat.management)]
    assert len(set(addresses)) == 3 * mesh.MOST_PARTIES
    assert ALONE.observer not in addresses
    assert ALONE.broadcast not in addresses


def test_listeners_lie_in_the_reserved_block_and_below_the_news() -> None:
    seat = Seat(name="n1", index=1, ports=tuple(range(6000, 6000 + mesh.MOST_PORTS)))
    numbers = [seat.listener(port)[1] for port in seat.ports]
    assert min(numbers) == mesh.FIRST_LISTENER
    assert max(numbers) < mesh.OPEN_NEWS < mesh.CLOSED_NEWS < 65536


@pytest.mark.parametrize("index", [0, mesh.MOST_PARTIES + 1])
def test_a_lab_holds_so_many_parties_and_no_more(index: int) -> None:
    with pytest.raises(UsageError, match="at most 250 parties"):
        Seat(name="n1", index=index)


def test_a_party_declares_so_many_ports_and_no_more() -> None:
    with pytest.raises(UsageError, match="at most 64"):
        Seat(name="n1", index=1, ports=tuple(range(65)))


def test_a_peer_without_ports_needs_no_rules() -> None:
    assert mesh.introduce([Seat(name="c1", index=1)]) == ""
    assert mesh.proxies([Seat(name="c1", index=1)]) == []
    assert mesh.declare([]) == ""


def test_a_peer_is_introduced_as_closed_and_behind_its_proxy() -> None:
    seat = Seat(name="n1", index=3, ports=(6379, 26379))
    script = mesh.introduce([seat])
    assert "closed { 198.18.0.3 . 6379, 198.18.0.3 . 26379 }" in script
    assert "198.18.0.3 . 26379 : 127.0.1.3 . 61001" in script
    assert "198.18.128.3 . 6379 : 198.18.0.3 . 6379" in script
    assert [proxy["upstream"] for proxy in mesh.proxies([seat])] == ["198.18.128.3:6379", "198.18.128.3:26379"]
