"""What each route of a load costs, as text: a row per route, then the mix and the sum of its routes."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import MixCost, Report, Route, RouteCost, Series
from profpipe.render.content.variants import VariantHead, heads
from profpipe.render.text import Chip, Gap, Note, Notes, amount, chip, interval

US = "us"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCell:
    """One figure of one variant: either `text` or `gap`. `more` = its latency, or how the mix differs from the sum."""

    text: str = ""
    interval: str = ""
    ratio: str = ""
    ratio_interval: str = ""
    chip: Chip | None = None
    more: str = ""
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """A route, the mix, or the sum of the routes; `about` = its method and path, `share` of the requests."""

    name: str
    about: str
    share: str
    cells: tuple[RouteCell, ...]
    of_mix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesText:
    heads: tuple[VariantHead, ...]
    rows: tuple[RouteRow, ...]
    notes: tuple[Note, ...]


def routes_text(report: Report) -> RoutesText | None:
    """The table of routes; None where the load has one request."""
    table = report.routes
    if table is None:
        return None
    shown, notes = heads(report, control=False), Notes()
    rows = [_route(route, shown, notes) for route in table.routes]
    mix = {each.variant: each for each in table.mix}
    rows.append(_row_of_mix("mix", "all requests, by their shares", [_measured(mix.get(h.id), notes) for h in shown]))
    sums = [_predicted(mix.get(head.id), notes) for head in shown]
    rows.append(_row_of_mix("sum of the routes", "the mix, if each cost what it costs alone", sums))
    return RoutesText(heads=shown, rows=tuple(rows), notes=notes.all())


def _route(route: Route, shown: tuple[VariantHead, ...], notes: Notes) -> RouteRow:
    costs = {cost.variant: cost for cost in route.costs}
    return RouteRow(
        name=route.name,
        about=route.request,
        share=units.percent(route.weight) if route.why is None else "left out",
        cells=tuple(_cell(costs.get(head.id), route.why, notes) for head in shown),
    )


def _row_of_mix(name: str, about: str, cells: list[RouteCell]) -> RouteRow:
    return RouteRow(name=name, about=about, share="", cells=tuple(cells), of_mix=True)


def _cell(cost: RouteCost | None, why: str | None, notes: Notes) -> RouteCell:
    if cost is None or cost.cpu.median is None:
        return RouteCell(gap=notes.gap(why or (cost.cpu.why if cost is not None else None)))
    found = cost.against
    known = found is not None and found.ratio is not None
    return RouteCell(
        text=amount(cost.cpu.median, US),
        interval=interval(cost.cpu.low, cost.cpu.high, US),
        ratio=units.ratio(found.ratio) if known and found is not None and found.ratio is not None else "",
        ratio_interval=_ratios(found.low, found.high) if found is not None else "",
        chip=chip(found.verdict, found.ratio) if found is not None else None,
        more=_latency(cost),
    )


def _latency(cost: RouteCost) -> str:
    """`p50 1.2 ms, p99 1.9 ms`."""
    each = (("p50", cost.p50), ("p99", cost.p99))
    return ", ".join(f"{name} {amount(found.median, US)}" for name, found in each if found.median is not None)


def _ratios(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{units.ratio(low)} to {units.ratio(high)}"


def _measured(mix: MixCost | None, notes: Notes) -> RouteCell:
    return _series(mix.measured if mix is not None else None, notes)


def _predicted(mix: MixCost | None, notes: Notes) -> RouteCell:
    if mix is None:
        return _series(None, notes)
    found = _series(mix.predicted, notes)
    if found.gap is not None or mix.ratio is None:
        return found
    more = f"the mix costs {_excess(mix.ratio)}"
    if mix.low is not None and mix.high is not None:
        more += f" ({_excess(mix.low)} to {_excess(mix.high)})"
    return RouteCell(text=found.text, interval=found.interval, more=more)


def _excess(ratio: float) -> str:
    return f"{100 * abs(ratio - 1):.1f} % {'more' if ratio >= 1 else 'less'}"


def _series(found: Series | None, notes: Notes) -> RouteCell:
    if found is None or found.median is None:
        return RouteCell(gap=notes.gap(found.why if found is not None else None))
    return RouteCell(text=amount(found.median, US), interval=interval(found.low, found.high, US))
