"""What the parser of a connection says of the response that is being read, for both built-in clients."""

from __future__ import annotations

import httptools

from profpipe.load.expected import Expected

NO_BODY = (204, 304)
LOOKED_AT = frozenset({b"content-length", b"transfer-encoding", b"connection", b"content-encoding"})


def closes(request: bytes) -> bool:
    """Whether the request asks for the end of its connection, which its client then ends, too."""
    return b"\r\nConnection: close\r\n" in request.partition(b"\r\n\r\n")[0] + b"\r\n"


class Response:
    """The target of an httptools parser: one response at a time, and whether it ended as it should.

    `fresh` = nothing was fed to the parser since the last response ended, so a read that equals a response which was
    checked before is that response: the parser is a pure function of the bytes from there on. `extra` = more came than
    one response. `head` = the request is a HEAD, so its responses have no body. `keeps_body` = bodies are looked at.
    """

    __slots__ = (
        "_closing", "_sized", "body", "body_bytes", "complete", "encoding", "extra", "fresh", "head", "headers_done",
        "keep_alive", "keeps_body", "parser", "status",
    )  # fmt: skip

    def __init__(self, *, head: bool, keeps_body: bool = False) -> None:
        self.head, self.keeps_body = head, keeps_body
        self.body = self.encoding = b""
        self.begin_connection()

    def begin_connection(self) -> None:
        """The next byte is the first of a new connection."""
        self.parser = httptools.HttpResponseParser(self)
        self.begin_message()

    def begin_message(self) -> None:
        """The next byte begins a response."""
        self.fresh = True
        self.complete = self.extra = self.headers_done = self._sized = self.keep_alive = False
        self._closing = b""
        self.status = self.body_bytes = 0
        if self.keeps_body:
            self.body = self.encoding = b""

    def after_response(self) -> bool:
        """Ready for the next response; False when the server will close the connection."""
        keep_alive = self.keep_alive
        self.begin_message()
        if self.head:
            # httptools cannot be told that a response to HEAD has no body and would wait for one.
            self.parser = httptools.HttpResponseParser(self)
        return keep_alive

    def ended_by_close(self) -> bool:
        """Whether the end of the connection is the end of the response: a body without a length."""
        return self.headers_done and not self._sized

    def fault(self, expected: Expected | None) -> str | None:
        """What is wrong with the body; None where nothing is, or nothing is expected of it."""
        return None if expected is None else expected.fault(self.body, self.encoding.decode("latin-1"))

    def on_interim(self) -> None:
        """A response with status 1xx: the one that counts is still to come."""

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self.complete:
            self.extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower not in LOOKED_AT:  # one look-up for most headers: every one is the client's own cost
            return
        if lower == b"connection":
            self._closing += value.lower()
        elif lower == b"content-encoding":
            self.encoding = value
        else:
            self._sized = True

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if 100 <= status < 200:
            self.on_interim()
            return
        self.status, self.headers_done = status, True
        self._sized = self._sized or status in NO_BODY
        if self.head:
            self.complete = True
            version = self.parser.get_http_version()
            self.keep_alive = b"close" not in self._closing and (version == "1.1" or b"keep-alive" in self._closing)

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.keeps_body:
            self.body += body
        if self.head:
            self.extra = True

    def on_message_complete(self) -> None:
        if not self.headers_done:
            self._sized, self._closing = False, b""
            return
        if self.head:
            return
        if self.complete:
            self.extra = True
        self.complete = True
        self.keep_alive = self.parser.should_keep_alive()
