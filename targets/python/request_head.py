"""What every target shares: the same parser and the same answer, so that variants differ only in how they serve."""

from __future__ import annotations

BODY = b"Hello World"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
END = b"\r\n\r\n"
MAX_HEAD = 65536


def parse(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers (names in lower case) of a request head without its empty line."""
    first, *rest = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {}
    for line in rest:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return method, path, headers
