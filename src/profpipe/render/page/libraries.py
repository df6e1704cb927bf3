"""Cost by library: the server's own code, each library, the standard library, the interpreter and the kernel."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Cell, HotspotTable, LibraryRow, Report
from profpipe.render.content.hotspots import largest
from profpipe.render.content.libraries import WHOSE, library_label, tells_libraries
from profpipe.render.page.hotspots import CellContext, HotCell, HotColumn, cell_context, hot_cells, hot_column
from profpipe.render.page.interface import Section
from profpipe.render.text import PER, Note, per_what

LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryText:
    """One row. `whose` is empty where the label says it already."""

    label: str
    whose: str
    functions: str
    cells: tuple[HotCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryTable:
    id: str
    label: str
    per: str
    source: str
    columns: tuple[HotColumn, ...]
    rows: tuple[LibraryText, ...]
    notes: tuple[Note, ...]


def library_tables(report: Report) -> tuple[LibraryTable, ...] | None:
    """One table for each metric whose functions belong to several; None where none does."""
    return tuple(_table(report, table) for table in report.hotspots if tells_libraries(table)) or None


def _table(report: Report, table: HotspotTable) -> LibraryTable:
    rows = [*table.libraries[:LISTED], *_rest(table.libraries[LISTED:])]
    context = cell_context(report, table, "lib", max(largest(row.cells.values()) for row in rows))
    noun, per = per_what(context.metric.label)
    return LibraryTable(
        id=context.prefix,
        label=noun,
        per=per or PER,
        source=f"{context.metric.instrument} by {context.metric.profiler}",
        columns=tuple(hot_column(table, head, context) for head in context.columns),
        rows=tuple(_row(row, context) for row in rows),
        notes=context.notes.all(),
    )


def _rest(rows: tuple[LibraryRow, ...]) -> tuple[LibraryRow, ...]:
    """The smallest libraries as one row without a verdict, so that the column still adds up."""
    if not rows:
        return ()
    variants = dict.fromkeys(variant for row in rows for variant in row.cells)
    sums = {v: [cell for row in rows if (cell := row.cells.get(v)) is not None] for v in variants}
    cells = {
        v: Cell(self=sum(c.self or 0.0 for c in found), share=sum(c.share or 0.0 for c in found))
        for v, found in sums.items()
    }
    label = f"{len(rows)} smaller {'library' if len(rows) == 1 else 'libraries'}"
    functions = sum(row.functions for row in rows)
    return (LibraryRow(origin="library", library=label, functions=functions, cells=cells),)


def _row(row: LibraryRow, context: CellContext) -> LibraryText:
    return LibraryText(
        label=library_label(row),
        whose=WHOSE[row.origin] if row.library else "",
        functions=f"{units.count(row.functions)} {'function' if row.functions == 1 else 'functions'}",
        cells=hot_cells(row.cells, context),
    )


SECTION = Section(key="libraries", title="Libraries", template="_libraries.html.j2", view=library_tables)
