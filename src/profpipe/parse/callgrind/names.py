"""Names of a callgrind file: `(id) name` compression, one dense number per text and per function."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import ParseError
from profpipe.parse.callgrind.lines import Index, Lines

# Writers number names from 1 on; the table is as long as the largest id, so an absurd one must not size it.
MAX_ID = 1 << 24
NOT_DEFINED = -1
_LEVEL = re.compile(r"[1-9][0-9]{0,8}")


class Texts:
    """Dense numbers for texts, in order of first sight; 0 is "". `unknown` is a text that means it, too."""

    def __init__(self, unknown: bytes = b"") -> None:
        self._numbers: dict[bytes, int] = {b"": 0, unknown: 0}
        self.texts: list[str] = [""]
        self.undecodable = 0

    def number(self, raw: bytes) -> int:
        found = self._numbers.get(raw)
        return self._add(raw) if found is None else found

    def _add(self, raw: bytes) -> int:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            self.undecodable += 1
            text = raw.decode(errors="backslashreplace")
            self._numbers[raw] = self.number(text.encode())
            return self._numbers[raw]
        self._numbers[raw] = len(self.texts)
        self.texts.append(text)
        return self._numbers[raw]


class Ids:
    """The ids of one file in one name space (functions, files or objects): id -> number of its text.

    An id means what its latest definition before the line says. Raises ParseError for an id without one.
    """

    def __init__(self, texts: Texts, what: str, source: str) -> None:
        self._texts, self._what, self._source = texts, what, source
        self._number = np.full(256, NOT_DEFINED, np.int32)
        self._line = np.zeros(256, np.int64)

    def resolve(self, lines: Lines, rows: Index, widths: NDArray[np.int64]) -> Index:
        """The text number that each of these lines `spec=...` names; `widths` is the length of `spec=`."""
        data, at, end = lines.data, lines.start[rows] + widths, lines.end[rows]
        for i in np.flatnonzero((data[at] == ord(" ")) | (data[at] == ord("\t"))).tolist():
            at[i] = end[i] - len(lines.text[at[i] : end[i]].lstrip(b" \t"))
        compressed = (data[at] == ord("(")) & (data[at + 1] - np.uint8(48) <= 9)
        ids, after = _read_ids(data, at)
        self._check_ids(lines, rows, at, compressed & ((data[after] != ord(")")) | (ids >= MAX_ID)))
        begin = np.where(compressed, after + 1, at)
        named = np.flatnonzero(begin < end)
        raws = [lines.text[a:b].strip(b" \t") for a, b in zip(begin[named].tolist(), end[named].tolist(), strict=True)]
        numbers = np.full(len(rows), NOT_DEFINED, np.int64)
        numbers[named] = [self._texts.number(raw) if raw else NOT_DEFINED for raw in raws]
        nameless = ~compressed & (numbers == NOT_DEFINED)
        if self._what != "function":
            numbers[nameless] = self._texts.number(b"")  # converters write `fl=` where they know no file
        elif nameless.any():
            raise ParseError(self._source, f"a {self._what} without a name", line=_line(lines, rows, nameless))
        self._follow_ids(compressed, ids, numbers, lines, rows)
        return numbers

    def _check_ids(self, lines: Lines, rows: Index, at: Index, wrong: NDArray[np.bool_]) -> None:
        if wrong.any():
            first = int(np.argmax(wrong))
            shown = repr(lines.text[at[first] : lines.end[rows[first]]][:60].decode(errors="backslashreplace"))
            raise ParseError(
                self._source,
                f"{shown} names no {self._what}: expected `(id)` or `(id) name` with an id under {MAX_ID:,}",
                line=_line(lines, rows, wrong),
            )

    def _follow_ids(self, compressed: NDArray[np.bool_], ids: Index, numbers: Index, lines: Lines, rows: Index) -> None:
        """Define the ids that come with a name and fill in the numbers of those without one."""
        defined = np.flatnonzero(compressed & (numbers != NOT_DEFINED))
        used = np.flatnonzero(numbers == NOT_DEFINED)
        given, number = ids[defined], numbers[defined]
        self._make_room(int(given.max()) + 1 if len(given) else 0)
        before = self._number[given]
        new = before == NOT_DEFINED
        # Backwards, so that of two definitions in this window the line of the first one stays.
        self._line[given[new][::-1]] = rows[defined[new]][::-1] + lines.number
        self._number[given] = number
        wanted = np.minimum(ids[used], len(self._number) - 1)
        missing = (wanted != ids[used]) | (self._number[wanted] == NOT_DEFINED)
        missing |= self._line[wanted] > rows[used] + lines.number
        if missing.any():
            raise ParseError(
                self._source,
                f"{self._what} ({ids[used][np.argmax(missing)]}) is used before a line defines its name: the file lost "
                "its beginning or is damaged",
                line=_line(lines, rows[used], missing),
            )
        if (~new & (before != number)).any() or (self._number[given] != number).any():
            self._number[given] = before
            self._follow_in_order(compressed, ids, numbers)
        else:
            numbers[used] = self._number[wanted]

    def _follow_in_order(self, compressed: NDArray[np.bool_], ids: Index, numbers: Index) -> None:
        """One line after the other, for the rare file that gives an id another name."""
        for i in np.flatnonzero(compressed).tolist():
            if numbers[i] == NOT_DEFINED:
                numbers[i] = self._number[ids[i]]
            else:
                self._number[ids[i]] = numbers[i]

    def _make_room(self, size: int) -> None:
        room = max(size, 2 * len(self._number)) - len(self._number)
        if size > len(self._number):
            self._number = np.concatenate((self._number, np.full(room, NOT_DEFINED, np.int32)))
            self._line = np.concatenate((self._line, np.zeros(room, np.int64)))


def _line(lines: Lines, rows: Index, wrong: NDArray[np.bool_]) -> int:
    return int(rows[np.argmax(wrong)]) + lines.number


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


class Clones:
    """Dense numbers for (function name, file, object), all given by the numbers of their texts.

    Nearly every function name has one site, so its last one is kept per name: a look-up is two gathers, and only
    names that live in several files (`main`, `operator=`) take the dictionary.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self._last_site = np.full(256, NOT_DEFINED, np.int64)
        self._last_number = np.zeros(256, np.int64)

    def numbers(self, function: Index, file: Index, object_: Index) -> Index:
        if not len(function):
            return function
        self._make_room(int(function.max()) + 1)
        site = (file << 32) | object_
        number = self._last_number[function]
        other = np.flatnonzero(self._last_site[function] != site)
        if len(other):
            keys = zip(function[other].tolist(), site[other].tolist(), strict=True)
            number[other] = [self._numbers.setdefault(key, len(self._numbers)) for key in keys]
            self._last_site[function[other]] = site[other]
            self._last_number[function[other]] = number[other]
        return number

    def columns(self) -> tuple[Index, Index, Index]:
        """Function name, file and object of every number."""
        function, site = np.array(list(self._numbers), np.int64).reshape(-1, 2).T
        return function, site >> 32, site & 0x7FFFFFFF

    def _make_room(self, size: int) -> None:
        have = len(self._last_site)
        if size > have:
            room = max(size, 2 * have) - have
            self._last_site = np.concatenate((self._last_site, np.full(room, NOT_DEFINED, np.int64)))
            self._last_number = np.concatenate((self._last_number, np.zeros(room, np.int64)))


def without_recursion(name: str) -> tuple[str, int]:
    """`walk'2` -> (`walk`, 2): valgrind's mark of a recursion level, from 2 on. Other names keep level 1."""
    base, mark, level = name.rpartition("'")
    if not mark or not base or not _LEVEL.fullmatch(level) or int(level) < 2:
        return name, 1
    return base, int(level)


def with_callers(name: str) -> tuple[str, tuple[str, ...], int]:
    """Function, its callers from the nearest on, recursion level: --separate-callers writes FUNCTION'2'CALLER'ITS."""
    base, *callers = name.split("'")
    level = int(callers.pop(0)) if callers and callers[0].isdigit() else 1
    return base, tuple(callers), level
