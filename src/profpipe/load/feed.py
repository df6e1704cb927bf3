"""The rows of a feeder in the order in which the requests of a load take them.

The load clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import quote

from profpipe.study.templates import Row


class FeedEnded(Exception):
    """Every row was taken, and the feeder does not begin again."""


def in_path(value: str) -> bytes:
    """A value as it stands in a path: percent-encoded."""
    return quote(value, safe="", errors="surrogateescape").encode()


class Feed:
    """Rows one after another. Raises FeedEnded after the last one where the feeder stops; without rows, at once."""

    def __init__(self, spec: Mapping[str, Any] | None, first: int = 0) -> None:
        """`spec` = {name, columns, rows, order, stop}; `first` = rows that the warm-up has taken."""
        self.spec = spec or {"name": "", "columns": (), "rows": (), "order": "sequence", "stop": True}
        self._next = count(first)
        self._lap, self._places = -1, list(range(len(self.spec["rows"])))

    def __iter__(self) -> Feed:
        return self

    def __next__(self) -> Row:
        rows = self.spec["rows"]
        at = next(self._next)
        if not rows or (self.spec["stop"] and at >= len(rows)):
            raise FeedEnded(f"the feeder {self.spec['name']} ended after {len(rows):,} rows")
        lap, place = divmod(at, len(rows))
        if self.spec["order"] == "random" and lap != self._lap:
            # Each lap has an order of its own, which is the same in every run and for every variant.
            self._places, self._lap = random.Random(f"rows {lap}").sample(range(len(rows)), len(rows)), lap
        return dict(zip(self.spec["columns"], rows[self._places[place]], strict=True))
