"""redis-benchmark: its text, a block for each command. Several commands in one run are added up.

An error reply ends it with exit code 1 (`-e` prints it), so that what it counted was answered.
"""

from __future__ import annotations

import re

from profpipe.load.results.parts import MS, need
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "redis-benchmark"
TITLE = re.compile(r"^=+ (.+?) =+\s*$", re.MULTILINE)
COMPLETED = re.compile(r"^\s*(\d+) requests completed in ([\d.]+) seconds", re.MULTILINE)
CLIENTS = re.compile(r"^\s*(\d+) parallel clients", re.MULTILINE)
THREADS = re.compile(r"^\s*threads: (\d+)", re.MULTILINE)
SUMMARY = re.compile(
    r"^\s*avg\s+min\s+p50\s+p95\s+p99\s+max\s*\n\s*([\d.]+)\s+[\d.]+\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)", re.MULTILINE
)


def recognises(text: str) -> bool:
    return COMPLETED.search(text) is not None and "parallel clients" in text


def read(text: str) -> LoadResult:
    """Percentiles are known where one command was run: those of several cannot be added."""
    blocks = COMPLETED.findall(text)
    need(COMPLETED, text, NAME, "N requests completed in T seconds")
    titles, times, threads = TITLE.findall(text), SUMMARY.findall(text), THREADS.search(text)
    mean, *found = (float(ms) * MS for ms in times[0]) if len(times) == 1 else (None,)
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="none",
        connections=int(need(CLIENTS, text, NAME, "N parallel clients").group(1)),
        threads=int(threads.group(1)) if threads else 1,
        served=sum(int(many) for many, _ in blocks),
        seconds=sum(float(seconds) for _, seconds in blocks),
        sent=sum(int(many) for many, _ in blocks),
        mean_us=mean,
        percentiles_us=tuple(zip((50.0, 95.0, 99.0), found, strict=False)),
        unit=titles[0].split("  ")[0] if len(titles) == 1 else "command",
    )
