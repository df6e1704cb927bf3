"""Sums of counts by pairs of ids, in columns without an object per row. A sum that overflows 64 bits is an error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from profpipe.errors import ParseError
from profpipe.parse.callgrind.columns import MAX_COUNT
from profpipe.parse.callgrind.lines import Index

# Collected rows are summed once there are this many, which bounds the memory for a file with few functions.
WAITING = 1 << 18


def sum_runs(column: Index, begin: Index, source: str) -> Index:
    """Sums of column[begin[i]:begin[i + 1]], begin ascending. Raises ParseError when a sum overflows 64 bits."""
    if len(column) and int(column.max()) > MAX_COUNT // len(column):
        exact = np.add.reduceat(column.astype(object), begin)
        if max(exact) > MAX_COUNT:
            raise ParseError(source, "counts add up to more than 64 bits hold: the file is damaged")
    return np.add.reduceat(column, begin)


class Rows:
    """(first id, second id) -> sums, one int64 column per count. Ids are below 2**31."""

    def __init__(self) -> None:
        self._keys: list[Index] = []
        self._columns: list[list[Index]] = []
        self._waiting = 0

    def add(self, first: Index, second: Index, columns: Sequence[Index], source: str) -> None:
        if not len(first):
            return
        key, summed = _grouped((first << 32) | second, columns, source)
        self._keys.append(key)
        self._columns.append(summed)
        self._waiting += len(key)
        if self._waiting > WAITING:
            self._fold(source)

    def _fold(self, source: str) -> None:
        key = np.concatenate(self._keys)
        columns = [np.concatenate(pieces) for pieces in zip(*self._columns, strict=True)]
        key, summed = _grouped(key, columns, source)
        self._keys, self._columns = [key], [summed]
        # The next fold waits for as many new rows as there are sums; else many edges would be folded every time.
        self._waiting = -len(key)

    def table(self, source: str) -> tuple[Index, Index, list[Index]]:
        """First ids, second ids and the columns, ordered by first and second id; no columns when nothing was added."""
        if not self._keys:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), []
        self._fold(source)
        key = self._keys[0]
        return key >> 32, key & 0x7FFFFFFF, self._columns[0]


def _grouped(key: Index, columns: Sequence[Index], source: str) -> tuple[Index, list[Index]]:
    order = np.argsort(key, kind="stable")
    key = key[order]
    begin = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), key[1:] != key[:-1])))
    return key[begin], [sum_runs(column[order], begin, source) for column in columns]
