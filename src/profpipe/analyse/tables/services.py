"""What each service does for each variant: its CPU over starts, and its queries by its own statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from profpipe.analyse.statistics.compare_starts import compare_starts, undecided_by_control
from profpipe.analyse.statistics.series import rounded, series
from profpipe.analyse.statistics.starts import Floats, service_cost_ns, start_ratios, valid
from profpipe.analyse.statistics.starts_rule import StartsRule
from profpipe.analyse.study_data import StudyData
from profpipe.model.report import Comparison, RouteRecord, Series, SlicesRecord
from profpipe.model.services import QueryCount, ServiceCost, ServiceTable, StatementCount
from profpipe.model.start import Queries, Start, VariantSlices

# Statements that a report keeps of each variant and route.
MOST_STATEMENTS = 12
Cost = Callable[[VariantSlices], Floats | None]


def service_tables(study: StudyData) -> tuple[ServiceTable, ...]:
    """Every service that ran beside the servers; empty where there is none, or CPU was not measured by slices."""
    record, starts = study.record.slices, valid(study.starts)
    if record is None:
        return ()
    names = dict.fromkeys(name for start in starts for one in start.variants.values() for name in one.services_ns)
    return tuple(_table(study, record, starts, name) for name in names)


def _table(study: StudyData, record: SlicesRecord, starts: Sequence[Start], name: str) -> ServiceTable:
    routes = [route for route in record.routes if route.requests is not None]
    found: dict[str, Mapping[str, Queries]] = {}
    for start in starts:
        for variant, slices in start.variants.items():
            if name in slices.queries:
                found.setdefault(variant, slices.queries[name])
    costs = []
    for route in (None, *routes):
        for variant in study.variants:
            counts = found.get(variant, {})
            queries = (
                _mix(counts, routes) if route is None and routes else _count(counts.get(route.name if route else ""))
            )
            costs.append(_cost(study, record, name, route, variant, queries))
    return ServiceTable(name=name, counted=bool(found), costs=tuple(costs))


def _cost(
    study: StudyData,
    record: SlicesRecord,
    name: str,
    route: RouteRecord | None,
    variant: str,
    queries: QueryCount,
) -> ServiceCost:
    cost = service_cost_ns(name, None if route is None else route.name)
    cpu, base = (_over_starts(study.starts, each, cost) for each in (variant, study.baseline))
    return ServiceCost(
        variant=variant,
        route=None if route is None else route.name,
        request="" if route is None else route.request,
        cpu=cpu,
        against=None if variant == study.baseline else _compared(study, record, cost, variant, base),
        queries=queries,
    )


def _compared(study: StudyData, record: SlicesRecord, cost: Cost, variant: str, base: Series) -> Comparison:
    """At the level that the rule of the starts gives each of its comparisons."""
    rule = StartsRule(record.planned, record.contenders, record.resolution, record.alpha)

    def against(name: str) -> Comparison:
        ratios = start_ratios(study.starts, name, study.baseline, cost)
        return compare_starts(base, ratios, level=rule.level(len(ratios.logs)), resolution=record.resolution)

    found, control = against(variant), against(record.control)
    return undecided_by_control(found, control) if control.relevant and found.verdict != "cannot tell" else found


def _over_starts(starts: Sequence[Start], variant: str, cost: Cost) -> Series:
    sides = [start.variants.get(variant) for start in valid(starts)]
    costs = [None if slices is None else cost(slices) for slices in sides]
    values = [None if found is None else float(np.median(found)) / 1000 for found in costs]
    return series(values, None if any(value is not None for value in values) else "no start measured it")


def _count(found: Queries | None) -> QueryCount:
    if found is None:
        return QueryCount(why="`queries` of the service is not set")
    if found.why is not None:
        return QueryCount(why=found.why)
    each = {text: calls / found.requests for text, calls in found.statements.items()}
    return _shown(each)


def _shown(each: Mapping[str, float]) -> QueryCount:
    most = sorted(each.items(), key=lambda item: (-item[1], item[0]))[:MOST_STATEMENTS]
    return QueryCount(
        per_request=rounded(sum(each.values()), 6),
        statements=tuple(StatementCount(text=text, per_request=rounded(calls, 6)) for text, calls in most),
    )


def _mix(counts: Mapping[str, Queries], routes: Sequence[RouteRecord]) -> QueryCount:
    """Queries of all requests: those of each route, by its share."""
    each, whole = dict[str, float](), sum(route.weight for route in routes)
    for route in routes:
        found = counts.get(route.name)
        if found is None or found.why is not None:
            return _count(found)
        for text, calls in found.statements.items():
            each[text] = each.get(text, 0.0) + calls / found.requests * route.weight / whole
    return _shown(each)
