"""Starts with a service beside the servers, whose work and queries are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from profpipe.analyse import StudyData, build_report
from profpipe.analyse.statistics.alpha import STARTS
from profpipe.model.report import ALPHA, Report, RouteRecord, SlicesRecord
from profpipe.model.start import Queries, Start
from tests.support.routes_cases import starts
from tests.support.slices_cases import REQUESTS
from tests.support.study_facts import study_record

OLD, NEW, AGAIN = "old", "new", "old, again"
COSTS = {"list": 100.0, "item": 50.0}
SENT = {"list": 25, "item": 75}
ONE = "SELECT name FROM items WHERE id = $1"
ALL = "SELECT id FROM items"


def queries(**statements: int) -> Queries:
    """Of ten requests."""
    return Queries(10, {{"one": ONE, "all": ALL}[key]: calls for key, calls in statements.items()})


ASKED: Mapping[str, Mapping[str, Queries]] = {
    OLD: {"list": queries(all=10), "item": queries(one=10)},
    NEW: {"list": queries(all=10, one=1000), "item": queries(one=10)},
    AGAIN: {},
}


def with_service(
    start: Start, work_us: Mapping[str, float], asked: Mapping[str, Mapping[str, Queries]] | None = None
) -> Start:
    """The start with a service `db` that uses so much CPU for a request of each variant, whatever its route."""
    variants = {}
    for name, slices in start.variants.items():
        used = tuple(round(work_us[name] * 1000 * REQUESTS * (1 + 0.001 * start.ticket.number)) for _ in slices.cpu_ns)
        more = {"asked": (REQUESTS,) * len(used), "services_ns": {"db": used}}
        routes = {route: replace(found, **more) for route, found in slices.routes.items()}
        of_db = {} if asked is None else {"db": asked[name]}
        variants[name] = replace(slices, **more, routes=routes, queries=of_db)
    return replace(start, variants=variants)


def report(
    work_us: Mapping[str, float], asked: Mapping[str, Mapping[str, Queries]] | None = ASKED, many: int = 8
) -> Report:
    """Of two variants that cost the same themselves, and such a service."""
    routes = tuple(RouteRecord(name=n, request=f"GET /{n}", weight=SENT[n] / 100, requests=REQUESTS) for n in COSTS)
    record = SlicesRecord(
        seed=1, requests=REQUESTS, lead=0, length="", passes=6, connections=1, control=AGAIN, resolution=0.01,
        budget_s=60.0, rule="", planned=(many,), alpha=ALPHA * STARTS, contenders=6, routes=routes,
    )  # fmt: skip
    study = replace(study_record((OLD, NEW)), slices=record, kinds={"clean": "clean"})
    measured = starts(many, dict.fromkeys((OLD, NEW, AGAIN), COSTS), SENT)
    found = [with_service(each, work_us, asked if each.ticket.number == 1 else None) for each in measured]
    return build_report(StudyData(record=study, runs=(), starts=tuple(found)))
