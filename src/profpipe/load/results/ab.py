"""ab (ApacheBench 2.3): its text. HTTP/1.0, one thread, percentiles in whole milliseconds.

`Failed requests` counts answers of another length than the first as well, and so may count one that
`Non-2xx responses` counts too: the larger of the two is what failed at the least.
"""

from __future__ import annotations

import re

from profpipe.load.results.parts import MS, need, percentiles
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "ab"
CONCURRENCY = re.compile(r"^Concurrency Level:\s+(\d+)", re.MULTILINE)
SECONDS = re.compile(r"^Time taken for tests:\s+([\d.]+) seconds", re.MULTILINE)
COMPLETE = re.compile(r"^Complete requests:\s+(\d+)", re.MULTILINE)
FAILED = re.compile(r"^Failed requests:\s+(\d+)", re.MULTILINE)
NOT_OK = re.compile(r"^Non-2xx responses:\s+(\d+)", re.MULTILINE)
BYTES = re.compile(r"^Total transferred:\s+(\d+) bytes", re.MULTILINE)
PERCENTILE = re.compile(r"^\s+(\d+)%\s+(\d+)", re.MULTILINE)


def recognises(text: str) -> bool:
    return "This is ApacheBench" in text or ("Concurrency Level:" in text and "Complete requests:" in text)


def read(text: str) -> LoadResult:
    """Its "Time per request (mean)" is concurrency x time / requests, no mean of what was measured: it is left out."""
    done = int(need(COMPLETE, text, NAME, "Complete requests: N").group(1))
    not_ok, failed = NOT_OK.search(text), int(need(FAILED, text, NAME, "Failed requests: N").group(1))
    bad = int(not_ok.group(1)) if not_ok else 0
    errors = {"not 2xx": bad, "failed": max(failed - bad, 0)}
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="none",
        connections=int(need(CONCURRENCY, text, NAME, "Concurrency Level: N").group(1)),
        threads=1,
        served=done - max(bad, failed),
        seconds=float(need(SECONDS, text, NAME, "Time taken for tests: T seconds").group(1)),
        sent=done,
        failed=max(bad, failed),
        errors={kind: many for kind, many in errors.items() if many},
        bytes_read=int(need(BYTES, text, NAME, "Total transferred: N bytes").group(1)),
        percentiles_us=percentiles(PERCENTILE.findall(text), MS),
    )
