"""Values that differ from request to request: `{seq}`, `{random:1-1000}` and `{csv:COLUMN}` in path, headers and body.

The load clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

_PLACE = re.compile(rb"\{(?:seq|random:(\d{1,15})-(\d{1,15})|csv:([^{}\r\n]{1,200}))\}")
Row = Mapping[str, str]


def differs(*texts: str) -> bool:
    """Whether any of these has a value that differs."""
    return any(_PLACE.search(_bytes(text)) for text in texts)


def columns_in(*texts: str) -> list[str]:
    """The columns of a feeder that these texts have places for, in their order."""
    found = [one[3] for text in texts for one in _PLACE.finditer(_bytes(text)) if one[3] is not None]
    return [name.decode("utf-8", "replace") for name in found]


def first(text: str) -> str:
    """The text as a server is asked whether it is ready: 0 for {seq}, which no load sends, else the smallest number."""
    return _PLACE.sub(lambda found: found[1] or b"0", _bytes(text)).decode("utf-8", "surrogateescape")


def backwards(text: str) -> str | None:
    """The first `{random:9-1}`, whose values there are none of; None where there is none."""
    each = _PLACE.finditer(_bytes(text))
    return next((one[0].decode() for one in each if one[1] and int(one[1]) > int(one[2])), None)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Template:
    """A text with places for values; `written` makes bytes of a value of a row."""

    def __init__(self, text: bytes, written: Callable[[str], bytes] = _bytes) -> None:
        self._written = written
        self._places = [_place(one) for one in _PLACE.finditer(text)]
        self._format = _PLACE.sub(lambda one: b"%b" if one[3] else b"%d", text.replace(b"%", b"%%"))
        self.fed = any(isinstance(place, str) for place in self._places)

    def filled(self, number: int, rng: Random, row: Row) -> bytes:
        """`number` for every {seq}, a number of `rng` for every {random:...}, both bounds included, else of `row`."""
        return self._format % tuple(
            number if each is None else self._written(row[each]) if isinstance(each, str) else rng.randint(*each)
            for each in self._places
        )


def _place(one: re.Match[bytes]) -> tuple[int, int] | str | None:
    if one[3]:
        return one[3].decode("utf-8", "surrogateescape")
    return (int(one[1]), int(one[2])) if one[1] else None
