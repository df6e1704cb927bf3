"""The one thing head_formatted.py and head_cached.py differ in: how often the response head is formatted."""

from __future__ import annotations

import time

from request_head import BODY

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def render(second: int) -> bytes:
    """The whole response with the Date of `second` (seconds since 1970)."""
    now = time.gmtime(second)
    date = (
        f"{DAYS[now.tm_wday]}, {now.tm_mday:02} {MONTHS[now.tm_mon - 1]} {now.tm_year} "
        f"{now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02} GMT"
    )
    head = (
        f"HTTP/1.1 {200} {'OK'}\r\nContent-Type: {'text/plain'}\r\nContent-Length: {len(BODY)}\r\n"
        f"Date: {date}\r\nServer: {'hello'}\r\n\r\n"
    )
    return head.encode("latin-1") + BODY


def formatted() -> bytes:
    """Formatted for this request."""
    return render(int(time.time()))


class Cached:
    """The same bytes, formatted once a second. The clock is read per request in both, so it is not the difference."""

    def __init__(self) -> None:
        self.second = -1
        self.response = b""

    def __call__(self) -> bytes:
        second = int(time.time())
        if second != self.second:
            self.second, self.response = second, render(second)
        return self.response
