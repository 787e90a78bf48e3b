"""
What a provider does with files.
"""

from pathlib import Path

import pytest

from chaos.errors import ProviderError
from chaos.providers.contract import Lab, Provider, Spawn
from chaos.wait import wait_until
from tests.conformance.talk import client, node, run, wait_event


def test_what_is_put_can_be_got_from_any_offset(lab: Lab) -> None:
    lab.place([node("n1"), client("c1")])
    content = bytes(range(256)) * 12_000  # 3 MB: several pieces of the stream.
    for party in ("n1", "c1"):
        lab.put(party, "deep/er/data.bin", content)
        assert lab.get(party, "deep/er/data.bin") == content
        assert lab.get(party, f"{lab.folder(party)}/deep/er/data.bin", len(content) - 5) == content[-5:]


def test_an_absent_file_reads_as_empty(lab: Lab) -> None:
    lab.place([node("n1")])
    assert lab.get("n1", "nowhere") == b""


def test_a_file_outside_the_party_is_refused(lab: Lab, tmp_path: Path) -> None:
    lab.place([node("n1")])
    for path in (str(tmp_path / "elsewhere"), "../../elsewhere", "/etc/elsewhere"):
        with pytest.raises(ProviderError, match="outside this party's folders"):
            lab.put("n1", path, b"")


def test_the_files_of_a_spawn_are_there_before_it_starts(lab: Lab) -> None:
    lab.place([node("n1")])
    ref = lab.spawn("n1", Spawn(name="cat", argv=("cat", "conf/a.txt"), files={"conf/a.txt": b"settings"}))
    wait_until(lab.exits, within_s=5, wanted="cat to end")
    assert lab.log(ref) == b"settings"


def test_two_parties_do_not_share_a_folder(lab: Lab) -> None:
    lab.place([node("n1"), node("n2")])
    lab.put("n1", "mine", b"1")
    assert lab.get("n2", "mine") == b""


def test_kept_files_and_logs_survive_the_lab(provider: Provider, tmp_path: Path) -> None:
    keep_at = tmp_path / "kept"
    lab = provider.open(keep_at=str(keep_at))
    try:
        lab.place([node("n1")])
        lab.put("n1", f"{lab.kept('n1')}/deep/events.jsonl", b"{}\n")
        lab.put("n1", f"{lab.folder('n1')}/data", b"gone with the lab")
        wait_event(lab, run(lab, "n1", "family"), "child")
    finally:
        lab.close()
    assert (keep_at / "n1" / "deep" / "events.jsonl").read_bytes() == b"{}\n"
    assert b"child" in (keep_at / "n1" / "peer.log").read_bytes()
    assert not list(keep_at.rglob("data"))
