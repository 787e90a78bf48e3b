"""
The live event format: what a client writes while it works, and how it is read while it is still being written.

A client appends to a file of its own, JSON Lines, one ``os.write`` a line, so that a crash loses nothing written. The
first key of a line names the event, ``at_ns`` is the kernel's monotonic clock::

    {"start":"c1","at_ns":100,"schema":1}                     a writer opened the file; invocations count from 0 again
    {"invoke":0,"at_ns":120,"f":"add","value":17}             written before the request leaves
    {"complete":0,"at_ns":190,"outcome":"ok","result":1,"error":null,"notes":{"address":"198.18.0.3:6379"}}
    {"point":"between check and write","at_ns":200}           a named point was reached
    {"observe":"lease","at_ns":210,"value":{"ttl_ms":300}}    something the client saw beside its operations
    {"broken":"TypeError: ...","at_ns":220}                   an error outside the outcome table, or a crash
    {"done":true,"at_ns":230}                                 the client's workload returned, asked to stop or not

``value``, ``result``, ``error`` and ``notes`` may be absent. A line that a crash or a full disk tore, and that a later
writer of the same file went on after, ends in the byte 0x18 (cancel) and is dropped.

This module imports only the standard library: worker processes import it.
"""

from chaos.history.live import LiveHistory
from chaos.history.reader import EventReader, News
from chaos.history.writer import EventWriter, Invocation

__all__ = ["EventReader", "EventWriter", "Invocation", "LiveHistory", "News"]
