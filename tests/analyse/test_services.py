"""What a service beside the servers does for each variant: its CPU over starts, its queries by its own statistics."""

from __future__ import annotations

from dataclasses import replace

import pytest

from profpipe.analyse.statistics.starts import service_cost_ns
from profpipe.model.metric_keys import SERVICES
from profpipe.model.start import Queries
from profpipe.model.start_codec import dump_start, load_start
from tests.support.routes_cases import starts
from tests.support.sentence_checks import wrong
from tests.support.services_cases import AGAIN, ASKED, COSTS, NEW, OLD, ONE, SENT, report, with_service
from tests.support.slices_cases import slices

MORE = {OLD: 40.0, NEW: 124.0, AGAIN: 40.0}
SAME = {OLD: 40.0, NEW: 40.0, AGAIN: 40.0}


def said(made: object, rule: str) -> list[str]:
    return [each.text for each in made.conclusions if each.rule == rule]  # type: ignore[attr-defined]


def test_a_database_that_works_more_is_told() -> None:
    made = report(MORE)
    (table,) = made.services
    cost = next(each for each in table.costs if each.variant == NEW and each.route is None)
    assert cost.against is not None
    assert (cost.against.verdict, cost.against.ratio) == ("worse", pytest.approx(3.1))
    assert said(made, "service-work") == [
        "The service db does 3.10× the work per request for new as for old (125 µs of CPU, 40.2 µs)."
    ]
    figure = next(each for each in made.variants if each.id == NEW).figures[SERVICES]
    assert figure.median == pytest.approx(124 * 1.0045)
    assert wrong(made) == []


def test_a_database_that_does_the_same_is_not() -> None:
    made = report(SAME)
    assert said(made, "service-work") == []
    assert {cost.against and cost.against.verdict for cost in made.services[0].costs} == {None, "no change"}


def test_a_ratio_from_few_starts_is_not_told() -> None:
    assert said(report(MORE, many=2), "service-work") == []


def test_a_query_for_each_row_is_named_with_its_route() -> None:
    made = report(SAME)
    (text,) = said(made, "service-queries")
    assert text == (
        "GET /list makes 101 queries to the service db in new and 1 in old; "
        f"the query that differs most is “{ONE}” (100 and 0)."
    )
    per_request = {(c.route, c.variant): c.queries.per_request for c in made.services[0].costs}
    assert per_request["list", NEW] == 101
    assert per_request["item", NEW] == per_request["item", OLD] == 1
    # A quarter of the requests is /list.
    assert per_request[None, NEW] == 26
    assert wrong(made) == []


def test_the_same_queries_are_no_conclusion() -> None:
    assert said(report(SAME, {**ASKED, NEW: ASKED[OLD]}), "service-queries") == []


def test_queries_that_are_not_known_have_a_reason() -> None:
    refused = {**ASKED, NEW: {**ASKED[NEW], "list": Queries(10, why="psql cannot be asked")}}
    made = report(SAME, refused)
    found = {(c.route, c.variant): c.queries for c in made.services[0].costs}
    assert (found["list", NEW].per_request, found["list", NEW].why) == (None, "psql cannot be asked")
    assert found[None, NEW].why == "psql cannot be asked"
    assert found["item", NEW].per_request == 1
    assert "service-work" not in {each.rule for each in made.conclusions}


def test_without_a_service_there_is_no_table() -> None:
    assert service_cost_ns("db")(slices([1.0])) is None
    assert service_cost_ns(None)(slices([1.0])) is None


def test_a_start_with_a_service_is_read_back_as_it_was_written() -> None:
    (one,) = starts(1, dict.fromkeys((OLD, NEW, AGAIN), COSTS), SENT)
    found = replace(with_service(one, MORE, ASKED))
    assert load_start(dump_start(found), "x") == found
