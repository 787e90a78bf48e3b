"""
A file's format is seen from its content.
"""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import HistoryFormatError
from chaos.history.formats import ARCHIVE, EDN, JSON, LIVE, LOG, read, recognise
from chaos.history.source import opened
from tests.history.formats.ops import reading


@pytest.mark.parametrize(
    ("beginning", "form"),
    [
        ('{"schema":1,"records":{}}', ARCHIVE),
        ('{"start":"c1","at_ns":1,"schema":1}', LIVE),
        ('{"type":"invoke"}', JSON),
        ('  [\n  {\n "type": "invoke"', JSON),
        ("[]", JSON),
        ("{:type :invoke}", EDN),
        ("[{:type :invoke}", EDN),
        ("[\n{:type :invoke}", EDN),
        ("; Jepsen\n\n[{:type :invoke}", EDN),
        ("[#jepsen.history.Op{:type :invoke}", EDN),
        ("#jepsen.history.Op{:type :invoke}", EDN),
        ("({:type :invoke}", EDN),
        ("#_ {:a 1} {:type :invoke}", EDN),
        ("INFO  jepsen.util - 0\t:invoke\t:read\tnil", LOG),
        ("noise\nnoise\nINFO jepsen.util: 0\t:invoke\t:read\tnil", LOG),
    ],
)
def test_beginning_tells_the_format(beginning: str, form: str) -> None:
    assert recognise(beginning.encode(), "h") == form


@pytest.mark.parametrize("content", ["hello", "<html>", "17", "PK\x03\x04"])
def test_unknown_content_lists_what_is_known(content: str) -> None:
    with pytest.raises(HistoryFormatError, match=r"h, line 1: no history that is known here.*Jepsen EDN"):
        reading(content)


def test_empty_file_says_so() -> None:
    with pytest.raises(HistoryFormatError, match="the file is empty"):
        reading("")
    with pytest.raises(HistoryFormatError, match="nothing but white space"):
        reading(" \n")


def test_gzip_is_seen_whatever_the_name(tmp_path: Path) -> None:
    path = tmp_path / "history.edn"
    path.write_bytes(gzip.compress(b"{:type :invoke, :process 0, :f :read}"))

    with opened(path) as source:
        assert len(read(source).history.operations) == 1


@pytest.mark.parametrize("zipped", [False, True])
def test_pipe_that_hands_over_byte_by_byte_is_recognised(zipped: bool) -> None:
    content = b"[{:type :invoke, :process 0, :f :read}]"

    class Dripping(io.RawIOBase):
        rest = gzip.compress(content) if zipped else content

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            given, self.rest = self.rest[:1], self.rest[1:]
            buffer[: len(given)] = given
            return len(given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(Dripping())))
        with opened("-") as source:
            assert len(read(source).history.operations) == 1


def test_log_may_say_much_else_first() -> None:
    assert recognise(b"INFO starting\n" * 50_000 + b"INFO jepsen.util - 0 :invoke :read nil\n", "h") == LOG


def test_gzip_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.edn.gz"
    content = b"".join(b"{:type :invoke, :process %d, :f :read}\n" % n for n in range(200_000))
    path.write_bytes(gzip.compress(content)[:-9_000])

    with pytest.raises(HistoryFormatError, match="cut short"), opened(path) as source:
        read(source)
