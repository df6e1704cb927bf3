"""What a server prints: always drained, kept within bounds, searched for the line that says it is ready."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable

KEPT = 64 * 1024  # bytes kept of the beginning and of the end of a server's output
LINE_MAX = 8 * 1024
TAIL_LINES, TAIL_WIDTH = 20, 400


def printable(line: str) -> str:
    """A line of a server's output without control characters, cut: it is shown on terminals and in reports."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line.replace("\t", "    "))
    return clean if len(clean) <= TAIL_WIDTH else clean[:TAIL_WIDTH] + "…"


class Log:
    """A server's output, drained by a thread so that it never blocks; first and last 64 KiB are kept.

    `on_line` is called by that thread with every line, safe to print.
    """

    def __init__(self, fd: int, on_line: Callable[[str], None] | None = None) -> None:
        self._fd, self._on_line, self._unended = fd, on_line, b""
        self._changed = threading.Condition()
        self._head = bytearray()
        self._tail = bytearray()
        self._partial = b""
        self._pattern: re.Pattern[str] | None = None
        self._match: re.Match[str] | None = None
        self.size = 0
        self.ended = False
        self._thread = threading.Thread(target=self._drain, name="server output", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while data := self._read():
            with self._changed:
                self._keep(data)
                if self._pattern is not None and self._match is None:
                    self._search(data)
                self._changed.notify_all()
            self._tell(data)
        self._tell(b"\n" if self._unended else b"")
        os.close(self._fd)
        with self._changed:
            self.ended = True
            if self._pattern is not None and self._match is None:
                self._search(b"\n")  # a last line without its end still counts
            self._changed.notify_all()

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, 65536)
        except OSError:
            return b""

    def _keep(self, data: bytes) -> None:
        self.size += len(data)
        room = KEPT - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if len(self._tail) > 2 * KEPT:
            del self._tail[:-KEPT]

    def _search(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        self._partial = self._partial[:LINE_MAX]
        for line in lines:
            self._match = self._pattern.search(line[:LINE_MAX].decode(errors="replace")) if self._pattern else None
            if self._match:
                return

    def _tell(self, data: bytes) -> None:
        if self._on_line is not None:
            *lines, rest = (self._unended + data).split(b"\n")
            self._unended = rest[:LINE_MAX]
            for line in lines:
                self._on_line(printable(line[:LINE_MAX].decode(errors="replace")))

    def watch(self, pattern: str) -> None:
        """Search every line from the first one; `matched` returns the result. One pattern per log."""
        with self._changed:
            self._pattern = re.compile(pattern)
            self._search(bytes(self._head) + bytes(self._tail))

    def matched(self, timeout: float) -> re.Match[str] | None:
        """The match, waited for at most `timeout` seconds or to the end of the output."""
        with self._changed:
            self._changed.wait_for(lambda: self._match is not None or self.ended, timeout)
            return self._match

    def bytes(self) -> bytes:
        """What was kept, with a line in the middle that gives how much was left out."""
        with self._changed:
            tail = bytes(self._tail[-KEPT:])
            left_out = self.size - len(self._head) - len(tail)
            gap = b"\n[... %d bytes left out ...]\n" % left_out if left_out else b""
            return bytes(self._head) + gap + tail

    def tail(self) -> tuple[str, ...]:
        """The last lines, safe to print."""
        lines = self.bytes()[-KEPT:].decode(errors="replace").splitlines()
        return tuple(printable(line) for line in lines if line.strip())[-TAIL_LINES:]

    def finish(self, timeout: float) -> None:
        self._thread.join(timeout)
