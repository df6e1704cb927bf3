"""The table of services that `profpipe run` prints."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from profpipe.model.report import Report
from profpipe.render.content.services import ServiceCell, services_text
from profpipe.render.terminal.chips import chip_text
from profpipe.render.terminal.variant_columns import MOST_VARIANTS, add_variants


def services_table(report: Report) -> Table | None:
    """CPU time and queries per request of every service; None where no service ran beside the servers."""
    found = services_text(report)
    if found is None:
        return None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("service", overflow="fold")
    add_variants(table, found.heads)
    for row in found.rows:
        table.add_row(Text(f"{row.service}: {row.name}"), *map(_cell, row.cells[:MOST_VARIANTS]))
    return table


def _cell(cell: ServiceCell) -> Text:
    if cell.gap is not None:
        return Text("unknown", style="dim")
    text = Text(cell.text)
    if cell.chip is not None:
        text.append(f" {cell.ratio} " if cell.ratio and cell.chip.word in {"better", "worse"} else " ")
        text.append_text(chip_text(cell.chip))
    return text
