"""A loopback HTTP server whose every answer a test decides, and which knows what it was really asked."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def unused_port() -> int:
    """A loopback port nobody listens on (nor is likely to within this test)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@dataclass(frozen=True)
class Answer:
    """What one request gets: bytes after a delay; then the connection may be closed, or the whole server."""

    data: bytes = OK
    delay: float = 0.0
    close: bool = False
    die: bool = False


class Server:
    """`with Server(answer) as server`: answer(n, request) is what the n-th request (from 1) of all connections gets."""

    def __init__(
        self, answer: Callable[[int, bytes], Answer], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        """`host` = an address, or the path of a unix socket."""
        self.answer, self.tls, self.host = answer, tls, host
        self.requests = 0
        self.port = 0
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Server:
        if self.host.startswith("/"):
            self.listening, self.port = socket.socket(socket.AF_UNIX), 0
            self.listening.bind(self.host)
        else:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            self.listening = socket.create_server((self.host, 0), family=family, backlog=512)
            self.port = self.listening.getsockname()[1]
        started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self.thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(RuntimeError):  # it has died, as asked
            self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)
        assert not self.thread.is_alive()

    async def _serve(self, started: threading.Event) -> None:
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connection, sock=self.listening, ssl=self.tls)
        started.set()
        await self.stop.wait()
        await asyncio.sleep(0.01)  # a connection that was accepted at this moment becomes a task, and is ended below
        server.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for writer in self.open:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.open.add(writer)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            self.open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        body = await reader.readexactly(int(length.group(1))) if length else b""
        self.requests += 1
        answer = self.answer(self.requests, head + body)
        if answer.die:
            self.stop.set()
            return False
        if answer.delay:
            await asyncio.sleep(answer.delay)
        writer.write(answer.data)
        await writer.drain()
        return not answer.close
