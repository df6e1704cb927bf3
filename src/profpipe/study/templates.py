"""Values that differ from request to request: `{seq}` and `{random:1-1000}` in a path or a body.

The load clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import re
from random import Random

_PLACE = re.compile(rb"\{(?:seq|random:(\d{1,15})-(\d{1,15}))\}")


def differs(*texts: str) -> bool:
    """Whether any of these has a value that differs."""
    return any(_PLACE.search(text.encode("utf-8", "surrogateescape")) for text in texts)


def first(text: str) -> str:
    """The text as a server is asked whether it is ready: 0 for {seq}, which no load sends, else the smallest number."""
    data = text.encode("utf-8", "surrogateescape")
    return _PLACE.sub(lambda found: found[1] or b"0", data).decode("utf-8", "surrogateescape")


def backwards(text: str) -> str | None:
    """The first `{random:9-1}`, whose values there are none of; None where there is none."""
    data = text.encode("utf-8", "surrogateescape")
    return next((one[0].decode() for one in _PLACE.finditer(data) if one[1] and int(one[1]) > int(one[2])), None)


class Template:
    """A text with places for values."""

    def __init__(self, text: bytes) -> None:
        self._bounds = [(int(one[1]), int(one[2])) if one[1] else None for one in _PLACE.finditer(text)]
        self._format = _PLACE.sub(b"%d", text.replace(b"%", b"%%"))

    def filled(self, number: int, rng: Random) -> bytes:
        """`number` for every {seq}, a number of `rng` for every {random:...}, both bounds included."""
        return self._format % tuple(number if each is None else rng.randint(*each) for each in self._bounds)
