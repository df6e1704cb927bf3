"""A look at callgrind's files before they are parsed: did they count anything, and did the tunable work."""

from __future__ import annotations

import re
from pathlib import Path


def total_of(path: Path) -> int:
    """Sum of the first event over a dump, from its `totals:` lines; 0 when the file is empty or has none."""
    total = 0
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"totals:") and len(line.split()) > 1:
                total += int(line.split()[1])
    return total


def counts_bytes(path: Path) -> str | None:
    """The first string function with `rep` in a dump: where the tunable works, glibc picks none of them."""
    with path.open("rb") as file:
        for line in file:
            if b"_erms" in line and (found := re.match(rb"c?fn=\(\d+\) (__\w+_erms\w*)", line)):
                return found[1].decode()
    return None
