"""A matrix of functions -> the hotspot table of the report: categories align, functions hang under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.aligned_rows import NOT_ALIGNED, AlignedRows, only_moved
from profpipe.analyse.function_index import Index, Known
from profpipe.analyse.matrix import Matrix, total_series
from profpipe.analyse.names.categories import OTHER
from profpipe.analyse.statistics.alpha import RowLevel
from profpipe.analyse.statistics.compare_functions import RowVerdicts, compare_rows
from profpipe.analyse.statistics.medians import Floats, median_intervals
from profpipe.analyse.statistics.rule import Rule
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.model.report import CategoryRow, Cell, FunctionRow, HotspotTable, LibraryRow, Origin, Series, Verdict
from profpipe.units import CALLS

Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]
Group = TypeVar("Group", str, tuple[Origin, str])

# A function under this share of every variant's total is summed into its category and counted as hidden.
FLOOR = 0.001
# Callers and callees of functions over this share, the busiest few: with 5 variants they are most of a report.
LINKS_FLOOR = 0.005
LINKS = 8
DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Rows:
    """One variant's columns of a table."""

    variant: str
    own: Floats
    middle: Floats
    low: Floats | None
    high: Floats | None
    total: float
    verdicts: RowVerdicts | None
    moved: Floats | None


@dataclass(frozen=True, slots=True)
class _Context:
    """What every row of a table needs besides its values."""

    matrix: Matrix
    index: Index
    study: StudyData
    functions: tuple[_Rows, ...]
    shown: Flags
    incoming: Mapping[str, Mapping[int, list[tuple[int, float]]]]
    outgoing: Mapping[str, Mapping[int, list[tuple[int, float]]]]
    switching: frozenset[str]
    aligned: AlignedRows


def hotspot_table(
    matrix: Matrix,
    index: Index,
    study: StudyData,
    rule: Rule,
    strict: Mapping[str, RowLevel],
    aligned: AlignedRows = NOT_ALIGNED,
) -> HotspotTable | None:
    """The table of one metric; None when no variant has a valid run. `strict` is by contender.

    What only changed place (`aligned`) is no change of the function it left, nor of the one it arrived in.
    """
    own = matrix.own[: len(index.functions)]
    variants = [v for v in study.variants if matrix.columns(v)]
    if not variants:
        return None
    totals = {v: total_series(matrix, v) for v in study.variants}
    listed = index.functions[: own.shape[0]]
    moved = {v: part[: own.shape[0]] for v, part in aligned.moved.items()}

    def sides(rows: Floats, changed_place: Mapping[str, Floats]) -> list[_Rows]:
        return _variant_rows(rows, matrix, study, variants, totals, rule, strict, changed_place)

    def summed(member: Rows, size: int) -> list[_Rows]:
        parts = {v: _grouped(part, member, size) for v, part in moved.items()}
        return sides(_grouped(own, member, size), parts)

    names, member = _members([f.category for f in listed])
    functions, groups = sides(own, moved), summed(member, len(names))
    context = _context(matrix, index, study, functions, aligned)
    place = names.index(OTHER) if OTHER in names else None
    return HotspotTable(
        metric=matrix.key,
        total=totals,
        categorised={s.variant: rounded(1 - _share(s, place), DIGITS) for s in groups},
        rows=_by_category(names, member, groups, context),
        libraries=_by_library(listed, functions, summed, study),
        unmatched=dict(aligned.unmatched),
    )


def _members(groups: Sequence[Group]) -> tuple[list[Group], Rows]:
    """The groups in their order, and the place of each function's among them."""
    names = sorted(set(groups))
    places = {name: i for i, name in enumerate(names)}
    return names, np.array([places[group] for group in groups], dtype=np.intp)


def _by_category(
    names: Sequence[str], member: Rows, groups: Sequence[_Rows], context: _Context
) -> tuple[CategoryRow, ...]:
    rows = [
        _category_row(i, name, groups, np.flatnonzero(member == i), context)
        for i, name in enumerate(names)
        if any(side.own[i].any() for side in groups)
    ]
    rows.sort(key=lambda row: (row.category == OTHER, -max((c.share or 0.0) for c in row.cells.values()), row.category))
    return tuple(rows)


def _by_library(
    listed: Sequence[Known], functions: Sequence[_Rows], summed: Callable[[Rows, int], list[_Rows]], study: StudyData
) -> tuple[LibraryRow, ...]:
    parts, member = _members([known.part for known in listed])
    sides = summed(member, len(parts))
    base = next((s for s in sides if s.variant == study.baseline), None)
    ran = np.any([side.own.any(axis=1) for side in functions], axis=0)
    rows = [
        LibraryRow(
            origin=origin,
            library=library,
            functions=int(ran[member == i].sum()),
            cells={side.variant: _cell(side, i, base, 9) for side in sides},
        )
        for i, (origin, library) in enumerate(parts)
        if any(side.own[i].any() for side in sides)
    ]
    return tuple(sorted(rows, key=lambda row: (-max(c.self or 0.0 for c in row.cells.values()), row.library)))


def _grouped(values: Floats, member: Rows, size: int) -> Floats:
    out = np.zeros((size, *values.shape[1:]))
    np.add.at(out, member, values)
    return out


def _share(side: _Rows, place: int | None) -> float:
    return float(side.middle[place]) / side.total if place is not None and side.total else 0.0


def _variant_rows(
    rows: Floats,
    matrix: Matrix,
    study: StudyData,
    variants: Sequence[str],
    totals: Mapping[str, Series],
    rule: Rule,
    strict: Mapping[str, RowLevel],
    moved: Mapping[str, Floats],
) -> list[_Rows]:
    base_columns = matrix.columns(study.baseline)
    base = rows[:, base_columns]
    control = rows[:, matrix.columns(study.baseline, control=True)]
    size = totals[study.baseline].median or 0.0
    out = []
    for variant in variants:
        own = rows[:, matrix.columns(variant)]
        low, high = median_intervals(own) if own.shape[1] > 1 else (None, None)
        verdicts, part = None, moved.get(variant)
        if variant != study.baseline and base_columns:
            stayed = own if part is None else own - part[:, None]
            verdicts = compare_rows(base, stayed, rule, size, control, strict[variant])
            if part is not None:
                change = np.median(own, axis=1) - np.median(base, axis=1)
                verdicts = _without_moved(verdicts, only_moved(change, part))
        total = float(totals[variant].median or 0.0)
        out.append(_Rows(variant, own, np.median(own, axis=1), low, high, total, verdicts, part))
    return out


def _without_moved(verdicts: RowVerdicts, moved: Flags) -> RowVerdicts:
    """Better and worse are no verdict on a row that changed by what moved; "cannot tell" stays."""
    called = [m and v != "cannot tell" for m, v in zip(moved.tolist(), verdicts.verdict, strict=True)]
    kept: tuple[Verdict, ...] = tuple(
        "no change" if hit else v for hit, v in zip(called, verdicts.verdict, strict=True)
    )
    return replace(verdicts, verdict=kept)


def _shown(sides: Sequence[_Rows]) -> Flags:
    shown = np.zeros(len(sides[0].middle), dtype=np.bool_)
    for side in sides:
        shown |= (side.middle >= FLOOR * side.total) & (side.middle > 0)
    return shown


def _cell(side: _Rows, row: int, base: _Rows | None, digits: int = DIGITS) -> Cell:
    value = float(side.middle[row])
    before = float(base.middle[row]) if base is not None and side.verdicts is not None else 0.0
    return Cell(
        self=rounded(value, digits),
        low=None if side.low is None else rounded(float(side.low[row]), DIGITS),
        high=None if side.high is None else rounded(float(side.high[row]), DIGITS),
        share=rounded(value / side.total, 4) if side.total else None,
        verdict=side.verdicts.verdict[row] if side.verdicts else None,
        ratio=rounded(value / before, 4) if before else None,
        why=side.verdicts.why[row] if side.verdicts else None,
        # Nine digits bring a value on the waterfall's grid back exactly; six miss it by up to half a step.
        moved=None if side.moved is None or not side.moved[row] else rounded(float(side.moved[row]), 9),
    )


def _context(matrix: Matrix, index: Index, study: StudyData, sides: list[_Rows], aligned: AlignedRows) -> _Context:
    incoming: dict[str, dict[int, list[tuple[int, float]]]] = {}
    outgoing: dict[str, dict[int, list[tuple[int, float]]]] = {}
    for variant, links in matrix.edges.items():
        into, out = incoming.setdefault(variant, {}), outgoing.setdefault(variant, {})
        for (caller, callee), calls in links.items():
            into.setdefault(callee, []).append((caller, calls))
            out.setdefault(caller, []).append((callee, calls))
    stacks = switching(matrix, index, study)
    return _Context(matrix, index, study, tuple(sides), _shown(sides), incoming, outgoing, stacks, aligned)


def switching(matrix: Matrix, index: Index, study: StudyData) -> frozenset[str]:
    """Variants that switch stacks in user space: a call graph rebuilt from calls has false totals there."""
    rows = [f.row for f in index.functions if f.category == "context-switch" and f.runtime == "native"]
    rows = [row for row in rows if row < len(matrix.own)]
    if matrix.metric is CALLS or not rows:
        return frozenset()
    return frozenset(v for v in study.variants if matrix.own[np.ix_(rows, matrix.columns(v))].any())


def _category_row(place: int, category: str, groups: Sequence[_Rows], members: Rows, at: _Context) -> CategoryRow:
    base = next((s for s in groups if s.variant == at.study.baseline), None)
    listed = sorted(members[at.shown[members]].tolist(), key=lambda r: (-max(s.middle[r] for s in at.functions), r))
    present = sum(1 for r in members.tolist() if any(s.middle[r] > 0 for s in at.functions))
    return CategoryRow(
        category=category,
        cells={side.variant: _cell(side, place, base, 9) for side in groups},
        functions=tuple(_function_row(r, at) for r in listed),
        hidden=present - len(listed),
    )


def _function_row(row: int, at: _Context) -> FunctionRow:
    known = at.index.functions[row]
    base = next((s for s in at.functions if s.variant == at.study.baseline), None)
    cells: dict[str, Cell] = {}
    callers: dict[str, tuple[tuple[str, float], ...]] = {}
    callees: dict[str, tuple[tuple[str, float], ...]] = {}
    for side in at.functions:
        # A function of another language is not 0 here: it cannot exist.
        if at.study.language_family(side.variant) != known.key.language:
            continue
        total, why, calls = _total(row, side.variant, at)
        cell = _cell(side, row, base)
        words = at.aligned.words.get(side.variant, {}).get(row)
        if words:
            words = f"{words}; {cell.why}" if cell.why else words
        cells[side.variant] = cell.model_copy(
            update={"total": total, "total_why": why, "calls": calls, "why": words or cell.why}
        )
        if side.total and side.middle[row] >= LINKS_FLOOR * side.total:
            callers[side.variant] = _links(at.incoming.get(side.variant, {}).get(row, []), at.index)
            callees[side.variant] = _links(at.outgoing.get(side.variant, {}).get(row, []), at.index)
    return FunctionRow(
        id=known.id,
        function=known.name,
        cells=cells,
        callers={v: links for v, links in callers.items() if links},
        callees={v: links for v, links in callees.items() if links},
        alignment={v: rows[row] for v, rows in at.aligned.alignment.items() if row in rows},
    )


def _total(row: int, variant: str, at: _Context) -> tuple[float | None, str | None, float | None]:
    """(total, why it is unknown, calls), per request. Calls themselves have no total, so there is no reason either."""
    columns = at.matrix.columns(variant)
    totals, calls = at.matrix.total[row, columns], at.matrix.calls[row, columns]
    known_calls = None if np.isnan(calls).any() else rounded(float(np.median(calls)), DIGITS)
    if at.matrix.metric is CALLS:
        return None, None, known_calls
    if variant in at.switching:
        return None, "coroutines switch stacks, so the call graph is wrong", known_calls
    if np.isnan(totals).any():
        return None, "the function is recursive, or several functions share its row", known_calls
    return rounded(float(np.median(totals)), DIGITS), None, known_calls


def _links(found: list[tuple[int, float]], index: Index) -> tuple[tuple[str, float], ...]:
    """The busiest few, by name where they tie."""
    named = sorted(((index.functions[row].key.name, calls) for row, calls in found), key=lambda i: (-i[1], i[0]))
    return tuple((name, rounded(calls, 4)) for name, calls in named[:LINKS] if calls == calls)
