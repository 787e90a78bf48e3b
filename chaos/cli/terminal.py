"""
How commands speak: tables and colours on a terminal, plain lines elsewhere.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chaos.servers.software import Progress

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 160  # For files and pipes, where nothing wraps at a screen's edge.


def say(text: str = "") -> None:
    """One line of result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # In a log, it stands beside what stderr says.


def say_json(value: object) -> None:
    """The result for a program."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """A table; cells may carry rich's markup if they were made by ``coloured``."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    out = console()
    if title:
        out.print(coloured(title, "bold"))
    out.print(table)


def coloured(text: str, colour: str) -> str:
    """The text in a colour, where there are colours."""
    return f"[{colour}]{plain(text)}[/{colour}]"


def plain(text: str) -> str:
    """The text with nothing in it taken for markup."""
    from rich.markup import escape

    return escape(text)


def console() -> "Console":
    """Standard output, as rich sees it."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


@contextmanager
def progress(start: str, *, lines: bool = True) -> Iterator[Progress]:
    """Says on stderr what is being done: as a live line on a terminal, elsewhere as ``lines``, if they are wanted."""
    if not sys.stderr.isatty():
        yield lambda text: _tell(f"{start}: {text}") if lines else None
        return
    from rich.console import Console

    with Console(stderr=True).status(plain(start)) as status:
        yield lambda text: status.update(plain(f"{start}: {text}"))


def complain(problem: object) -> None:
    """One sentence on stderr."""
    _tell(f"chaos: {problem}")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
