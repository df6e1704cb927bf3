"""Counts out of cost and calls lines: all of a window at once, and the odd line word by word."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import ParseError
from profpipe.parse.callgrind.lines import Index, Lines, eight_bytes

MAX_COUNT = 2**63 - 1
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,32}|[0-9]{1,40}")
_POSITION = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)|\*")


def cost_columns(lines: Lines, rows: Index, positions: int, events: int, source: str) -> list[Index]:
    """One column per event over these cost lines; counts that a line leaves out are 0.

    Raises ParseError for the first line that is not `positions` position words and at most `events` counts.
    """
    tokens, first = lines.tokens[rows], lines.first[rows]
    odd = lines.foreign[rows] | (tokens < positions) | (tokens > positions + events)
    bounds = [lines.separators.take(first + i, mode="clip") for i in range(positions + events)]
    for left, right in pairwise(bounds[:positions]):
        odd |= right - left == 1
    columns = []
    for event, (left, right) in enumerate(zip(bounds[positions - 1 : -1], bounds[positions:], strict=True)):
        # A line that leaves this count out has no such word, and `right` is in a later line.
        there = tokens > positions + event
        column, good = decimals(lines.data, np.where(there, left + 1, right), right)
        odd |= there & ~good
        columns.append(np.where(there, column, 0))
    for i in np.flatnonzero(odd).tolist():
        for column, value in zip(columns, _cost_line(lines, int(rows[i]), positions, events, source), strict=True):
            column[i] = value
    return columns


def call_counts(lines: Lines, rows: Index, source: str) -> Index:
    """How often each of these `calls=` lines says the call was made."""
    values, good = decimals(lines.data, lines.start[rows] + len("calls="), lines.separators[lines.first[rows]])
    for i in np.flatnonzero(~good | lines.foreign[rows]).tolist():
        row = int(rows[i])
        count, *target = _words(lines.line(row).removeprefix(b"calls=")) or [""]
        if not all(_POSITION.fullmatch(word) for word in target):
            raise _unreadable(lines, row, "`calls=count target-position`", source)
        values[i] = _count(count, lines, row, source)
    return values


def _cost_line(lines: Lines, row: int, positions: int, events: int, source: str) -> list[int]:
    """A cost line with hexadecimal counts, tabs or several blanks; or why it is none."""
    words = _words(lines.line(row))
    counts = words[positions:]
    if len(words) < positions or len(counts) > events:
        raise _unreadable(lines, row, f"a cost line of {positions} positions and at most {events} counts", source)
    if not all(_POSITION.fullmatch(word) for word in words[:positions]):
        raise _unreadable(lines, row, "a cost line: positions are numbers, +N, -N or *", source)
    return [_count(word, lines, row, source) for word in counts] + [0] * (events - len(counts))


def _words(line: bytes) -> list[str]:
    """Split at blanks and tabs, the only white space of the format."""
    return [word.decode(errors="backslashreplace") for word in line.replace(b"\t", b" ").split(b" ") if word]


def _count(word: str, lines: Lines, row: int, source: str) -> int:
    if _NUMBER.fullmatch(word):
        value = int(word, 16 if word[:2] in ("0x", "0X") else 10)
        if value <= MAX_COUNT:
            return value
    raise _unreadable(lines, row, f"a count from 0 to {MAX_COUNT:,}", source)


def _unreadable(lines: Lines, row: int, expected: str, source: str) -> ParseError:
    text = repr(lines.line(row)[:60].decode(errors="backslashreplace"))
    return ParseError(source, f"{text}: expected {expected}", line=row + lines.number)


def decimals(data: NDArray[np.uint8], start: Index, end: Index) -> tuple[Index, NDArray[np.bool_]]:
    """The decimal numbers in data[start:end], and which of them are one (digits only, not empty, below 2**63).

    Eight digits at a time: one 64-bit load that ends with the number, then three multiplications.
    """
    length = end - start
    good = (length > 0) & (length <= 19)
    low = eight_bytes(data)[np.maximum(end - 8, 0)]
    blank = ((8 - np.clip(length, 1, 8)) * 8).astype(np.uint64)
    low = ((low ^ np.uint64(0x3030303030303030)) >> blank) << blank
    good &= ((low | (low + np.uint64(0x7676767676767676))) & np.uint64(0x8080808080808080)) == 0
    low = low * np.uint64(10) + (low >> np.uint64(8))
    pairs = np.uint64(0x000000FF000000FF)
    low = (low & pairs) * np.uint64(0x000F424000000064) + ((low >> np.uint64(16)) & pairs) * np.uint64(0x271000000001)
    value = (low >> np.uint64(32)).astype(np.int64)
    longer = np.flatnonzero(good & (length > 8))
    if len(longer):
        high, fine = decimals(data, start[longer], end[longer] - 8)
        fine &= high < MAX_COUNT // 10**8
        good[longer] &= fine
        value[longer] += np.where(fine, high, 0) * 10**8
    return value, good
