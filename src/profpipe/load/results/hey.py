"""hey: its text. Times in seconds with four decimals, so that nothing under 0.1 ms is told apart.

It does not print its connections. It exits with 0 when every connection was refused.
"""

from __future__ import annotations

import re

from profpipe.load.results.parts import S, need, percentiles
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "hey"
TOTAL = re.compile(r"^\s*Total:\s+([\d.]+) secs", re.MULTILINE)
RATE = re.compile(r"^\s*Requests/sec:\s+([\d.]+)", re.MULTILINE)
MEAN = re.compile(r"^\s*Average:\s+([\d.]+|NaN) secs", re.MULTILINE)
PERCENTILE = re.compile(r"^\s*(\d+)%\s+in ([\d.]+) secs", re.MULTILINE)
SIZE = re.compile(r"^\s*Total data:\s+(\d+) bytes", re.MULTILINE)
STATUS = re.compile(r"^\s*\[(\d{3})\]\s+(\d+) responses", re.MULTILINE)
ERROR = re.compile(r"^\s*\[(\d+)\]\s+(?!\d+ responses)(\S.*)$", re.MULTILINE)


def recognises(text: str) -> bool:
    return "Response time histogram:" in text and "DNS+dialup" in text


def read(text: str) -> LoadResult:
    """Answers are counted from the status distribution; what got none, from the error distribution."""
    mean = need(MEAN, text, NAME, "Average: T secs").group(1)
    counts = {int(status): int(many) for status, many in STATUS.findall(text)}
    served = sum(many for status, many in counts.items() if status < 400)
    errors = {f"status {status}": many for status, many in counts.items() if status >= 400}
    _, _, listed = text.partition("Error distribution:")
    for many, words in ERROR.findall(listed):
        errors[words] = errors.get(words, 0) + int(many)
    need(RATE, text, NAME, "Requests/sec: N")
    size = SIZE.search(text)
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="none",
        connections=None,
        threads=None,
        served=served,
        seconds=float(need(TOTAL, text, NAME, "Total: T secs").group(1)),
        sent=served + sum(errors.values()),
        failed=sum(errors.values()),
        errors=errors,
        bytes_read=int(size.group(1)) if size else None,
        mean_us=None if mean == "NaN" else float(mean) * S,
        percentiles_us=percentiles(PERCENTILE.findall(text), S),
    )
