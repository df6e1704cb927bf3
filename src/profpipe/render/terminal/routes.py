"""The table of routes that `profpipe run` prints."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from profpipe.model.report import Report
from profpipe.render.content.routes import RouteCell, RouteRow, routes_text
from profpipe.render.terminal.chips import chip_text
from profpipe.render.terminal.variant_columns import MOST_VARIANTS, add_variants


def routes_table(report: Report) -> Table | None:
    """CPU time per request of each route, the mix and the sum of its routes; None where the load has one request."""
    found = routes_text(report)
    if found is None:
        return None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("route", overflow="fold")
    table.add_column("share", justify="right")
    add_variants(table, found.heads)
    for row in found.rows:
        cells = [_cell(row, cell) for cell in row.cells[:MOST_VARIANTS]]
        table.add_row(Text(row.name if row.of_mix else f"{row.name} ({row.about})"), row.share, *cells)
    return table


def _cell(row: RouteRow, cell: RouteCell) -> Text:
    if cell.gap is not None:
        return Text("unknown", style="dim")
    text = Text(cell.text)
    if row.of_mix and cell.more:
        text.append(f"\n{cell.more}", style="dim")
    if cell.chip is None:
        return text
    if cell.ratio and cell.chip.word in {"better", "worse"}:
        text.append(f" {cell.ratio}")
    text.append(" ")
    text.append_text(chip_text(cell.chip))
    return text
