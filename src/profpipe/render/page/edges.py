"""Callers and callees of the functions on the page, for its script."""

from __future__ import annotations

from typing import Any

from profpipe import units
from profpipe.model.report import Report
from profpipe.render.content.variants import heads
from profpipe.render.page.shown_functions import shown_functions
from profpipe.render.text import anchor, cut

# Callers, and callees, of one function.
MOST = 6


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
    return [[names.setdefault(cut(name, 160), len(names)), units.count(calls)] for name, calls in rows[:MOST]]
