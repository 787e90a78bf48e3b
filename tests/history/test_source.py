"""
Reading in pieces, and saying how far it has got.
"""

import gzip
from pathlib import Path

import pytest

from chaos.history.source import opened


@pytest.mark.parametrize("zipped", [False, True])
def test_reading_tells_how_many_bytes_it_has_read(tmp_path: Path, zipped: bool) -> None:
    """Of what is in the file, not of how it is packed; what was only looked at is read later."""
    file, content = tmp_path / "history", b"line\n" * 600_000
    file.write_bytes(gzip.compress(content) if zipped else content)
    told: list[int] = []
    with opened(file) as source:
        source.peek()
        source.told = told.append
        assert b"".join(source.chunks()) == content
    assert told == sorted(told)
    assert told[-1] == len(content)
