"""
From a source to operations, whatever the format.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from chaos.errors import HistoryFormatError
from chaos.history.formats.edn import EdnReader, Form
from chaos.history.formats.json_ops import JsonReader
from chaos.history.formats.log import LogReader
from chaos.history.formats.pairing import Pairing, Reading
from chaos.history.formats.recognition import EDN, JSON, LOG, recognise
from chaos.history.source import Source

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
    try:
        for line, event in FORMATS[form](source.name, _texts(source)):
            take(line, event)
        return pairing.finish(form)
    except MemoryError as problem:
        raise HistoryFormatError(f"{source.name}: too large for the memory of this machine") from problem


def _texts(source: Source) -> Iterator[str]:
    texts = source.texts()
    for text in texts:
        yield text.removeprefix("\ufeff")
        break
    yield from texts
