"""
What link rules are made of: rules that overlap share pieces, and no piece reaches beyond its rule.
"""

import json

from chaos.network.mesh import Seat
from chaos.network.rules import Closed, Gate, LinkRule, Loss, Stream, Wire
from chaos.network.toxics import Latency
from chaos.providers import links
from chaos.providers.links import Element, Fitted, Losing, Piece, Shut

SEATS = {
    "n1": Seat(name="n1", index=1, ports=(7000, 7001)),
    "n2": Seat(name="n2", index=2, ports=(7000, 7001)),
    "c1": Seat(name="c1", index=3),
}


def made_of(rule: LinkRule) -> set[Piece]:
    return set(links.pieces(rule, SEATS))


def test_a_rule_of_one_port_is_a_part_of_the_rule_of_the_whole_link() -> None:
    """So that healing one can leave what the other needs."""
    toxic = Latency(latency_ms=5)
    pairs: list[tuple[LinkRule, LinkRule]] = [
        (
            Gate(source="c1", target="n1", action="drop", ports=(7001,)),
            Gate(source="c1", target="n1", action="drop"),
        ),
        (Closed(source="c1", target="n1", ports=(7001,)), Closed(source="c1", target="n1")),
        (
            Stream(source="c1", target="n1", toxic=toxic, direction="upstream", ports=(7001,)),
            Stream(source="c1", target="n1", toxic=toxic, direction="upstream"),
        ),
    ]
    for one, whole in pairs:
        assert len(made_of(one)) == 1
        assert made_of(one) < made_of(whole)


def test_a_wire_names_the_port_at_the_end_where_the_server_is() -> None:
    """What the source says to the target's port, and what it answers from its own."""
    wire = Wire(source="n1", target="n2", action="reject", ports=(7000,), source_ports=(7001,))
    assert made_of(wire) == {
        Element(party="n2", set="prejectto", value="198.18.0.1 . 7000"),
        Element(party="n2", set="prejectfrom", value="198.18.0.1 . 7001"),
    }
    assert made_of(Wire(source="n1", target="n2", action="reject")) == {
        Element(party="n2", set="preject", value="198.18.0.1")
    }


def test_a_target_without_ports_has_nothing_to_gate() -> None:
    """Nor to close."""
    assert made_of(Gate(source="n1", target="c1", action="drop")) == set()
    assert made_of(Closed(source="n1", target="c1")) == set()


def test_pieces_stand_where_they_act_and_only_once() -> None:
    """Whole and limited in one batch: a toxic that is added twice would be refused."""
    rules: list[LinkRule] = [
        Closed(source="c1", target="n1"),
        Closed(source="c1", target="n1", ports=(7000,)),
        Loss(source="c1", target="n1", per_mille=5),
    ]
    assert links.by_party(piece for rule in rules for piece in links.pieces(rule, SEATS)) == {
        "c1": [Shut(party="c1", proxy="to-n1-7000"), Shut(party="c1", proxy="to-n1-7001")],
        "n1": [Losing(party="n1", chain="loss_3_5", address="198.18.0.3", per_mille=5)],
    }


def test_elements_of_a_set_go_in_one_command() -> None:
    """And leave whether or not they are in force."""
    chosen = links.pieces(Gate(source="c1", target="n1", action="drop-new"), SEATS)
    add = "add element ip chaos gnew { 198.18.0.1 . 7000, 198.18.0.1 . 7001 }\n"
    assert links.nft_add(chosen) == add
    assert links.nft_delete(chosen) == add + add.replace("add element", "delete element")
    fitted = Fitted(party="c1", proxy="to-n1-7000", toxic=Latency(latency_ms=5), direction="upstream")
    assert links.nft_add([fitted]) == links.nft_delete([fitted]) == ""


def test_counts_are_told_apart_by_element() -> None:
    """Of a chain there is one."""
    elements = [
        {"elem": {"val": {"concat": ["198.18.0.1", port]}, "counter": {"packets": packets, "bytes": 9}}}
        for port, packets in ((7000, 3), (7001, 5))
    ]
    listing = json.dumps({"nftables": [{"metainfo": {}}, {"set": {"name": "gdrop", "elem": elements}}]})
    assert links.packets(listing) == {"198.18.0.1 . 7000": 3, "198.18.0.1 . 7001": 5}
    chain = {"rule": {"expr": [{"counter": {"packets": 7, "bytes": 9}}, {"drop": None}]}}
    assert links.packets(json.dumps({"nftables": [{"chain": {}}, chain]})) == {"": 7}
    assert links.packets(json.dumps({"nftables": [{"set": {"name": "gdrop"}}]})) == {}
