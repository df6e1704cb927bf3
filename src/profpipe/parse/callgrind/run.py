"""All files and parts of one run, read window by window into shared tables."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from profpipe.errors import ParseError
from profpipe.parse.callgrind.body import Body, Tables
from profpipe.parse.callgrind.columns import MAX_COUNT
from profpipe.parse.callgrind.header import KEY, Part, read_header_line, starts_new_part
from profpipe.parse.callgrind.lines import OTHER, Lines, LineTooLong, split, windows

EMPTY = (
    "empty file: valgrind was killed before it saved (SIGKILL, `callgrind_control -k`, a crash), or this process only "
    "started others and the counts are in the files next to it (`F.1` after a dump, `F-01` with "
    "--separate-threads=yes, one per pid with --trace-children=yes)"
)
# A run of a day, dumped every 10 s, has 8,640 parts; each stretch of costs takes some 0.5 ms however short it is.
MAX_STRETCHES = 50_000
BOM = b"\xef\xbb\xbf"


class Run:
    """What the parts of a run add up to. `parts` in order, `sums` = self costs per part and event."""

    def __init__(self) -> None:
        self.tables = Tables.empty()
        self.parts: list[Part] = []
        self.sums: list[list[int]] = []
        self.sources: list[str] = []
        self.empty: list[str] = []
        self.cut: list[str] = []

    @property
    def events(self) -> tuple[str, ...]:
        return self.parts[0].events

    def read(self, raw: BinaryIO, source: str) -> None:
        """Read one file. Raises ParseError naming the line."""
        reading = _File(self, source)
        number = 1
        try:
            for piece, whole in windows(raw):
                lines = split(_first_piece(piece, source) if number == 1 else piece, number)
                if whole:
                    reading.window(lines)
                else:
                    reading.unfinished(lines)
                number += len(lines)
        except LineTooLong as error:
            raise ParseError(source, str(error), line=number) from error
        if number == 1:
            self.empty.append(source)
            return
        reading.close(number)
        self.sources.append(source)


def _first_piece(piece: bytes, source: str) -> bytes:
    piece = piece.removeprefix(BOM)
    if piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in piece[:64]:
        raise ParseError(source, "binary or UTF-16 data, not a callgrind file, which is plain text", line=1)
    return piece


class _File:
    """Reading one file: the open part, and the function that the next cost belongs to."""

    def __init__(self, run: Run, source: str) -> None:
        self._run, self._source = run, source
        self._part = Part()
        self._sums: list[int] = []
        self._stretches = 0
        self._body = Body(run.tables, source)
        self._file_details: dict[str, str] = {}

    def window(self, lines: Lines) -> None:
        others = np.flatnonzero(lines.kind == OTHER).tolist()
        begin = 0
        for row in others:
            self._costs(lines, slice(begin, row))
            self._header(lines, row)
            begin = row + 1
        self._costs(lines, slice(begin, len(lines.kind)))

    def unfinished(self, lines: Lines) -> None:
        """The last line lacks its newline: read it if it can be, else the file is cut there."""
        try:
            self.window(lines)
        except ParseError as error:
            if self._part.totals is not None or not self._part.events:
                raise
            self._run.cut.append(f"{self._source}: the last line is cut ({str(error).partition(': ')[2]})")

    def close(self, line: int) -> None:
        if not self._part.events:
            raise ParseError(
                self._source,
                "no `events:` line: not a callgrind file, or one cut in its header",
                line=line - 1,
            )
        self._finish_part()

    def _costs(self, lines: Lines, rows: slice) -> None:
        kind = lines.kind[rows]
        if not kind.any():
            return
        if not self._part.events:
            row = int(np.flatnonzero(kind)[0]) + rows.start
            raise ParseError(
                self._source,
                "a body line before `events:` says what is counted: not a callgrind file, or a damaged one",
                line=row + lines.number,
            )
        self._part.begun = True
        self._stretches += 1
        if self._stretches > MAX_STRETCHES:
            row = int(np.flatnonzero(kind)[0]) + rows.start
            text = f"over {MAX_STRETCHES:,} times costs and header lines in turn: not written by a profiler"
            raise ParseError(self._source, text, line=row + lines.number)
        sums = self._body.read(lines, rows, len(self._part.positions), len(self._part.events))
        for i, value in enumerate(sums):
            self._sums[i] += value
            if self._sums[i] > MAX_COUNT:
                raise ParseError(self._source, f"{self._part.events[i]} adds up to more than 64 bits hold")

    def _header(self, lines: Lines, row: int) -> None:
        line = lines.line(row)
        number = row + lines.number
        if not line.strip():
            return
        match = KEY.match(line)
        if match is None:
            shown = repr(line[:60].decode(errors="backslashreplace"))
            raise ParseError(self._source, f"{shown} is no line of the callgrind format", line=number)
        key = match[0][:-1].decode()
        value = line[match.end() :].strip().decode(errors="backslashreplace")
        if starts_new_part(self._part, key):
            self._finish_part()
            self._part = Part(line=number)
        read_header_line(self._part, key, value, self._source, number)
        if key == "events":
            self._begin_part(number)

    def _begin_part(self, line: int) -> None:
        if self._run.parts and self._part.events != self._run.events:
            raise ParseError(
                self._source,
                f"this part counts {' '.join(self._part.events)}, an earlier one {' '.join(self._run.events)}: "
                "they cannot be added up",
                line=line,
            )
        self._sums = [0] * len(self._part.events)
        self._body.begin_part()

    def _finish_part(self) -> None:
        details = {**self._file_details, **self._part.details}
        self._file_details = {k: v for k, v in details.items() if k in ("creator", "pid", "cmd")}
        self._part.details = details
        self._run.parts.append(self._part)
        self._run.sums.append(self._sums)
