"""Hotspots side by side: categories align across variants, functions hang under them, every cell per request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from profpipe import units
from profpipe.model.report import CategoryRow, Cell, FunctionRow, HotspotTable, MetricInfo, Report
from profpipe.render.page.commits import Renamed, changes, moved, renamed, unmatched
from profpipe.render.page.variants import VariantHead, heads
from profpipe.render.text import (
    NONE,
    NOT_SEEN,
    PER,
    Chip,
    Gap,
    Note,
    Notes,
    amount,
    anchor,
    better_word,
    chip,
    interval,
    limit_words,
    per_what,
    share,
    visible,
)

# Rows of one category on the page, and cells of functions in all tables together: a cell is some 300 bytes and the
# page stays under a megabyte. The rest is counted, and is in report.json.
FUNCTIONS_SHOWN = 40
CELLS = 1100
EDGES = 6


@dataclass(frozen=True, slots=True)
class HotCell:
    """Texts of one cell; `bar` 0..100 of the table's largest category; `key` is what sorting compares."""

    value: str
    gap: Gap | None
    share: str
    interval: str
    total: str
    calls: str
    ratio: str
    chip: Chip | None
    bar: int
    key: str
    moved: str = ""


@dataclass(frozen=True, slots=True)
class HotFunction:
    id: str
    name: str
    place: str
    runtime: str
    raw: str
    category: str
    cells: tuple[HotCell, ...]
    edges: bool
    changes: tuple[str, ...]
    renamed: tuple[Renamed, ...]


@dataclass(frozen=True, slots=True)
class HotCategory:
    id: str
    key: str
    label: str
    about: str
    hue: int
    cells: tuple[HotCell, ...]
    functions: tuple[HotFunction, ...]
    hidden: str


@dataclass(frozen=True, slots=True)
class HotColumn:
    head: VariantHead
    total: str
    gap: Gap | None
    categorised: str
    unmatched: str


@dataclass(frozen=True, slots=True)
class HotTable:
    id: str
    key: str
    label: str
    per: str
    instrument: str
    profiler: str
    exact: bool
    better: str
    about: str
    ranked: bool
    limits: tuple[str, ...]
    columns: tuple[HotColumn, ...]
    categories: tuple[HotCategory, ...]
    notes: tuple[Note, ...]
    detail: tuple[str, ...]


def hue_of(report: Report) -> dict[str, int]:
    """Category -> colour 1..10 for the ten that take the largest part of any table; the rest share grey, 0."""
    part: dict[str, float] = {}
    for row in (row for table in report.hotspots for row in table.rows):
        mean = sum(cell.share or 0.0 for cell in row.cells.values()) / max(len(row.cells), 1)
        part[row.category] = max(part.get(row.category, 0.0), mean)
    ordered = sorted((key for key in part if key not in {"other", "unexplained"}), key=lambda key: -part[key])
    return {key: index + 1 if index < 10 else 0 for index, key in enumerate(ordered)}


def hot_tables(report: Report) -> tuple[HotTable, ...]:
    hues, shown = hue_of(report), shown_functions(report)
    return tuple(_table(report, table, hues, shown) for table in report.hotspots)


def shown_functions(report: Report) -> frozenset[tuple[str, str]]:
    """(metric, row id) of the functions on the page: the dearest of each category, then the dearest of all tables."""
    found: list[tuple[float, int, tuple[str, str]]] = []
    variants = max((len(table.total) for table in report.hotspots), default=1)
    for table in report.hotspots:
        for row in table.rows:
            best = sorted(((_rank(f), i, f.id) for i, f in enumerate(row.functions)), key=lambda b: (-b[0], b[1]))
            found += [(share_, len(found) + i, (table.metric, id_)) for i, (share_, _, id_) in enumerate(best)][
                :FUNCTIONS_SHOWN
            ]
    found.sort(key=lambda item: (-item[0], item[1]))
    return frozenset(key for _, _, key in found[: CELLS // max(variants, 1)])


def _rank(row: FunctionRow) -> float:
    """What was changed is shown before what is merely dear: a reviewer looks for it."""
    return weight(row) + (1.0 if row.changes or row.alignment else 0.0)


def weight(row: FunctionRow) -> float:
    """The largest share of a variant's total this function has anywhere."""
    return max((cell.share or 0.0 for cell in row.cells.values()), default=0.0)


def _metric(report: Report, key: str) -> MetricInfo:
    found = next((m for m in report.metrics if m.key == key), None)
    return found or MetricInfo(key=key, label=key, unit="1", instrument="counted", profiler=key.partition(":")[0])


def _table(report: Report, table: HotspotTable, hues: dict[str, int], shown: frozenset[tuple[str, str]]) -> HotTable:
    metric, notes = _metric(report, table.metric), Notes()
    columns = tuple(h for h in heads(report) if h.id in table.total)
    names = {c.key: (visible(c.label), visible(c.about)) for c in report.categories}
    top = max((cell.self or 0.0 for row in table.rows for cell in row.cells.values()), default=0.0)
    rows = table.rows
    if metric.ranked:
        rows = tuple(sorted(rows, key=lambda row: -max((c.self or 0.0 for c in row.cells.values()), default=0.0)))
    prefix = anchor("hot", table.metric)
    categories = tuple(
        _category(row, prefix, columns, metric, top, names.get(row.category), hues.get(row.category, 0), notes, shown)
        for row in rows
    )
    noun, per = per_what(visible(metric.label))
    heads_ = tuple(_column(table, head, metric, notes) for head in columns)
    return HotTable(
        prefix,
        anchor(table.metric),
        noun,
        per or PER,
        metric.instrument,
        visible(metric.profiler),
        metric.exact,
        better_word(metric),
        visible(metric.about),
        metric.ranked,
        limits_of(report, metric.profiler),
        heads_,
        categories,
        notes.all(),
        _details(table),
    )


def limits_of(report: Report, profiler: str) -> tuple[str, ...]:
    return tuple(limit_words(report, limit) for limit in report.limits if limit.profiler == profiler)


def _details(table: HotspotTable) -> tuple[str, ...]:
    """Which extra lines a cell of this table can show."""
    cells = [cell for row in table.rows for f in row.functions for cell in f.cells.values()]
    cells += [cell for row in table.rows for cell in row.cells.values()]
    wanted = (
        ("interval", any(c.low is not None and c.low != c.high for c in cells)),
        ("total", any(c.total is not None for c in cells)),
        ("calls", any(c.calls is not None for c in cells)),
    )
    return tuple(name for name, there in wanted if there)


def _column(table: HotspotTable, head: VariantHead, metric: MetricInfo, notes: Notes) -> HotColumn:
    series = table.total[head.id]
    known = table.categorised.get(head.id)
    return HotColumn(
        head,
        "" if series.median is None else amount(series.median, metric.unit),
        notes.gap(series.why) if series.median is None else None,
        "" if known is None else f"{units.percent(known, 0)} has a category",
        unmatched(table, head.id),
    )


def _category(
    row: CategoryRow,
    prefix: str,
    columns: tuple[VariantHead, ...],
    metric: MetricInfo,
    top: float,
    name: tuple[str, str] | None,
    hue: int,
    notes: Notes,
    shown: frozenset[tuple[str, str]],
) -> HotCategory:
    label, about = name or (visible(row.category), "")
    listed = [f for f in row.functions if (metric.key, f.id) in shown]
    if metric.ranked:
        listed.sort(key=lambda f: -max((c.self or 0.0 for c in f.cells.values()), default=0.0))
    hidden = row.hidden + len(row.functions) - len(listed)
    functions = tuple(_function(f, prefix, columns, metric, top, label, notes) for f in listed)
    cells = tuple(_cell(row.cells.get(head.id), head, metric, top, notes) for head in columns)
    more = (
        "" if not hidden else f"{units.count(hidden)} smaller {'function' if hidden == 1 else 'functions'} not listed"
    )
    return HotCategory(anchor(prefix, row.category), row.category, label, about, hue, cells, functions, more)


def _function(
    row: FunctionRow,
    prefix: str,
    columns: tuple[VariantHead, ...],
    metric: MetricInfo,
    top: float,
    category: str,
    notes: Notes,
) -> HotFunction:
    contenders = {head.id: head.label for head in columns if head.role == "contender"}
    return HotFunction(
        anchor(prefix, row.id),
        visible(row.function.name),
        place_of(row.function.file, row.function.object),
        row.function.runtime,
        "; ".join(visible(name) for name in row.function.raw[:4]),
        category,
        tuple(_cell(row.cells.get(head.id), head, metric, top, notes) for head in columns),
        any(row.callers.values()) or any(row.callees.values()),
        changes(row, contenders),
        renamed(row, contenders),
    )


def place_of(file: str, object_: str) -> str:
    """File, then the object's own name: where a reader would look the function up."""
    parts = [visible(file, limit=160), visible(object_.rpartition("/")[2], limit=80)]
    return " · ".join(part for part in parts if part)


def _cell(cell: Cell | None, head: VariantHead, metric: MetricInfo, top: float, notes: Notes) -> HotCell:
    if cell is None:
        return HotCell(NONE, notes.gap(NOT_SEEN), "", "", "", "", "", None, 0, "-1")
    if cell.self is None:
        return HotCell(NONE, notes.gap(cell.why), "", "", "", "", "", None, 0, "-1")
    calls = "" if cell.calls is None else f"{units.count(cell.calls)} calls"
    contender = head.role != "baseline"
    return HotCell(
        amount(cell.self, metric.unit),
        None,
        share(cell.share) if metric.ranked and cell.self else "",
        interval(cell.low, cell.high, metric.unit),
        "" if cell.total is None else f"total {amount(cell.total, metric.unit)}",
        calls,
        "" if cell.ratio is None or not contender else units.ratio(cell.ratio),
        chip(cell.verdict, cell.ratio) if contender else None,
        round(cell.self / top * 100) if metric.ranked and top > 0 else 0,
        f"{cell.self:.6g}",
        moved(cell, metric.unit) if contender else "",
    )


def edges(report: Report) -> dict[str, Any]:
    """For the page's script: `names`, and per table and row, by column, [callers, callees] of (name index, calls)."""
    names: dict[str, int] = {}
    tables: dict[str, Any] = {}
    shown = shown_functions(report)
    for table in report.hotspots:
        prefix = anchor("hot", table.metric)
        columns = [h.id for h in heads(report) if h.id in table.total]
        rows = {}
        for function in (f for row in table.rows for f in row.functions if (table.metric, f.id) in shown):
            sides = (function.callers, function.callees)
            lists = [[_calls(side.get(v, ()), names) for side in sides] for v in columns]
            if any(a or b for a, b in lists):
                rows[anchor(prefix, function.id)] = lists
        if rows:
            tables[prefix] = rows
    return {"names": list(names), "tables": tables}


def _calls(rows: tuple[tuple[str, float], ...], names: dict[str, int]) -> list[list[int | str]]:
    return [
        [names.setdefault(visible(name, limit=160), len(names)), units.count(calls)] for name, calls in rows[:EDGES]
    ]
