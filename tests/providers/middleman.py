"""
A stand-in for an engine that dies: hands everything on to the real engine's socket until it is killed.

    middleman.py REAL LISTEN
"""

import asyncio
import sys
from contextlib import suppress


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(1 << 16):
            target.write(piece)
            await target.drain()
        target.write_eof()


async def main(real: str, listen: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_unix_connection(real)
        await asyncio.gather(_pass_on(reader, ours), _pass_on(theirs, writer))
        for each in (ours, writer):
            each.close()

    server = await asyncio.start_unix_server(serve, listen)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
