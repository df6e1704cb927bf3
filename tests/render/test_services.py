"""The table of services, on the page and in the terminal."""

from __future__ import annotations

from profpipe.render.content.services import services_text
from profpipe.render.page.html import render_page
from profpipe.render.terminal.report import render_verdict
from tests.support.services_cases import AGAIN, ASKED, NEW, OLD, ONE, report
from tests.support.slices_report import sample_of_starts
from tests.support.terminal import printed

REPORT = report({OLD: 40.0, NEW: 124.0, AGAIN: 40.0})


def test_cpu_and_queries_have_a_row_for_all_requests_and_one_for_each_route() -> None:
    found = services_text(REPORT)
    assert found is not None
    assert [(row.name, row.about) for row in found.rows] == [
        ("CPU time per request", ""),
        ("CPU time per request, list", "GET /list"),
        ("CPU time per request, item", "GET /item"),
        ("queries per request", ""),
        ("queries per request, list", "GET /list"),
        ("queries per request, item", "GET /item"),
    ]
    old, new = found.rows[0].cells
    assert (old.text, old.chip) == ("40.2 µs", None)
    assert (new.text, new.ratio, new.chip and new.chip.word) == ("125 µs", "3.10×", "worse")
    assert found.rows[4].cells[1].statements[0] == f"100 × {ONE}"


def test_a_service_without_a_count_has_rows_of_cpu_only() -> None:
    found = services_text(report({OLD: 40.0, NEW: 40.0, AGAIN: 40.0}, None))
    assert found is not None
    assert len(found.rows) == 3


def test_a_study_without_services_has_no_such_table() -> None:
    assert services_text(sample_of_starts()) is None
    assert 'id="services"' not in render_page(sample_of_starts())


def test_the_page_and_the_terminal_show_it() -> None:
    html = render_page(REPORT)
    assert 'id="services"' in html
    assert ONE in html
    text = printed(render_verdict(REPORT))
    assert "Services beside the servers" in text
    assert "125 µs 3.10×" in text
    assert max(map(len, text.splitlines())) <= 80


def test_hostile_statements_stay_text() -> None:
    bad = {**ASKED, NEW: {**ASKED[NEW]}}
    bad[NEW]["list"] = type(ASKED[NEW]["list"])(10, {"SELECT '<script>alert(1)</script>'": 20})  # type: ignore[index]
    assert "<script>alert(1)" not in render_page(report({OLD: 40.0, NEW: 40.0, AGAIN: 40.0}, bad))
