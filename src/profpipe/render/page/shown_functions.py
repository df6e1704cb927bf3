"""Which functions the page has room for."""

from __future__ import annotations

from profpipe.model.report import FunctionRow, Report
from profpipe.render.content.hotspots import weight

# Rows of one category on the page, and cells of functions in all tables together: a cell is some 300 bytes and the
# page stays under a megabyte. The rest is counted, and is in report.json.
FUNCTIONS_SHOWN = 40
CELLS = 1100


def shown_functions(report: Report) -> frozenset[tuple[str, str]]:
    """(metric, row id) of the functions on the page: the most expensive of each category, then of all tables."""
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
    """Changed functions come before expensive ones: a reviewer looks for them."""
    return weight(row) + (1.0 if row.changes or row.alignment else 0.0)
