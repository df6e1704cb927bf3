"""Tally: a first line `# tally 1`, then one line per function: samples, name and place, with tabs between them."""

from __future__ import annotations

from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.reading import TextLines, finish
from profpipe.units import SAMPLES

FIRST_LINE = "# tally 1"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks"})
RECORD = "a study's run with the profiler thread-states"


def sniff(head: bytes, filename: str) -> bool | None:
    return head.startswith(FIRST_LINE.encode())


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile whose stacks have one frame. Raises ParseError for a line that is not of the form above."""
    builder = Builder("sampled", (SAMPLES,))
    lines = TextLines(raw)
    for number, line in lines:
        if number == 1:
            if line != FIRST_LINE:
                raise ParseError(source, f"expected {FIRST_LINE!r}", line=number)
            continue
        count, name, place = _row(line, source, number)
        frame = builder.frame(builder.function(name, object=place))
        builder.sample(builder.stack(-1, frame), (count,))
    partial = None if lines.complete else "the last line has no end: the file was cut there"
    meta = Meta("tally", source, partial=partial, warnings=tuple(lines.warnings()))
    return finish(builder, meta)


def _row(line: str, source: str, number: int) -> tuple[int, str, str]:
    fields = line.split("\t")
    if len(fields) != 3 or not fields[0].isdecimal() or len(fields[0]) > 15:
        raise ParseError(source, f"expected samples, name and place with tabs, found {line[:40]!r}", line=number)
    return int(fields[0]), fields[1], fields[2]
