"""Hotspots side by side: categories align across variants, functions hang under them, every cell per request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from profpipe import units
from profpipe.model.report import CategoryRow, Cell, FunctionRow, HotspotTable, MetricInfo, Report
from profpipe.render.content.hotspots import largest, metric_of
from profpipe.render.content.study import limits_of
from profpipe.render.content.variants import VariantHead, heads
from profpipe.render.page.colours import hue_of
from profpipe.render.page.commits import Renamed, changes, moved, renamed, unmatched
from profpipe.render.page.edges import edges
from profpipe.render.page.interface import Section
from profpipe.render.page.shown_functions import shown_functions
from profpipe.render.place import place_of
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
    per_what,
    share,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HotCell:
    """Texts of one cell; `bar` 0..100 of the table's largest category; `key` is what sorting compares.

    `total_gap` = why the cost with callees is unknown, where a profiler that gives totals has none for this cell.
    """

    value: str = NONE
    gap: Gap | None = None
    share: str = ""
    interval: str = ""
    total: str = ""
    total_gap: Gap | None = None
    calls: str = ""
    ratio: str = ""
    chip: Chip | None = None
    bar: int = 0
    key: str = "-1"
    moved: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HotFunction:
    id: str
    name: str
    place: str
    raw: str
    cells: tuple[HotCell, ...]
    edges: bool
    changes: tuple[str, ...]
    renamed: tuple[Renamed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HotCategory:
    id: str
    key: str
    label: str
    about: str
    hue: int
    cells: tuple[HotCell, ...]
    functions: tuple[HotFunction, ...]
    hidden: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HotColumn:
    head: VariantHead
    total: str
    gap: Gap | None
    categorised: str
    unmatched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HotTable:
    """`detail` = the extra lines that a cell of this table can show."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CellContext:
    """What every row of one table is made with; `top` = the largest cost of a row, which has the whole bar."""

    metric: MetricInfo
    columns: tuple[VariantHead, ...]
    top: float
    prefix: str
    notes: Notes
    shown: frozenset[tuple[str, str]]


def cell_context(
    report: Report, table: HotspotTable, prefix: str, top: float, shown: frozenset[tuple[str, str]] = frozenset()
) -> CellContext:
    """For rows of this table whose largest cost is `top`; the id of the table begins with `prefix`."""
    return CellContext(
        metric=metric_of(report, table.metric),
        columns=tuple(head for head in heads(report) if head.id in table.total),
        top=top,
        prefix=anchor(prefix, table.metric),
        notes=Notes(),
        shown=shown,
    )


def hot_tables(report: Report) -> tuple[HotTable, ...] | None:
    """None where no profiler named functions."""
    hues, shown = hue_of(report), shown_functions(report)
    return tuple(_table(report, table, hues, shown) for table in report.hotspots) or None


def _table(report: Report, table: HotspotTable, hues: Mapping[str, int], shown: frozenset[tuple[str, str]]) -> HotTable:
    metric = metric_of(report, table.metric)
    tops = [largest(row.cells.values()) for row in table.rows]
    context = cell_context(report, table, "hot", max(tops, default=0.0), shown)
    names = {c.key: (c.label, c.about) for c in report.categories}
    rows = table.rows
    if metric.ranked:
        rows = tuple(sorted(rows, key=lambda row: -largest(row.cells.values())))
    noun, per = per_what(metric.label)
    return HotTable(
        id=context.prefix,
        key=anchor(table.metric),
        label=noun,
        per=per or PER,
        instrument=metric.instrument,
        profiler=metric.profiler,
        exact=metric.exact,
        better=better_word(metric),
        about=metric.about,
        ranked=metric.ranked,
        limits=limits_of(report, metric.profiler),
        columns=tuple(hot_column(table, head, context) for head in context.columns),
        categories=tuple(
            _category(row, names.get(row.category, (row.category, "")), hues.get(row.category, 0), context)
            for row in rows
        ),
        notes=context.notes.all(),
        detail=_details(table),
    )


def _details(table: HotspotTable) -> tuple[str, ...]:
    """Which extra lines a cell of this table can show."""
    cells = [cell for row in table.rows for f in row.functions for cell in f.cells.values()]
    cells += [cell for row in table.rows for cell in row.cells.values()]
    wanted = (
        ("interval", any(c.low is not None and c.low != c.high for c in cells)),
        ("total", any(c.total is not None or c.total_why for c in cells)),
        ("calls", any(c.calls is not None for c in cells)),
    )
    return tuple(name for name, there in wanted if there)


def hot_column(table: HotspotTable, head: VariantHead, context: CellContext) -> HotColumn:
    """The head of one variant's column, with the sum of it."""
    series = table.total[head.id]
    known = table.categorised.get(head.id)
    return HotColumn(
        head=head,
        total="" if series.median is None else amount(series.median, context.metric.unit),
        gap=context.notes.gap(series.why) if series.median is None else None,
        categorised="" if known is None else f"{units.percent(known, 0)} categorised",
        unmatched=unmatched(table, head.id),
    )


def _category(row: CategoryRow, name: tuple[str, str], hue: int, context: CellContext) -> HotCategory:
    label, about = name
    listed = [f for f in row.functions if (context.metric.key, f.id) in context.shown]
    if context.metric.ranked:
        listed.sort(key=lambda f: -largest(f.cells.values()))
    hidden = row.hidden + len(row.functions) - len(listed)
    word = "function" if hidden == 1 else "functions"
    return HotCategory(
        id=anchor(context.prefix, row.category),
        key=row.category,
        label=label,
        about=about,
        hue=hue,
        functions=tuple(_function(f, context) for f in listed),
        cells=hot_cells(row.cells, context),
        hidden="" if not hidden else f"{units.count(hidden)} smaller {word} not listed",
    )


def _function(row: FunctionRow, context: CellContext) -> HotFunction:
    contenders = {head.id: head.label for head in context.columns if head.role == "contender"}
    return HotFunction(
        id=anchor(context.prefix, row.id),
        name=row.function.name,
        place=place_of(row.function.file, row.function.object),
        raw="; ".join(row.function.raw[:4]),
        cells=hot_cells(row.cells, context),
        edges=any(row.callers.values()) or any(row.callees.values()),
        changes=changes(row, contenders),
        renamed=renamed(row, contenders),
    )


def hot_cells(cells: Mapping[str, Cell], context: CellContext) -> tuple[HotCell, ...]:
    """One text for each column of the table."""
    return tuple(_cell(cells.get(head.id), head, context) for head in context.columns)


def _cell(cell: Cell | None, head: VariantHead, context: CellContext) -> HotCell:
    metric, notes = context.metric, context.notes
    if cell is None or cell.self is None:
        return HotCell(gap=notes.gap(NOT_SEEN if cell is None else cell.why))
    contender = head.role != "baseline"
    return HotCell(
        value=amount(cell.self, metric.unit),
        share=share(cell.share) if metric.ranked and cell.self else "",
        interval=interval(cell.low, cell.high, metric.unit),
        total="" if cell.total is None else f"total {amount(cell.total, metric.unit)}",
        total_gap=notes.gap(f"total: {cell.total_why}") if cell.total is None and cell.total_why else None,
        calls="" if cell.calls is None else f"{units.count(cell.calls)} calls",
        ratio="" if cell.ratio is None or not contender else units.ratio(cell.ratio),
        chip=chip(cell.verdict, cell.ratio) if contender else None,
        bar=round(cell.self / context.top * 100) if metric.ranked and context.top > 0 else 0,
        key=f"{cell.self:.6g}",
        moved=moved(cell, metric.unit) if contender else "",
    )


def script(report: Report) -> dict[str, Any]:
    """Callers and callees of every function on the page."""
    return {"edges": edges(report)}


SECTION = Section(
    key="hotspots",
    title="Hotspots",
    template="_hotspots.html.j2",
    view=hot_tables,
    script=script,
    shows=("hotspots",),
)
