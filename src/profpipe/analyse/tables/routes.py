"""What each route of a load costs, by starts, and the mix beside the sum of its routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from profpipe.analyse.statistics.compare_starts import compare_starts, undecided_by_control
from profpipe.analyse.statistics.series import rounded, series
from profpipe.analyse.statistics.starts import (
    Floats,
    StartRatios,
    cost_ns,
    median_error,
    ratio_over_starts,
    route_cost_ns,
    start_ratios,
    valid,
)
from profpipe.analyse.statistics.starts_rule import StartsRule
from profpipe.analyse.study_data import StudyData
from profpipe.model.report import Comparison, MixCost, Route, RouteCost, RouteRecord, RouteTable, Series, SlicesRecord
from profpipe.model.start import RoutePlan, Start, VariantSlices

Cost = Callable[[VariantSlices], Floats | None]


def route_table(study: StudyData) -> RouteTable | None:
    """The routes of the study's load; None where it has one request, or was not measured by slices."""
    record = study.record.slices
    if record is None or not record.routes:
        return None
    return RouteTable(
        routes=tuple(_route(study, record, route) for route in record.routes),
        mix=tuple(_mix(valid(study.starts), variant) for variant in study.variants),
    )


def _route(study: StudyData, record: SlicesRecord, route: RouteRecord) -> Route:
    measured = study.variants if route.requests is not None else ()
    return Route(
        name=route.name,
        request=route.request,
        weight=route.weight,
        status=route.status,
        requests=route.requests,
        costs=tuple(_cost(study, record, route.name, variant) for variant in measured),
        why=route.reason,
    )


def _cost(study: StudyData, record: SlicesRecord, route: str, variant: str) -> RouteCost:
    cpu = _over_starts(study.starts, variant, _in_us(route_cost_ns(route)))
    base = _over_starts(study.starts, study.baseline, _in_us(route_cost_ns(route)))
    return RouteCost(
        variant=variant,
        cpu=cpu,
        p50=_over_starts(study.starts, variant, _latency(route, 0)),
        p99=_over_starts(study.starts, variant, _latency(route, 1)),
        against=None if variant == study.baseline else _compared(study, record, route, variant, base),
    )


def _compared(study: StudyData, record: SlicesRecord, route: str, variant: str, base: Series) -> Comparison:
    """At the level that the rule of the starts gives each of its comparisons."""
    rule = StartsRule(record.planned, record.contenders, record.resolution, record.alpha)

    def against(name: str) -> Comparison:
        ratios = start_ratios(study.starts, name, study.baseline, route_cost_ns(route))
        return compare_starts(base, ratios, level=rule.level(len(ratios.logs)), resolution=record.resolution)

    found, control = against(variant), against(record.control)
    return undecided_by_control(found, control) if control.relevant and found.verdict != "cannot tell" else found


def _in_us(cost: Cost) -> Cost:
    return lambda slices: None if (found := cost(slices)) is None else found / 1000


def _latency(route: str, place: int) -> Cost:
    def latency(slices: VariantSlices) -> Floats | None:
        found = slices.routes.get(route)
        return None if found is None else np.array([pair[place] for pair in found.latency_us])

    return latency


def _over_starts(starts: Sequence[Start], variant: str, cost: Cost) -> Series:
    """A value per start that is kept: the median of its slices."""
    sides = [start.variants.get(variant) for start in valid(starts)]
    costs = [None if slices is None else cost(slices) for slices in sides]
    values = [None if found is None or not len(found) else float(np.median(found)) for found in costs]
    return series(values, None if any(value is not None for value in values) else "no start measured it")


def _mix(starts: Sequence[Start], variant: str) -> MixCost:
    logs, errors, measured, predicted = [], [], [], []
    for start in starts:
        slices = start.variants.get(variant)
        found = None if slices is None else predicted_ns(slices, start.plan.routes)
        if slices is None or found is None:
            continue
        mix = cost_ns(slices)
        excess = np.log(mix / found)
        logs.append(float(np.median(excess)))
        errors.append(median_error(excess))
        measured.append(float(np.median(mix)) / 1000)
        predicted.append(float(np.median(found)) / 1000)
    over = ratio_over_starts(StartRatios(variant, tuple(logs), tuple(errors))) if logs else None
    return MixCost(
        variant=variant,
        measured=series(measured, None if measured else "no start measured it"),
        predicted=series(predicted, None if predicted else "no start measured it"),
        ratio=None if over is None else rounded(over.ratio, 6),
        low=None if over is None or over.low is None else rounded(over.low, 6),
        high=None if over is None or over.high is None else rounded(over.high, 6),
    )


def predicted_ns(slices: VariantSlices, routes: Sequence[RoutePlan]) -> Floats | None:
    """CPU nanoseconds that a request of the mix would cost in each pass if every route cost what it costs alone.

    Each route counts as often as the mix sent it in that pass; None where a start does not have all routes.
    """
    costs = [route_cost_ns(route.name)(slices) for route in routes]
    known = [cost for cost in costs if cost is not None]
    if not known or len(known) < len(routes) or not slices.sent:
        return None
    sent = np.array(slices.sent, dtype=np.float64)
    found: Floats = (sent * np.array(known).T).sum(axis=1) / sent.sum(axis=1)
    return found
