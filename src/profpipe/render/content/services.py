"""What services do for each request, as text: for each service rows of CPU and of queries."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Report
from profpipe.model.services import ServiceCost, ServiceTable
from profpipe.render.content.variants import VariantHead, heads
from profpipe.render.text import Chip, Gap, Note, Notes, amount, chip, interval

US = "us"
# Statements below a count of queries; report.json has more.
MOST_STATEMENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCell:
    """One figure of one variant: either `text` or `gap`. `statements` = the most frequent, each with its count."""

    text: str = ""
    interval: str = ""
    ratio: str = ""
    chip: Chip | None = None
    statements: tuple[str, ...] = ()
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """CPU or queries per request, of all requests or of those of one route."""

    service: str
    name: str
    about: str
    cells: tuple[ServiceCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesText:
    heads: tuple[VariantHead, ...]
    rows: tuple[ServiceRow, ...]
    notes: tuple[Note, ...]


def services_text(report: Report) -> ServicesText | None:
    """The table of services; None where no service ran beside the servers."""
    if not report.services:
        return None
    shown, notes = heads(report, control=False), Notes()
    rows = [row for table in report.services for row in _rows(table, shown, notes)]
    return ServicesText(heads=shown, rows=tuple(rows), notes=notes.all())


def _rows(table: ServiceTable, shown: tuple[VariantHead, ...], notes: Notes) -> list[ServiceRow]:
    rows = []
    routes = list(dict.fromkeys((cost.route, cost.request) for cost in table.costs))
    for figure in ("CPU time", "queries") if table.counted else ("CPU time",):
        for route, request in routes:
            costs = {cost.variant: cost for cost in table.costs if cost.route == route}
            make = _cpu if figure == "CPU time" else _queries
            name = f"{figure} per request" + (f", {route}" if route else "")
            cells = tuple(make(costs.get(head.id), notes) for head in shown)
            rows.append(ServiceRow(service=table.name, name=name, about=request, cells=cells))
    return rows


def _cpu(cost: ServiceCost | None, notes: Notes) -> ServiceCell:
    if cost is None or cost.cpu.median is None:
        return ServiceCell(gap=notes.gap(cost.cpu.why if cost is not None else None))
    found = cost.against
    return ServiceCell(
        text=amount(cost.cpu.median, US),
        interval=interval(cost.cpu.low, cost.cpu.high, US),
        ratio=units.ratio(found.ratio) if found is not None and found.ratio is not None else "",
        chip=chip(found.verdict, found.ratio) if found is not None else None,
    )


def _queries(cost: ServiceCost | None, notes: Notes) -> ServiceCell:
    if cost is None or cost.queries.per_request is None:
        return ServiceCell(gap=notes.gap(cost.queries.why if cost is not None else None))
    most = cost.queries.statements[:MOST_STATEMENTS]
    return ServiceCell(
        text=units.count(cost.queries.per_request),
        statements=tuple(f"{units.count(each.per_request)} × {each.text}" for each in most),
    )
