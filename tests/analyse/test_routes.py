"""Costs of routes: paired over starts like any other, and their sum beside the mix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from profpipe.analyse import StudyData, build_report
from profpipe.analyse.statistics.alpha import STARTS
from profpipe.analyse.statistics.slice_length import Lead, SliceLength, choose_routes
from profpipe.analyse.tables.routes import predicted_ns
from profpipe.model.report import ALPHA, Report, RouteRecord, SlicesRecord
from profpipe.model.start import RoutePlan
from profpipe.model.start_codec import dump_start, load_start
from tests.support.routes_cases import routed, starts
from tests.support.slices_cases import REQUESTS
from tests.support.study_facts import study_record

OLD, NEW, AGAIN = "old", "new", "old, again"
COSTS = {"item": 100.0, "order": 400.0, "list": 50.0}
SENT = {"item": 60, "order": 10, "list": 30}
MANY = 10


def report(costs: dict[str, dict[str, float]], many: int = MANY, **more: Any) -> Report:
    routes = tuple(RouteRecord(name=n, request=f"GET /{n}", weight=SENT[n] / 100, requests=REQUESTS) for n in COSTS)
    left_out = RouteRecord(name="stats", request="GET /stats", weight=0.0, reason="new: it answered with status 500")
    record = SlicesRecord(
        seed=1, requests=REQUESTS, lead=0, length="", passes=6, connections=1, control=AGAIN, resolution=0.01,
        budget_s=60.0, rule="", planned=(many,), alpha=ALPHA * STARTS, contenders=4, routes=(*routes, left_out),
    )  # fmt: skip
    study = replace(study_record((OLD, NEW)), slices=record, kinds={"clean": "clean"})
    return build_report(StudyData(record=study, runs=(), starts=starts(many, costs, SENT, **more)))


def test_a_route_that_got_more_expensive_is_told_apart_from_those_that_did_not() -> None:
    made = report({OLD: COSTS, NEW: {**COSTS, "order": 520.0}, AGAIN: COSTS})
    assert made.routes is not None
    item, order, listed, _ = made.routes.routes
    found = {route.name: route.costs[1].against for route in (item, order, listed)}
    assert {name: each and each.verdict for name, each in found.items()} == {
        "item": "no change",
        "order": "worse",
        "list": "no change",
    }
    assert order.costs[1].against is not None
    assert order.costs[1].against.ratio == pytest.approx(1.3, rel=0.005)
    assert order.costs[0].cpu.median == pytest.approx(400 * 1.01, rel=0.02)
    assert (order.costs[0].against, len(order.costs[0].cpu.values)) == (None, MANY)
    assert order.costs[1].p99.median == 20.0
    (said,) = (each.text for each in made.conclusions if each.rule == "routes")
    assert said.startswith("GET /order costs 1.30× as much CPU per request in new as in old (")
    assert said.endswith("; the other 2 routes are the same.")


def test_a_route_that_was_left_out_keeps_its_reason() -> None:
    made = report({OLD: COSTS, NEW: COSTS, AGAIN: COSTS})
    assert made.routes is not None
    last = made.routes.routes[-1]
    assert (last.name, last.costs, last.why) == ("stats", (), "new: it answered with status 500")
    assert not [each for each in made.conclusions if each.rule in {"routes", "mix"}]


def test_a_control_that_differs_in_a_route_decides_nothing_there() -> None:
    made = report({OLD: COSTS, NEW: {**COSTS, "order": 520.0}, AGAIN: {**COSTS, "order": 440.0}})
    assert made.routes is not None
    assert made.routes.routes[1].costs[1].against is not None
    assert made.routes.routes[1].costs[1].against.verdict == "cannot tell"


def test_a_mix_that_costs_its_routes_is_within_its_interval() -> None:
    made = report({OLD: COSTS, NEW: COSTS, AGAIN: COSTS})
    assert made.routes is not None
    for mix in made.routes.mix:
        assert mix.ratio == pytest.approx(1.0, abs=0.002)
        assert mix.predicted.median == pytest.approx(115 * 1.01, rel=0.02)  # 0.6 x 100 + 0.1 x 400 + 0.3 x 50


def test_a_mix_that_costs_more_than_its_routes_is_said() -> None:
    made = report({OLD: COSTS, NEW: COSTS, AGAIN: COSTS}, more=0.04)
    said = [each.text for each in made.conclusions if each.rule == "mix"]
    assert len(said) == 2
    assert said[0].startswith("The mix costs new 4.0 % (") or said[0].startswith("The mix costs old 4.0 % (")
    assert "more CPU than its routes cost one at a time" in said[0]


def test_the_sum_counts_each_route_as_often_as_its_pass_sent_it() -> None:
    slices = replace(routed([1.0, 1.0], {"a": [10.0, 20.0], "b": [30.0, 40.0]}, [1, 1]), sent=((3, 1), (0, 4)))
    plan = (RoutePlan("a", REQUESTS), RoutePlan("b", REQUESTS))
    found = predicted_ns(slices, plan)
    assert found is not None
    assert found.tolist() == [15_000.0, 40_000.0]
    assert predicted_ns(replace(slices, routes={}), plan) is None


def test_a_start_with_routes_is_read_back_as_it_was_written() -> None:
    (one,) = starts(1, {OLD: COSTS, NEW: COSTS}, SENT)
    assert load_start(dump_start(one), "1.json") == one
    damaged = dump_start(one).replace(b'"sent":[[60,10,30],', b'"sent":[')
    with pytest.raises(Exception, match="the columns of old differ in length"):
        load_start(damaged, "1.json")


def test_slices_of_an_expensive_route_are_shorter_and_none_is_too_short() -> None:
    lead = Lead(requests=20, part=20, first={"a": 1.0}, settled=True)
    length = SliceLength(lead=lead, requests=160, pass_s=0.3, launch_s=1.0)
    found = choose_routes(length, 40, 0.001, {"cheap": 0.0005, "more": 0.002, "most": 0.1})
    assert found.routes == {"cheap": 160, "more": 80, "most": 40}
    assert found.pass_s == pytest.approx(0.3 * (1 + (180 * 0.0005 + 100 * 0.002 + 60 * 0.1) / 0.18))
    assert "of each route 40 to 160 requests" in found.words
