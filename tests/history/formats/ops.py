"""
Foreign histories from text.
"""

import io
from pathlib import Path

from chaos.history import Operation
from chaos.history.formats import Reading, read
from chaos.history.source import Source


def reading(text: str | bytes) -> Reading:
    """What a file of this content is read as."""
    content = text.encode() if isinstance(text, str) else text
    return read(Source("h", io.BufferedReader(io.BytesIO(content))))


def operations(text: str | bytes) -> list[str]:
    """Its operations as witnesses show them."""
    return [str(each) for each in reading(text).history.operations]


def spans(text: str) -> list[tuple[int, int | None]]:
    """When each began and ended."""
    return [span(each) for each in reading(text).history.operations]


def span(operation: Operation) -> tuple[int, int | None]:
    """When it began and ended."""
    return operation.invoked_ns, operation.completed_ns


def file_of(folder: Path, text: str, name: str = "history") -> Path:
    """The text in a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
