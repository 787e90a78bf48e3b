"""
From a source to operations, whatever the format.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from chaos.errors import HistoryFormatError
from chaos.history.formats.edn import EdnReader, Form
from chaos.history.formats.json_ops import JsonReader
from chaos.history.formats.log import LogReader
from chaos.history.formats.pairing import Pairing, Reading
from chaos.history.formats.recognition import EDN, JSON, LOG, recognise
from chaos.history.source import Source

UNENDED: Final = "the last line has no end: it was taken as it is, and may be cut short"
FORMATS: Mapping[str, Callable[[str, Iterable[str]], Iterator[Form]]] = {
    EDN: lambda name, texts: EdnReader(name).read(texts),
    JSON: lambda name, texts: JsonReader(name).read(texts),
    LOG: lambda name, texts: LogReader(name).read(texts),
}
"""Each gives the op maps of a text, with their lines."""


def read(source: Source) -> Reading:
    """
    The operations of a foreign history.

    :raises HistoryFormatError: with the line and the reason, if anything about it is not as it must be.
    """
    form = recognise(source.peek(), source.name)
    if form not in FORMATS:
        raise HistoryFormatError(f"{source.name}, line 1: {form} is our own format, not a foreign one")
    pairing = Pairing(source.name)
    take = pairing.take
    texts = _Texts(source)
    try:
        for line, event in FORMATS[form](source.name, texts):
            take(line, event)
        reading = pairing.finish(form)
    except MemoryError as problem:
        raise HistoryFormatError(f"{source.name}: too large for the memory of this machine") from problem
    return reading if form != LOG or texts.last == "\n" else replace(reading, remarks=(*reading.remarks, UNENDED))


class _Texts:
    """The pieces of a text, without its byte order mark; ``last`` is the last character so far."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for text in self._source.texts():
            yield text if self.last else text.removeprefix("\ufeff")
            self.last = text[-1:] or self.last
