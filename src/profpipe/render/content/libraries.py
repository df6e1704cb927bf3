"""Whose code costs what: the server's own, each library, the interpreter and the kernel, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import HotspotTable, LibraryRow, Origin, Report
from profpipe.render.content.hotspots import metric_of

NAMED = 5

WHOSE: Mapping[Origin, str] = {
    "own": "own code",
    "library": "library",
    "standard library": "standard library",
    "interpreter": "interpreter",
    "kernel": "kernel",
    "": "not known",
}


def library_label(row: LibraryRow) -> str:
    """The library's name, or whose code it is."""
    return row.library or WHOSE[row.origin]


def tells_libraries(table: HotspotTable) -> bool:
    """Whether there is anything to tell apart: a row of own code or of a named library, and another one."""
    return len(table.libraries) > 1 and any(row.origin in ("own", "library") for row in table.libraries)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryShares:
    """`metric` = what is shared out; `rows` = variant -> its largest libraries with their shares of its cost."""

    metric: str
    rows: Mapping[str, str]


def library_shares(report: Report) -> LibraryShares | None:
    """Of the first metric that tells libraries apart and ranks functions; None where none does."""
    table = next((t for t in report.hotspots if tells_libraries(t) and metric_of(report, t.metric).ranked), None)
    if table is None:
        return None
    metric = metric_of(report, table.metric)
    rows = {variant: _largest(table, variant) for variant in table.total}
    return LibraryShares(metric=f"{metric.label} by {metric.profiler}", rows={v: t for v, t in rows.items() if t})


def _largest(table: HotspotTable, variant: str) -> str:
    """`jinja2 41 %, own code 20 %, 3 others 9.0 %`: the sum of all is the variant's total."""
    shares = [(row.cells[variant].share or 0.0, library_label(row)) for row in table.libraries if variant in row.cells]
    shares = sorted((s for s in shares if s[0] > 0), key=lambda s: (-s[0], s[1]))
    parts = [f"{label} {units.percent(part)}" for part, label in shares[:NAMED]]
    if rest := shares[NAMED:]:
        parts.append(f"{len(rest)} {'other' if len(rest) == 1 else 'others'} {units.percent(sum(s for s, _ in rest))}")
    return ", ".join(parts)
