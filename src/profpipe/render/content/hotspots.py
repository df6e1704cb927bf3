"""What table, row and cell of hotspots are called, whichever way they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from profpipe.model.report import Cell, FunctionRow, MetricInfo, Report


def metric_of(report: Report, key: str) -> MetricInfo:
    """What the report says of a metric; one that it does not describe is a plain count."""
    found = next((m for m in report.metrics if m.key == key), None)
    return found or MetricInfo(key=key, label=key, unit="1", instrument="counted", profiler=key.partition(":")[0])


def largest(cells: Iterable[Cell]) -> float:
    """The largest self cost of some cells; 0 where none is known."""
    return max((cell.self or 0.0 for cell in cells), default=0.0)


def weight(row: FunctionRow) -> float:
    """The largest share of a variant's total that this function has anywhere."""
    return max((cell.share or 0.0 for cell in row.cells.values()), default=0.0)
