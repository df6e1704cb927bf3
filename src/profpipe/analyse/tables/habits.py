"""Habits whose calls differ between two variants: how often the functions that tell them run, and who calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from profpipe.analyse.function_index import Index, Known
from profpipe.analyse.matrix import Matrix
from profpipe.analyse.names.dispatchers import is_dispatcher, is_on_loop, is_pool
from profpipe.analyse.names.habits import HABITS, Habit
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.same_calls import same_calls
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.model.report import HabitCalls
from profpipe.study.globs import glob

CONTEXT = "<method 'run' of '_contextvars.Context' objects>"
Callers = Mapping[int, Sequence[int]]


def habit_calls(study: StudyData, index: Index, tables: Mapping[str, Sequence[Matrix]]) -> tuple[HabitCalls, ...]:
    """The habits of every contender, by the first instrument that counts both variants' calls: traced, then counted.

    A traced profiler sees the calls of built-in functions, too.
    """
    matrices = [
        matrix
        for kind in ("traced", "counted")
        for profiler in study.profilers
        if study.instruments[profiler] == kind and not study.again(profiler)
        for matrix in tables.get(profiler, ())[:1]
    ]
    rows = _rows_of_habits(index.functions)
    found: list[HabitCalls] = []
    for contender in study.contenders:
        both = (m for m in matrices if m.columns(study.baseline) and m.columns(contender))
        matrix = next(both, None)
        if matrix is not None and any(rows.values()):
            found += _of_matrix(matrix, index, rows, study.baseline, contender)
    return tuple(found)


def _rows_of_habits(functions: Sequence[Known]) -> dict[str, list[int]]:
    """Habit -> the rows of its functions, those of its first glob first. Only Python's functions can match."""
    named = [known for known in functions if known.key.language == "python" and known.key.file]
    found: dict[str, list[int]] = {}
    for habit in HABITS:
        for file, name in habit.functions:
            of_file, of_name = glob(file).match, glob(name).match
            rows = [known.row for known in named if of_file(known.key.file) and of_name(known.key.name)]
            found.setdefault(habit.key, []).extend(rows)
    return found


def _of_matrix(
    matrix: Matrix, index: Index, rows: Mapping[str, Sequence[int]], baseline: str, contender: str
) -> Iterator[HabitCalls]:
    before, after = (
        np.nan_to_num(np.median(matrix.calls[:, matrix.columns(v)], axis=1)) for v in (baseline, contender)
    )
    above = {True: _callers(matrix, contender), False: _callers(matrix, baseline)}
    known = index.functions
    for habit in HABITS:
        fits = [row for row in rows[habit.key] if row < len(before) and not same_calls(before[row], after[row])]
        fits = [row for row in fits if not habit.on_loop or _on_loop(known, above[bool(after[row] > before[row])], row)]
        if fits:
            differs = {row: abs(float(after[row] - before[row])) for row in fits}
            row = fits[0] if habit.first_tells else max(fits, key=lambda r: (differs[r], -fits.index(r)))
            own = _nearest_own(known, above[bool(after[row] > before[row])], row, in_templates=habit.in_templates)
            yield _calls(matrix, habit, contender, known[row], own, before, after)


def _calls(
    matrix: Matrix, habit: Habit, contender: str, function: Known, own: Known | None, before: Floats, after: Floats
) -> HabitCalls:
    return HabitCalls(
        habit=habit.key,
        contender=contender,
        profiler=matrix.profiler,
        function=function.name,
        own=None if own is None else own.name,
        before=rounded(float(before[function.row]), 6),
        after=rounded(float(after[function.row]), 6),
    )


def _callers(matrix: Matrix, variant: str) -> Callers:
    """Row -> the rows of its callers, the busiest first."""
    found: dict[int, list[tuple[float, int]]] = {}
    for (caller, callee), calls in matrix.edges.get(variant, {}).items():
        if caller != callee and calls > 0:
            found.setdefault(callee, []).append((-calls, caller))
    return {row: [caller for _, caller in sorted(callers)] for row, callers in found.items()}


def _nearest_own(known: Sequence[Known], above: Callers, row: int, *, in_templates: bool) -> Known | None:
    """The server's own function with the fewest calls between it and the row; one without a name (a lambda, a generator
    expression), and a template unless `in_templates`, only where there is no other. An event loop or the worker of a
    pool is no way to it."""

    def ends(at: int) -> bool:
        return is_dispatcher(known[at].key.file, known[at].key.name)

    own = [known[at] for at in _upwards(above, row, ends) if known[at].origin == "own"]
    good = (f for f in own if not f.key.name.endswith(">") and (in_templates or f.key.file.endswith(".py")))
    return next(good, next(iter(own), None))


def _on_loop(known: Sequence[Known], above: Callers, row: int) -> bool:
    """Whether an event loop leads to the row. Loops and pools both call through contexts, which a profiler shows as one
    function: where a pool is among its callers, it is no way to a loop.
    """

    def ends(at: int) -> bool:
        keys = [known[caller].key for caller in above.get(at, ())]
        return known[at].key.name == CONTEXT and any(is_pool(key.file, key.name) for key in keys)

    keys = (known[at].key for at in _upwards(above, row, ends))
    return any(is_on_loop(key.file, key.name) for key in keys)


def _upwards(above: Callers, row: int, ends: Callable[[int], bool]) -> Iterator[int]:
    """The callers of a row and theirs, nearest first; not those of a row at which the way ends."""
    seen, ready = {row}, [row]
    while ready:
        following: list[int] = []
        for at in ready:
            if at != row:
                yield at
            if not ends(at):
                following += [caller for caller in above.get(at, ()) if caller not in seen]
                seen.update(following)
        ready = following
