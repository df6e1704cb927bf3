"""Calls and lines that a traced profiler knows of functions that another profiler has counted.

callgrind counts each resumption of a coroutine or generator as a call, knows no lines, and names an inherited method by
the class that defines it; yappi counts a coroutine once, knows lines, and names the method by the class of its object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from profpipe.analyse.function_index import Known
from profpipe.analyse.matrix import Matrix

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TracedCalls:
    """`rows` = the traced profiler's rows of one function, several where objects of several classes share it.

    `calls` = per request, before and after.
    """

    rows: tuple[int, ...]
    line: int
    calls: tuple[float, float]


def traced_calls(
    functions: Sequence[Known], counted: Sequence[int], traced: Matrix, baseline: str, contender: str
) -> Mapping[int, TracedCalls]:
    """Of the counted rows that are one function of the traced profile without doubt; empty where a side was not traced.

    Without doubt: the same name, or the only counted and the only traced function (by line) of its last name and file.
    """
    if not traced.columns(baseline) or not traced.columns(contender):
        return {}
    size = min(len(traced.calls), len(functions))
    sides = [np.median(traced.calls[:size, traced.columns(v)], axis=1) for v in (baseline, contender)]
    groups: dict[Place, list[int]] = {}
    for row in np.flatnonzero((sides[0] > 0) | (sides[1] > 0)).tolist():
        if functions[row].runtime == "python":
            groups.setdefault(_place(functions[row]), []).append(row)
    alone = Counter(_place(functions[row]) for row in counted)
    found: dict[int, TracedCalls] = {}
    for row in counted:
        place = _place(functions[row])
        rows = groups.get(place, [])
        if alone[place] > 1 or len({functions[r].line for r in rows}) > 1:
            rows = [r for r in rows if r == row]
        if rows:
            before, after = (float(sum(side[r] for r in rows)) for side in sides)
            found[row] = TracedCalls(tuple(rows), functions[rows[0]].line, (before, after))
    return found


def _place(known: Known) -> Place:
    return known.key.file, known.key.name.rpartition(".")[2]
