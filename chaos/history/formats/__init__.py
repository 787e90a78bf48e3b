"""
Histories of others: Jepsen's EDN and log, op maps as JSON. The format is recognised from the content.

``recognise`` names it, ``read`` gives the operations: invocations and completions are paired by process, ``info`` leaves
an operation open (it may have happened), what nemesis did becomes observations, and everything that does not fit is
refused with its line.
"""

from chaos.history.formats.export import edn_lines, save_edn
from chaos.history.formats.pairing import Reading
from chaos.history.formats.reading import FORMATS, read
from chaos.history.formats.recognition import ARCHIVE, EDN, JSON, LIVE, LOG, recognise

__all__ = ["ARCHIVE", "EDN", "FORMATS", "JSON", "LIVE", "LOG", "Reading", "edn_lines", "read", "recognise", "save_edn"]
