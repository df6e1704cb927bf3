"""The post of 2018 line by line: every row answered from the report, or not measured with the reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from profpipe.analyse import build_report
from profpipe.model.report import Limit, Report, SeedRow
from profpipe.reference.post2018.table import pasted_loads
from profpipe.reference.registry import set_beside
from profpipe.render.comment.markdown import render_comment
from profpipe.render.content.published_study import UNNAMED
from profpipe.render.page.html import render_page
from tests.support.analyse_cases import load, study
from tests.support.seed_cases import FUTURE, MAY, beside_post, run, seed_report, seed_study
from tests.support.study_facts import study_data


def rows(report: Report | None = None) -> dict[int, SeedRow]:
    return {row.number: row for row in (report or seed_report()).seed_table}


def test_every_row_of_the_post(golden: Callable[[str, str], None]) -> None:
    found = rows()
    assert list(found) == list(range(1, 33))
    text = "".join(
        f"{r.number}. {r.what}\n   post: {r.post}\n   ours: {r.ours or '-'} [{r.value}]\n   {r.verdict}"
        f"{': ' + r.why if r.why else ''}\n"
        for r in found.values()
    )
    golden("seed-table.txt", text)


def test_every_row_that_is_not_kept_has_a_reason() -> None:
    silent = {r.number for r in rows().values() if r.verdict != "kept" and not r.why}
    assert silent == {31}  # another machine needs no reason


def test_a_share_near_the_posts_is_kept_and_another_differs() -> None:
    found = rows()
    assert found[11].verdict == "kept"
    assert found[13].verdict == "differs"
    for number in (*range(9, 20), 20, 21, 22):
        value = found[number].value
        assert value is not None
        assert 0 <= value <= 1


def test_the_wrk_tables_of_the_post_contradict_themselves() -> None:
    found = rows()
    assert [round(found[n].value or 0) for n in (26, 27, 28)] == [163, 115, 56]
    assert all(found[n].verdict == "corrected" for n in (26, 27, 28, 29, 30))
    assert "195%" in found[28].why
    assert found[29].value == pytest.approx(2.060, abs=1e-3)
    for number, size in ((26, "106"), (27, "93"), (28, "93")):
        assert f"{size} bytes each" in found[number].ours


def test_without_callgrind_its_rows_are_not_measured() -> None:
    limits = (Limit(profiler="callgrind", text="not measured: valgrind, vgdb not found: apt install valgrind"),)
    clean = [run(v, "clean") for v in (FUTURE, MAY)]
    report = beside_post(seed_study(*clean, kinds={"clean": "clean"}, limits=limits))
    found = rows(report)
    unknown = {n for n, r in found.items() if r.verdict == "not measured"}
    assert unknown == {1, 3, 5, 7, 8, *range(9, 26)}
    assert found[9].why == limits[0].text
    assert all(r.why and not r.ours for r in found.values() if r.verdict == "not measured")


def test_a_variant_without_valid_runs_is_not_measured_and_the_other_is() -> None:
    found = rows(beside_post(seed_study(run(FUTURE), run(MAY, reason="it died", phase="load"))))
    assert found[15].verdict == "kept"
    assert found[11].verdict == "not measured"
    assert found[11].why == "hyper 0.10 on may coroutines has no valid run under callgrind"


def fairness(**figures: float) -> Report:
    names = ("tokio-proto-mini", "may-http", "tokio-proto-mini-equal", "may-http-equal")
    runs = [run(name, "callgrind", profile="may-http-zeroed-after-load", load=load(1000)) for name in names]
    if figures:
        rates = {n: {"throughput": load(int(rate)), "load": load(100)} for n, rate in figures.items()}
        runs += [run(n, "clean", profile="may-http-zeroed-after-load", **more) for n, more in rates.items()]
    kinds = {"clean": "clean", "callgrind": "counted"}
    return build_report(study_data(runs, names, study="seed-fairness", kinds=kinds, created="2026-11-23T12:00:00Z"))


def test_the_postscript_is_answered_from_its_own_study() -> None:
    other = fairness(**{"tokio-proto-mini": 100_000, "may-http": 120_000, "may-http-equal": 110_000})
    found = rows(set_beside(seed_report(), "post-2018", other))
    assert found[25].ours == (
        "each its own response: tokio-proto-mini 100,000/s and may-http 120,000/s; the same response: "
        "may-http-equal 110,000/s (seed-fairness of 2026-11-23)"
    )


def test_without_a_trusted_rate_the_postscript_is_answered_in_instructions() -> None:
    found = rows(set_beside(seed_report(), "post-2018", fairness()))
    assert "tokio-proto-mini 2,902 instructions per request" in found[25].ours
    assert found[25].verdict == "corrected"


def test_a_study_without_reference_has_no_rows() -> None:
    report = build_report(study([run("a", profile=f"{MAY}-5000")]))
    assert (report.reference, report.seed_table) == (None, ())


def test_switches_are_shown_at_every_number_of_connections() -> None:
    names = ("callgrind", "callgrind-1", "callgrind-200")
    runs = [run(MAY, name) for name in names] + [run(FUTURE)]
    kinds = dict.fromkeys(names, "counted")
    report = beside_post(seed_study(*runs, kinds=kinds, tools=dict.fromkeys(names, "callgrind")))
    ours = rows(report)[23].ours
    assert [part.partition(":")[0] for part in ours.split("; ")] == [
        "1 connection",
        "20 connections",
        "200 connections",
    ]
    assert "1.44 calls of swap_registers per request" in ours


def test_switches_of_another_instrument_are_labelled_with_its_name() -> None:
    runs = [run(v, "callgrind-count") for v in (FUTURE, MAY)]
    report = beside_post(seed_study(*runs, kinds={"callgrind-count": "counted"}))
    assert rows(report)[23].ours.startswith("callgrind-count: 1.44 calls of swap_registers per request")


def test_the_page_and_the_comment_show_it() -> None:
    page, comment = render_page(seed_report()), render_comment(seed_report())
    assert 'id="seed-32"' in page
    assert "The post of 2018, line by line" in page
    assert "<summary>The post of 2018, line by line</summary>" in comment
    assert len(comment) < 60_000
    plain = seed_report().model_copy(update={"seed_table": ()})
    assert "The post of 2018" not in render_page(plain) + render_comment(plain)


def test_a_report_of_an_older_version_shows_its_rows_under_a_general_title() -> None:
    older = seed_report().model_copy(update={"reference": None})
    page, comment = render_page(older), render_comment(older)
    assert 'id="seed-32"' in page
    assert f"<h2>{UNNAMED.title}</h2>" in page
    assert f"<summary>{UNNAMED.title}</summary>" in comment
    assert "post of 2018" not in page + comment


def test_the_tables_of_the_post_are_read_as_loads() -> None:
    assert pasted_loads()["may http 2"].served == 3_599_209
