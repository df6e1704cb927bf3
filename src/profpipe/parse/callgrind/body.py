"""The body of a callgrind file: which lines cost what, and whose cost that is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import ParseError
from profpipe.parse.callgrind.lines import (
    BLANK,
    CALLS,
    CFILE,
    CFN,
    COBJECT,
    COST,
    FILE,
    FN,
    JFILE,
    JFN,
    MAX_COUNT,
    OBJECT,
    Index,
    Lines,
    decimals,
)
from profpipe.parse.callgrind.names import Clones, Ids, Texts
from profpipe.parse.callgrind.rows import Rows, sum_runs

NONE = -1
# Per kind of line: its name space (1 functions, 2 files, 3 objects), and the bytes up to its name (`fn=`, `cfn=`).
_SPACE = np.zeros(JFN + 1, np.int8)
_SPACE[[FN, CFN, JFN]], _SPACE[[FILE, CFILE, JFILE]], _SPACE[[OBJECT, COBJECT]] = 1, 2, 3
_WIDTH = np.full(JFN + 1, len(b"cfn="), np.int64)
_WIDTH[[FN, FILE, OBJECT]] = len(b"fn=")
_POSITION = r"(?:[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)|\*)"
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,32}|[0-9]{1,40}")
_WORD = re.compile(_POSITION)
_CALLS = re.compile(r"calls=[ \t]*(0[xX][0-9a-fA-F]{1,32}|[0-9]{1,40})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reader stands between two windows: numbers of texts, `clone` of a function; NONE = not said yet."""

    object: int = 0
    file: int = 0
    clone: int = NONE
    cfn: int = NONE
    cfile: int = NONE
    cobject: int = NONE


@dataclass(slots=True)
class Tables:
    """What all parts of a run share: texts, clones (function name, file, object) and the rows summed so far."""

    functions: Texts
    files: Texts
    objects: Texts
    clones: Clones
    costs: Rows  # (clone, file of the cost) -> values
    calls: Rows  # (caller clone, callee clone) -> calls, values

    @classmethod
    def empty(cls) -> Tables:
        return cls(Texts(), Texts(b"???"), Texts(b"???"), Clones(), Rows(), Rows())


class Body:
    """Reads the body lines of one file; `names` live as long as the file, the place as long as the part."""

    def __init__(self, tables: Tables, source: str) -> None:
        self._tables, self._source = tables, source
        self._functions = Ids(tables.functions, "function", source)
        self._files = Ids(tables.files, "file", source)
        self._objects = Ids(tables.objects, "object", source)
        self.place = Place()

    def read(self, lines: Lines, rows: slice, positions: int, events: int) -> tuple[int, ...]:
        """Read these body lines (no header line among them) and return what their self costs add up to, per event."""
        kind = lines.kind[rows]
        changes = np.flatnonzero(kind >= CALLS)
        what = kind[changes]
        named = self._resolve(lines, changes + rows.start, what)
        values = self._values(lines, rows, kind, positions, events)
        costs = np.concatenate((np.zeros(1, np.int64), np.cumsum(kind == COST)))
        place = self.place
        file = _latest(what == FILE, named, place.file)
        object_ = _latest(what == OBJECT, named, place.object)
        new = what == FN
        clones = self._tables.clones.numbers(named[new], file[new], object_[new])
        clone = _latest(new, _spread(new, clones), place.clone)
        calls = np.flatnonzero(what == CALLS)
        if len(calls):
            called = self._called(lines, rows, kind, changes[calls], costs)
            callee = self._callees(what, named, calls, file, object_, lines, changes + rows.start)
            counts = self._call_counts(lines, changes[calls] + rows.start)
            self._check_inside(clone[calls], lines, changes[calls] + rows.start)
            self._tables.calls.add(clone[calls], callee, [counts, *(column[called] for column in values)], self._source)
            for column in values:
                column[called] = 0
        self.place = replace(
            self._after_calls(what, named, calls),
            file=int(file[-1]) if len(file) else place.file,
            object=int(object_[-1]) if len(object_) else place.object,
            clone=int(clone[-1]) if len(clone) else place.clone,
        )
        moves = np.flatnonzero(new | (what == FILE))
        return self._add_costs(lines, rows, place, moves, changes, what, costs, clone, file, values)

    def _resolve(self, lines: Lines, rows: Index, what: NDArray[np.uint8]) -> Index:
        """The number of the text that each naming line names; 0 for calls lines."""
        named = np.zeros(len(rows), np.int64)
        spaces = _SPACE[what]
        for space, ids in enumerate((self._functions, self._files, self._objects), 1):
            mine = np.flatnonzero(spaces == space)
            if len(mine):
                named[mine] = ids.resolve(lines, rows[mine], _WIDTH[what[mine]])
        return named

    def _add_costs(
        self,
        lines: Lines,
        rows: slice,
        place: Place,
        moves: Index,
        changes: Index,
        what: NDArray[np.uint8],
        costs: Index,
        clone: Index,
        file: Index,
        values: list[Index],
    ) -> tuple[int, ...]:
        """Sum the self cost lines between two changes of function or file."""
        if not len(values) or not len(values[0]):
            return tuple(0 for _ in values)
        begin = np.concatenate((np.zeros(1, np.int64), costs[changes[moves]]))
        count = np.diff(begin, append=len(values[0]))
        made = np.concatenate((np.zeros(1, np.int64), np.cumsum(what == CALLS)[moves]))
        calls = np.diff(made, append=np.count_nonzero(what == CALLS))
        # Each call has one cost line, which is no self cost: a caller that does nothing itself gets no row here.
        own = count > calls
        summed = [_spread(count > 0, sum_runs(column, begin[count > 0], self._source))[own] for column in values]
        owner = np.concatenate((np.array([place.clone]), clone[moves]))[own]
        where = np.concatenate((np.array([place.file]), file[moves]))[own]
        self._check_inside(owner, lines, np.flatnonzero(lines.kind[rows] == COST)[begin[own]] + rows.start)
        self._tables.costs.add(owner, where, summed, self._source)
        return tuple(sum(column.tolist()) for column in summed)

    def _check_inside(self, clone: Index, lines: Lines, rows: Index) -> None:
        if len(clone) and clone.min() == NONE:
            row = int(rows[np.argmax(clone == NONE)])
            raise ParseError(self._source, "a cost before any `fn=` line: whose is it?", line=row + lines.number)

    def _called(self, lines: Lines, rows: slice, kind: NDArray[np.uint8], calls: Index, costs: Index) -> Index:
        """For each calls line its cost line, as an index among the cost lines: the next line that is not blank."""
        after = calls + 1
        while True:
            inside = after < len(kind)
            blank = np.zeros(len(after), np.bool_)
            blank[inside] = kind[after[inside]] == BLANK
            if not blank.any():
                break
            after[blank] += 1
        wrong = ~inside
        wrong[inside] = kind[after[inside]] != COST
        if wrong.any():
            row = int(calls[np.argmax(wrong)]) + rows.start
            raise ParseError(
                self._source,
                "this `calls=` line is not followed by its cost line (position, inclusive cost): was the file cut?",
                line=row + lines.number,
            )
        return costs[after]

    def _callees(
        self,
        what: NDArray[np.uint8],
        named: Index,
        calls: Index,
        file: Index,
        object_: Index,
        lines: Lines,
        rows: Index,
    ) -> Index:
        """The clone each call goes to. cfi= and cob= hold for one call; without them the current file and object."""
        function = _latest(what == CFN, named, self.place.cfn)[calls]
        if len(function) and function.min() == NONE:
            row = int(rows[calls[np.argmax(function == NONE)]])
            raise ParseError(self._source, "`calls=` before any `cfn=`: what is called?", line=row + lines.number)
        cfile = _since_last_call(what == CFILE, named, calls, self.place.cfile)
        cobject = _since_last_call(what == COBJECT, named, calls, self.place.cobject)
        return self._tables.clones.numbers(
            function,
            np.where(cfile == NONE, file[calls], cfile),
            np.where(cobject == NONE, object_[calls], cobject),
        )

    def _after_calls(self, what: NDArray[np.uint8], named: Index, calls: Index) -> Place:
        """The place with what a next call would inherit."""
        called = {}
        for field, code in (("cfile", CFILE), ("cobject", COBJECT)):
            seen = np.flatnonzero(what == code)
            fresh = len(seen) and (not len(calls) or seen[-1] > calls[-1])
            called[field] = int(named[seen[-1]]) if fresh else (NONE if len(calls) else getattr(self.place, field))
        functions = named[what == CFN]
        return replace(self.place, cfn=int(functions[-1]) if len(functions) else self.place.cfn, **called)

    def _values(self, lines: Lines, rows: slice, kind: NDArray[np.uint8], positions: int, events: int) -> list[Index]:
        """One column per event over the cost lines; counts a line leaves out are 0."""
        cost = np.flatnonzero(kind == COST) + rows.start
        tokens = lines.tokens[cost]
        odd = lines.foreign[cost] | (tokens < positions) | (tokens > positions + events)
        first = lines.first[cost]
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
            for column, value in zip(columns, self._read_cost(lines, int(cost[i]), positions, events), strict=True):
                column[i] = value
        return columns

    def _read_cost(self, lines: Lines, row: int, positions: int, events: int) -> list[int]:
        """A cost line word by word: hexadecimal counts, tabs, several blanks; or why it is none."""
        words = _words(lines.line(row))
        counts = words[positions:]
        if len(words) < positions or len(counts) > events:
            raise self._unreadable(lines, row, f"a cost line of {positions} positions and at most {events} counts")
        if not all(_WORD.fullmatch(word) for word in words[:positions]):
            raise self._unreadable(lines, row, "a cost line: positions are numbers, +N, -N or *")
        return [self._count(word, lines, row) for word in counts] + [0] * (events - len(counts))

    def _call_counts(self, lines: Lines, rows: Index) -> Index:
        begin = lines.start[rows] + len("calls=")
        values, good = decimals(lines.data, begin, lines.separators[lines.first[rows]])
        for i in np.flatnonzero(~good | lines.foreign[rows]).tolist():
            row = int(rows[i])
            text, *target = _words(lines.line(row).removeprefix(b"calls=")) or [""]
            if not all(_WORD.fullmatch(word) for word in target):
                raise self._unreadable(lines, row, "`calls=count target-position`")
            values[i] = self._count(text, lines, row)
        return values

    def _count(self, word: str, lines: Lines, row: int) -> int:
        if _NUMBER.fullmatch(word):
            value = int(word, 16 if word[:2] in ("0x", "0X") else 10)
            if value <= MAX_COUNT:
                return value
        raise self._unreadable(lines, row, f"a count from 0 to {MAX_COUNT:,}")

    def _unreadable(self, lines: Lines, row: int, expected: str) -> ParseError:
        text = repr(lines.line(row)[:60].decode(errors="backslashreplace"))
        return ParseError(self._source, f"{text}: expected {expected}", line=row + lines.number)


def _words(line: bytes) -> list[str]:
    """Split at blanks and tabs, the only white space of the format."""
    return [word.decode(errors="backslashreplace") for word in line.replace(b"\t", b" ").split(b" ") if word]


def _latest(mask: NDArray[np.bool_], values: Index, before: int) -> Index:
    """At every row the value of the last row at or before it where the mask holds; `before` ahead of the first."""
    return np.concatenate((np.array([before], np.int64), values[mask]))[np.cumsum(mask)]


def _spread(mask: NDArray[np.bool_], values: Index) -> Index:
    full = np.zeros(len(mask), np.int64)
    full[mask] = values
    return full


def _since_last_call(mask: NDArray[np.bool_], named: Index, calls: Index, before: int) -> Index:
    """At each call the last value named since the call before it, else NONE; `before` counts for the first."""
    seen = np.cumsum(mask)[calls]
    values = np.concatenate((np.array([before], np.int64), named[mask]))[seen]
    fresh = np.diff(seen, prepend=0) > 0
    fresh[:1] = True
    return np.where(fresh, values, NONE)
