"""CPython's map of trampolines, `perf-PID.map`: which Python function an address belongs to.

A line is `ADDRESS SIZE py::QUALIFIED_NAME:FILE`, both numbers hexadecimal (Objects/perf_trampoline.c of CPython). A
name may hold any character but a line's end.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from profpipe.errors import ParseError

FILE = re.compile(r"perf-(\d+)\.map(?:\.gz)?$")
MAX_BYTES = 256 << 20
_LINE = re.compile(r"([0-9a-f]{1,16}) ([0-9a-f]{1,8}) (.*)")
_PYTHON = "py::"


@dataclass(frozen=True, slots=True)
class Trampolines:
    """Python functions by address. Later entries win where two have the same address."""

    starts: Sequence[int]
    ends: Sequence[int]
    names: Sequence[tuple[str, str]]

    def at(self, address: int) -> tuple[str, str] | None:
        """Name and file of the Python function whose trampoline holds the address."""
        row = bisect.bisect_right(self.starts, address) - 1
        return self.names[row] if row >= 0 and address < self.ends[row] else None


def read_trampolines(raw: BinaryIO, source: str) -> Trampolines:
    """Raises ParseError for a map without a line of this form. The last line may be cut: the process still ran."""
    text = raw.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ParseError(source, f"over {MAX_BYTES:,} bytes: no program has that many functions")
    found: dict[int, tuple[int, tuple[str, str]]] = {}
    for line in text.decode(errors="backslashreplace").splitlines():
        matched = _LINE.fullmatch(line)
        if matched is not None and matched[3].startswith(_PYTHON):
            name, _, file = matched[3].removeprefix(_PYTHON).rpartition(":")
            start = int(matched[1], 16)
            found[start] = (start + int(matched[2], 16), (name or file, file if name else ""))
    if not found:
        raise ParseError(source, f"no line `ADDRESS SIZE {_PYTHON}NAME:FILE`: not a map of CPython's trampolines")
    starts = sorted(found)
    return Trampolines(starts, [found[s][0] for s in starts], [found[s][1] for s in starts])
