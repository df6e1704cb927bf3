"""The HTTP side as an asyncio.Protocol. asyncio_protocol.py, uvloop_protocol.py and the head pair run this file."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from command_line import listen, ready
from request_head import END, MAX_HEAD, RESPONSE, parse


class Hello(asyncio.Protocol):
    def __init__(self, respond: Callable[[], bytes] | None = None) -> None:
        self.data = b""
        self.respond = respond

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while True:
            head, found, rest = self.data.partition(END)
            if not found:
                break
            self.data = rest
            _, _, headers = parse(head)
            self.transport.write(self.respond() if self.respond else RESPONSE)
            if headers.get("connection") == "close":
                self.transport.close()
        if len(self.data) > MAX_HEAD:
            self.transport.close()


async def main(respond: Callable[[], bytes] | None = None) -> None:
    """Serve until SIGTERM. `respond` makes the answer of each request; without it every answer is one constant."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    listener = listen()
    server = await loop.create_server(lambda: Hello(respond), sock=listener)
    ready(listener)
    await stop.wait()
    server.close()
