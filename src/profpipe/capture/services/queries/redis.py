"""Redis: calls of each command, by `INFO commandstats` (redis.io, "INFO").

One line is sent and one bulk string comes back, so that neither a driver nor redis-cli is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from profpipe.capture.services.running import RunningService
from profpipe.connecting import connected
from profpipe.errors import CaptureError

SECONDS = 5.0
LINE = re.compile(r"^cmdstat_([^:]+):calls=(\d+)", re.MULTILINE)
# What sets up a connection, and our own question.
NO_QUERY = frozenset({"info", "hello", "auth", "select", "ping", "quit", "client", "command"})


def read(running: RunningService) -> Mapping[str, int]:
    """As QueryCounter.read."""
    try:
        with connected(running.host, running.port, SECONDS) as sock, sock.makefile("rb") as answer:
            sock.sendall(b"INFO commandstats\r\n")
            head = answer.readline().decode(errors="replace").strip()
            if not re.fullmatch(r"\$\d+", head):
                raise CaptureError("load", f"INFO commandstats was answered with {head!r}")
            text = answer.read(int(head[1:])).decode(errors="replace")
    except OSError as error:
        raise CaptureError("load", f"INFO commandstats cannot be asked: {error}") from error
    found = ((name, int(calls)) for name, calls in LINE.findall(text))
    return {name.upper().replace("|", " "): calls for name, calls in found if name.split("|")[0] not in NO_QUERY}
