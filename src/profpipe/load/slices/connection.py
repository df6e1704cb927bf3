"""One keep-alive connection with at most one request outstanding; every answer on it is checked."""

from __future__ import annotations

import socket
import struct
import time

import httptools

CONNECT_TRIES = 3
RETRY_AFTER_S = 0.02
RECEIVE_BYTES = 65_536  # from 128 KiB on, malloc maps the buffer afresh for every read: 10 us
NO_BODY = (204, 304)


class SliceError(Exception):
    """A server did what no measurement can be made of; the text is for the report."""


class Connection:
    """A blocking socket, read when epoll says that there is something, and the parser of what comes.

    `fresh` = nothing was fed to the parser since its last answer ended, so a read that equals an answer which was
    checked before is that answer, byte for byte: the parser is a pure function of the bytes from there on.
    """

    __slots__ = (
        "_closing", "_head", "_host", "_port", "_sized", "_timeout", "begun", "body_bytes", "complete", "extra",
        "fresh", "headers_done", "keep_alive", "parser", "recv", "send", "socket", "status", "waiting",
    )  # fmt: skip

    def __init__(self, host: str, port: int, *, head: bool, timeout: float) -> None:
        """Connects. SliceError when the server refuses."""
        self._host, self._port, self._head, self._timeout = host, port, head, timeout
        self.begun = 0  # perf_counter_ns when the request outstanding was sent
        self.waiting = False
        self.open()

    def open(self) -> None:
        """Connect again, with a few tries, and forget what was half read."""
        for left in reversed(range(CONNECT_TRIES)):
            try:
                self.socket = socket.create_connection((self._host, self._port), timeout=self._timeout)
                break
            except OSError as error:
                if not left:
                    raise SliceError(f"it refuses connections: {error.strerror or error}") from error
                time.sleep(RETRY_AFTER_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Python waits with a second system call where a socket has a time-out; the kernel's own needs none.
        self.socket.settimeout(None)
        limit = struct.pack("ll", int(self._timeout), int(self._timeout % 1 * 1e6))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self.recv, self.send = self.socket.recv, self.socket.sendall
        self.parser = httptools.HttpResponseParser(self)
        self.begin_message()

    def begin_message(self) -> None:
        """The next byte begins an answer."""
        self.fresh = True
        self.complete = self.extra = self.headers_done = self._sized = self.keep_alive = False
        self._closing = b""
        self.status = self.body_bytes = 0

    def feed(self, data: bytes) -> bool:
        """Parse; True when the answer has ended. SliceError for what is no answer or more than one."""
        self.fresh = False
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise SliceError(f"it answered with something that is not HTTP: {error or data[:60]!r}") from error
        if self.extra:
            raise SliceError("it sent more than one answer to one request")
        return self.complete

    def ended_by_close(self) -> bool:
        """Whether the end of the connection is the end of the answer: a body without a length."""
        return self.headers_done and not self._sized

    def after_answer(self) -> bool:
        """Ready for the next answer; False when the server will close the connection."""
        keep_alive = self.keep_alive
        self.begin_message()
        if self._head:
            # httptools cannot be told that an answer to HEAD has no body and would wait for one.
            self.parser = httptools.HttpResponseParser(self)
        return keep_alive

    def close(self) -> None:
        self.socket.close()

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self.complete:
            self.extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower in (b"content-length", b"transfer-encoding"):
            self._sized = True
        elif lower == b"connection":
            self._closing += value.lower()

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if 100 <= status < 200:
            return  # an interim answer: the one that counts is still to come
        self.status, self.headers_done = status, True
        self._sized = self._sized or status in NO_BODY
        if self._head:
            self.complete = True
            version = self.parser.get_http_version()
            self.keep_alive = b"close" not in self._closing and (version == "1.1" or b"keep-alive" in self._closing)

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self._head:
            self.extra = True

    def on_message_complete(self) -> None:
        if not self.headers_done:
            self._sized, self._closing = False, b""
            return
        if self._head:
            return
        if self.complete:
            self.extra = True
        self.complete = True
        self.keep_alive = self.parser.should_keep_alive()
