"""The HTTP side with asyncio's streams. asyncio_streams.py and uvloop_streams.py run this file."""

from __future__ import annotations

import asyncio
import signal

from command_line import listen, ready
from request_head import END, RESPONSE, parse


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests until the client closes, asks to close, or sends a head over the reader's limit (64 KiB).

    No drain(): the twin in protocol.py has no flow control either, and a client here reads what it asked for.
    """
    try:
        while True:
            head = await reader.readuntil(END)
            _, _, headers = parse(head[: -len(END)])
            writer.write(RESPONSE)
            if headers.get("connection") == "close":
                break
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listener = listen()
    server = await asyncio.start_server(serve, sock=listener)
    ready(listener)
    await stop.wait()
    server.close()
