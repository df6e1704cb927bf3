"""What the readers of valgrind's heap profilers share: the text of a frame, and the metrics of memory."""

from __future__ import annotations

import re

from profpipe.parse.reading import line_number
from profpipe.parse.stack_rows import Place
from profpipe.units import Metric

ALLOCATED_BYTES = Metric("allocated_bytes", "allocated memory", "B", about="bytes of all allocations, freed or not")
ALLOCATIONS = Metric("allocations", "allocations", "1", about="blocks of memory that were allocated")
PEAK_BYTES = Metric("peak_bytes", "memory at the peak", "B", about="bytes in use when most of all were in use")
END_BYTES = Metric("end_bytes", "memory at the end", "B", about="bytes that were never freed")

_FRAME = re.compile(r"0x[0-9A-Fa-f]+: (.*)")
_SOURCE = re.compile(r"[^()]*:\d{1,10}")


def heap_frame(text: str) -> Place:
    """`0x4C2B: name (file.c:12)` or `0x4C2B: name (in /lib/x.so)`; a text of another form is the name as a whole."""
    found = _FRAME.fullmatch(text)
    rest = found[1] if found else text
    name, space, inner = rest.rpartition(" (")
    if not space or not inner.endswith(")"):
        return Place(rest or "???")
    inner = inner[:-1]
    if inner.startswith("in "):
        return Place(name, object=inner[3:])
    if _SOURCE.fullmatch(inner):
        file, _, line = inner.rpartition(":")
        return Place(name, file=file, line=line_number(line))
    return Place(rest)
