"""The body of a callgrind file: the costs of its lines, and the function that each cost belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import ParseError
from profpipe.parse.callgrind.columns import call_counts, cost_columns
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
    OBJECT,
    Index,
    Lines,
)
from profpipe.parse.callgrind.names import Clones, Ids, Texts
from profpipe.parse.callgrind.rows import Rows, sum_runs

NONE = -1
# Per kind of line: its name space (1 functions, 2 files, 3 objects), and the bytes up to its name (`fn=`, `cfn=`).
_SPACE = np.zeros(JFN + 1, np.int8)
_SPACE[[FN, CFN, JFN]], _SPACE[[FILE, CFILE, JFILE]], _SPACE[[OBJECT, COBJECT]] = 1, 2, 3
_WIDTH = np.full(JFN + 1, len(b"cfn="), np.int64)
_WIDTH[[FN, FILE, OBJECT]] = len(b"fn=")


@dataclass(frozen=True, slots=True)
class Place:
    """The state between two windows: numbers of texts, `clone` of a function; NONE = not given yet."""

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


@dataclass(frozen=True, slots=True)
class Stretch:
    """Body lines between two header lines. `changes` are the rows of naming and calls lines, among these lines.

    Over the changes: `what` each is, `named` = number of the text it names, and `file`, `object` and `clone` as they
    hold from there on. `costs[i]` = how many cost lines come before line i.
    """

    lines: Lines
    offset: int
    kind: NDArray[np.uint8]
    costs: Index
    changes: Index
    what: NDArray[np.uint8]
    named: Index
    file: Index
    object: Index
    clone: Index

    def number(self, row: int) -> int:
        """The line number of a row among these lines."""
        return row + self.offset + self.lines.number


class Body:
    """Reads the body lines of one file: its ids live as long as the file, the place as long as the part."""

    def __init__(self, tables: Tables, source: str) -> None:
        self._tables, self._source = tables, source
        self._ids = (
            Ids(tables.functions, "function", source),
            Ids(tables.files, "file", source),
            Ids(tables.objects, "object", source),
        )
        self._place = Place()

    def begin_part(self) -> None:
        self._place = Place()

    def read(self, lines: Lines, rows: slice, positions: int, events: int) -> tuple[int, ...]:
        """Read body lines (no header line among them) and return what their self costs add up to, per event."""
        stretch = self._stretch(lines, rows)
        cost = np.flatnonzero(stretch.kind == COST) + rows.start
        values = cost_columns(lines, cost, positions, events, self._source)
        calls = np.flatnonzero(stretch.what == CALLS)
        if len(calls):
            self._add_calls(stretch, calls, values)
        sums = self._add_costs(stretch, values) if len(cost) else (0,) * events
        self._place = self._after(stretch, calls)
        return sums

    def _stretch(self, lines: Lines, rows: slice) -> Stretch:
        kind, place = lines.kind[rows], self._place
        changes = np.flatnonzero(kind >= CALLS)
        what = kind[changes]
        named = self._resolve(lines, changes + rows.start, what)
        file = _latest(what == FILE, named, place.file)
        object_ = _latest(what == OBJECT, named, place.object)
        new = what == FN
        clones = self._tables.clones.numbers(named[new], file[new], object_[new])
        clone = _latest(new, _spread(new, clones), place.clone)
        costs = np.concatenate((np.zeros(1, np.int64), np.cumsum(kind == COST)))
        return Stretch(lines, rows.start, kind, costs, changes, what, named, file, object_, clone)

    def _resolve(self, lines: Lines, rows: Index, what: NDArray[np.uint8]) -> Index:
        """The number of the text that each naming line names; 0 for calls lines."""
        named = np.zeros(len(rows), np.int64)
        spaces = _SPACE[what]
        for space, ids in enumerate(self._ids, 1):
            mine = np.flatnonzero(spaces == space)
            if len(mine):
                named[mine] = ids.resolve(lines, rows[mine], _WIDTH[what[mine]])
        return named

    def _add_calls(self, at: Stretch, calls: Index, values: list[Index]) -> None:
        """Book the calls, and take their inclusive costs out of `values`: what is left there is self cost."""
        own = self._cost_lines_of_calls(at, at.changes[calls])
        callee = self._callees(at, calls)
        counts = call_counts(at.lines, at.changes[calls] + at.offset, self._source)
        caller = at.clone[calls]
        self._check_inside(caller, at, at.changes[calls])
        self._tables.calls.add(caller, callee, [counts, *(column[own] for column in values)], self._source)
        for column in values:
            column[own] = 0

    def _cost_lines_of_calls(self, at: Stretch, calls: Index) -> Index:
        """For each calls line its cost line, as an index among the cost lines: the next line that is not blank."""
        lines = np.flatnonzero(at.kind != BLANK)
        after = np.append(lines, len(at.kind))[np.searchsorted(lines, calls + 1)]
        wrong = np.append(at.kind, BLANK)[after] != COST
        if wrong.any():
            raise ParseError(
                self._source,
                "this `calls=` line is not followed by its cost line (position, inclusive cost): was the file cut?",
                line=at.number(int(calls[np.argmax(wrong)])),
            )
        own: Index = at.costs[after]
        return own

    def _callees(self, at: Stretch, calls: Index) -> Index:
        """The clone each call goes to. cfi= and cob= hold for one call; without them the current file and object."""
        function = _latest(at.what == CFN, at.named, self._place.cfn)[calls]
        if function.min() == NONE:
            row = int(at.changes[calls[np.argmax(function == NONE)]])
            raise ParseError(self._source, "`calls=` before any `cfn=`: what is called?", line=at.number(row))
        file = _since_last_call(at.what == CFILE, at.named, calls, self._place.cfile)
        object_ = _since_last_call(at.what == COBJECT, at.named, calls, self._place.cobject)
        return self._tables.clones.numbers(
            function,
            np.where(file == NONE, at.file[calls], file),
            np.where(object_ == NONE, at.object[calls], object_),
        )

    def _add_costs(self, at: Stretch, values: list[Index]) -> tuple[int, ...]:
        """Sum the cost lines from each change of function or file to the next."""
        moves = np.flatnonzero((at.what == FN) | (at.what == FILE))
        begin = np.concatenate((np.zeros(1, np.int64), at.costs[at.changes[moves]]))
        count = np.diff(begin, append=at.costs[-1])
        called = at.what == CALLS
        calls = np.diff(np.concatenate((np.zeros(1, np.int64), np.cumsum(called)[moves])), append=called.sum())
        # Each call has one cost line, which is no self cost: a caller that does nothing itself gets no row here.
        own = count > calls
        summed = [_spread(count > 0, sum_runs(column, begin[count > 0], self._source))[own] for column in values]
        owner = np.concatenate((np.array([self._place.clone]), at.clone[moves]))[own]
        where = np.concatenate((np.array([self._place.file]), at.file[moves]))[own]
        self._check_inside(owner, at, np.flatnonzero(at.kind == COST)[begin[own]])
        self._tables.costs.add(owner, where, summed, self._source)
        return tuple(sum(column.tolist()) for column in summed)

    def _check_inside(self, clone: Index, at: Stretch, rows: Index) -> None:
        if len(clone) and clone.min() == NONE:
            row = int(rows[np.argmax(clone == NONE)])
            raise ParseError(
                self._source, "a cost line before any `fn=` line: its function is not known", line=at.number(row)
            )

    def _after(self, at: Stretch, calls: Index) -> Place:
        """Where the next stretch begins."""
        called = {}
        for field, code in (("cfile", CFILE), ("cobject", COBJECT)):
            seen = np.flatnonzero(at.what == code)
            fresh = len(seen) and (not len(calls) or seen[-1] > calls[-1])
            called[field] = int(at.named[seen[-1]]) if fresh else (NONE if len(calls) else getattr(self._place, field))
        cfn = at.named[at.what == CFN]
        for field, column in (("file", at.file), ("object", at.object), ("clone", at.clone), ("cfn", cfn)):
            if len(column):
                called[field] = int(column[-1])
        return replace(self._place, **called)


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
