"""locust: what `--headless --json` prints, a list with an object for each method and name.

Its users wait as their script says, so that its number of users is not the number of connections in use.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from profpipe.load.results.parts import MS, reading
from profpipe.model.run import Histogram, LoadResult
from profpipe.units import UNKNOWN

NAME = "locust"


def recognises(text: str) -> bool:
    rows = _rows(text)
    return bool(rows) and isinstance(rows[0], dict) and "num_none_requests" in rows[0]


def read(text: str) -> LoadResult:
    """Response times are in rounded milliseconds, failed requests among them."""
    return reading(NAME, lambda: _read(_rows(text)))


def _rows(text: str) -> list[Any]:
    start = text.find("[\n")
    try:
        found = json.loads(text[start:]) if start >= 0 else []
    except (json.JSONDecodeError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _read(rows: list[dict[str, Any]]) -> LoadResult:
    times: Counter[float] = Counter()
    for row in rows:
        times.update({float(ms) * MS: int(many) for ms, many in row["response_times"].items()})
    done, failed = sum(row["num_requests"] for row in rows), sum(row["num_failures"] for row in rows)
    begun = min(row["start_time"] for row in rows)
    last = max(row["last_request_timestamp"] or row["start_time"] for row in rows)
    ordered = sorted(times)
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="none",
        connections=None,
        threads=None,
        served=done - failed,
        seconds=last - begun,
        sent=done,
        failed=failed,
        errors={"failed": failed} if failed else {},
        bytes_read=sum(row["total_content_length"] for row in rows),
        latency=Histogram(tuple(ordered), tuple(times[value] for value in ordered)),
        mean_us=sum(row["total_response_time"] for row in rows) / done * MS if done else None,
    )
