"""The table of routes, on the page and in the terminal."""

from __future__ import annotations

from profpipe.render.content.routes import RouteCell, routes_text
from profpipe.render.page.html import render_page
from profpipe.render.terminal.report import render_verdict
from tests.support.routes_cases import mix, route, sample_of_routes
from tests.support.slices_report import sample_of_starts
from tests.support.terminal import printed

REPORT = sample_of_routes(
    [
        route("item", "GET /items/7", 0.9, 100.0, gevent=("no change", 1.001), asyncio_protocol=("worse", 1.07)),
        route("order", "POST /orders", 0.1, 1200.0, gevent=("worse", 1.31)),
        {"name": "gone", "request": "GET /gone", "weight": 0, "why": "gevent: it answered with status 500"},
    ],
    [mix("threads", 214.2, 210.0, 0.005), mix("gevent", 240.0, 241.0, 0.01)],
)


def cell(row: int, label: str) -> RouteCell:
    found = routes_text(REPORT)
    assert found is not None
    place = [head.label for head in found.heads].index(label)
    return found.rows[row].cells[place]


def test_each_route_has_a_row_and_the_mix_and_the_sum_come_last() -> None:
    found = routes_text(REPORT)
    assert found is not None
    assert [(row.name, row.about, row.share) for row in found.rows] == [
        ("item", "GET /items/7", "90.0 %"),
        ("order", "POST /orders", "10.0 %"),
        ("gone", "GET /gone", "left out"),
        ("mix", "all requests, by their shares", ""),
        ("sum of the routes", "the mix, if each cost what it costs alone", ""),
    ]


def test_a_cell_has_cost_ratio_verdict_and_latency() -> None:
    found = cell(1, "gevent")
    assert (found.text, found.ratio, found.chip and found.chip.word) == ("1.57 ms", "1.31×", "worse")
    assert found.more == "p50 3.14 ms, p99 3.14 ms"
    assert cell(1, "threads").chip is None


def test_the_sum_says_how_much_more_the_mix_costs() -> None:
    assert cell(4, "threads").more == "the mix costs 2.0 % more (1.5 % more to 2.5 % more)"
    assert cell(4, "gevent").more == "the mix costs 0.4 % less (1.4 % less to 0.6 % more)"


def test_what_was_not_measured_has_its_reason() -> None:
    found = cell(2, "threads")
    assert found.gap is not None
    assert found.gap.why == "gevent: it answered with status 500"
    assert cell(1, "asyncio-protocol").gap is not None


def test_a_load_with_one_request_has_no_such_table() -> None:
    assert routes_text(sample_of_starts()) is None
    assert 'id="routes"' not in render_page(sample_of_starts())
    assert "of each route" not in printed(render_verdict(sample_of_starts()))


def test_the_page_and_the_terminal_show_it() -> None:
    html = render_page(REPORT)
    assert 'id="routes"' in html
    assert "POST /orders" in html
    text = printed(render_verdict(REPORT))
    assert "CPU time per request of each route" in text
    assert "107 µs 1.070×" in text
    assert "more variants are in report.html" in text
    assert max(map(len, text.splitlines())) <= 80
