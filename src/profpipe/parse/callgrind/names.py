"""Names of a callgrind file: `(id) name` compression, one dense number per text, and per pair of numbers."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import ParseError
from profpipe.parse.callgrind.lines import Index, Lines

# Writers number names from 1 on; the table is as long as the largest id, so an absurd one must not size it.
MAX_ID = 1 << 24
NOT_DEFINED = -1
_ID = re.compile(rb"\([0-9]{1,8}")
_LEVEL = re.compile(r"[1-9][0-9]{0,8}")


class Texts:
    """Dense numbers for texts, in order of first sight; 0 is "". `unknown` is a text that stands for it."""

    def __init__(self, unknown: str = "") -> None:
        self._numbers: dict[str, int] = {"": 0, unknown: 0}
        self.texts: list[str] = [""]
        self.undecodable = 0

    def number(self, raw: bytes) -> int:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            self.undecodable += 1
            text = raw.decode(errors="backslashreplace")
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found


class Ids:
    """The ids of one file in one name space (functions, files or objects): id -> number of its text.

    An id means what its latest definition before the line says. Raises ParseError for an id without one.
    """

    def __init__(self, texts: Texts, what: str, source: str) -> None:
        self._texts, self._what, self._source = texts, what, source
        self._number = np.full(1024, NOT_DEFINED, np.int32)
        self._line = np.zeros(1024, np.int64)

    def resolve(self, lines: Lines, rows: Index, widths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The text number that each of these lines `spec=...` names; `widths` is the length of `spec=`."""
        at = lines.start[rows] + widths
        compressed = (lines.data[at] == ord("(")) & (lines.data[at + 1] - np.uint8(48) <= 9)
        ids, after = _read_ids(lines.data, at)
        plain = compressed & (lines.data[after] == ord(")")) & (lines.data[after + 1] == 10)
        numbers = np.zeros(len(rows), np.int64)
        done = 0
        for i in np.flatnonzero(~plain).tolist():
            name = lines.text[at[i] : lines.end[rows[i]]]
            if not compressed[i]:
                numbers[i] = self._texts.number(name.strip(b" \t"))
                continue
            row = int(rows[i]) + lines.number
            identity, text = self._definition(name, row)
            if text:
                number = self._texts.number(text)
                if self._is_other(identity, number):
                    self._look_up(ids, plain, rows, numbers, slice(done, i), lines)
                    done = i
                self._define(identity, number, row)
                numbers[i] = number
            else:
                ids[i], plain[i] = identity, True
        self._look_up(ids, plain, rows, numbers, slice(done, len(rows)), lines)
        return numbers

    def _definition(self, name: bytes, line: int) -> tuple[int, bytes]:
        number, closed, text = name.partition(b")")
        if not closed or not _ID.fullmatch(number) or int(number[1:]) >= MAX_ID:
            raise ParseError(
                self._source,
                f"{_shown(name)} names no {self._what}: expected `(id)` or `(id) name` with an id under {MAX_ID:,}",
                line=line,
            )
        return int(number[1:]), text.strip(b" \t")

    def _is_other(self, identity: int, number: int) -> bool:
        return identity < len(self._number) and self._number[identity] not in (NOT_DEFINED, number)

    def _define(self, identity: int, number: int, line: int) -> None:
        if identity >= len(self._number):
            room = max(identity + 1, 2 * len(self._number)) - len(self._number)
            self._number = np.concatenate((self._number, np.full(room, NOT_DEFINED, np.int32)))
            self._line = np.concatenate((self._line, np.zeros(room, np.int64)))
        if self._number[identity] == NOT_DEFINED:
            self._line[identity] = line
        self._number[identity] = number

    def _look_up(
        self,
        ids: Index,
        plain: NDArray[np.bool_],
        rows: Index,
        numbers: NDArray[np.int64],
        part: slice,
        lines: Lines,
    ) -> None:
        where = np.flatnonzero(plain[part]) + part.start
        wanted = ids[where]
        known = wanted < len(self._number)
        safe = np.where(known, wanted, 0)
        found = self._number[safe]
        missing = ~known | (found == NOT_DEFINED) | (self._line[safe] > rows[where] + lines.number)
        if missing.any():
            first = int(where[np.argmax(missing)])
            raise ParseError(
                self._source,
                f"{self._what} ({ids[first]}) is used before a line defines its name: the file lost its beginning "
                "or is damaged",
                line=int(rows[first]) + lines.number,
            )
        numbers[where] = found


def _read_ids(data: NDArray[np.uint8], at: Index) -> tuple[Index, Index]:
    """The digits after the byte at `at`, at most 8 of them, as numbers; and where they stop."""
    ids = np.zeros(len(at), np.int64)
    after = at + 1
    going = np.arange(len(at))
    for _ in range(8):
        digit = data[after[going]] - np.uint8(48)
        fine = digit <= 9
        going, digit = going[fine], digit[fine]
        ids[going] = ids[going] * 10 + digit
        after[going] += 1
        if not len(going):
            break
    return ids, after


def _shown(name: bytes) -> str:
    text = repr(name[:60].decode(errors="backslashreplace"))
    return text if len(name) <= 60 else text + "..."


class Pairs:
    """Dense numbers for pairs of numbers below 2**31."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def numbers(self, first: Index, second: Index) -> Index:
        packed = (first << 32) | second
        unique, inverse = np.unique(packed, return_inverse=True)
        known = [self._numbers.setdefault(pair, len(self._numbers)) for pair in unique.tolist()]
        return np.array(known, np.int64)[inverse]

    def columns(self) -> tuple[Index, Index]:
        packed = np.array(list(self._numbers), np.int64)
        return packed >> 32, packed & 0x7FFFFFFF


def without_recursion(name: str) -> tuple[str, int]:
    """`walk'2` -> (`walk`, 2): valgrind's mark of a recursion level, from 2 on. Other names keep level 1."""
    base, mark, level = name.rpartition("'")
    if not mark or not base or not _LEVEL.fullmatch(level) or int(level) < 2:
        return name, 1
    return base, int(level)
