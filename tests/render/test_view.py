"""The views of the page: every number is text with its unit, every gap has its reason, every position an integer."""

from __future__ import annotations

from typing import Any

from profpipe.model.report import Report
from profpipe.render.content.classic import classic_lists
from profpipe.render.content.conclusions import conclusions
from profpipe.render.page.gap import gap_view
from profpipe.render.page.hotspots import hot_tables
from profpipe.render.page.sections import shown
from profpipe.render.page.variants import variant_table
from profpipe.render.page.verdict import verdict_view
from tests.support.sample_report import document, sample
from tests.support.sample_tables import COUNTED, CPU, SAMPLED


def report_of(change: Any = None) -> Report:
    data = document()
    if change is not None:
        change(data)
    return Report.model_validate(data)


def table_of(change: Any = None) -> Any:
    return variant_table(report_of(change))


def headline_of(change: Any = None) -> Any:
    return verdict_view(report_of(change)).headline


def waterfalls_of(change: Any = None) -> Any:
    view = gap_view(report_of(change))
    assert view
    return view.waterfalls


def hotspots_of(change: Any = None) -> Any:
    return hot_tables(report_of(change))


def test_columns_are_in_the_order_readers_look_in() -> None:
    table = table_of()
    assert [(c.figure.noun, c.figure.per, c.figure.better) for c in table.columns] == [
        ("throughput", "", "higher is better"),
        ("p50 latency", "", "lower is better"),
        ("p99 latency", "", "lower is better"),
        ("CPU time", "per request", "lower is better"),
        ("instructions", "per request", "lower is better"),
        ("syscalls", "per request", "lower is better"),
        ("kernel share", "", "lower is better"),
        ("context switches", "per request", "lower is better"),
        ("peak memory", "", "lower is better"),
    ]


def test_a_figure_is_text_with_ratio_and_verdict() -> None:
    table = table_of()
    row = next(r for r in table.rows if r.head.id == "asyncio-streams")
    cell = dict(zip([c.figure.key for c in table.columns], row.cells, strict=True))[COUNTED]
    assert (cell.figure.ratio, cell.figure.chip.word, cell.figure.chip.sign) == ("5.31×", "worse", "▲")
    assert cell.figure.text == "43,025"
    assert cell.figure.spread == "5 rounds, cv 0.05 %"
    assert len(cell.strip.dots) == 5
    assert all(0 <= dot <= 1000 for dot in cell.strip.dots)
    assert cell.strip.median > cell.strip.reference


def test_an_unknown_figure_says_why_in_a_numbered_note() -> None:
    table = table_of()
    row = next(r for r in table.rows if r.head.id == "gevent")
    cell = dict(zip([c.figure.key for c in table.columns], row.cells, strict=True))["clean:p99_us"].figure
    assert cell.text == ""
    assert cell.gap.why == "the load tool was late itself: its own p99 lateness was 4.1 ms"
    assert [(n.number, n.text) for n in table.notes] == [(cell.gap.note, cell.gap.why)]


def test_a_figure_without_any_value_is_named_once() -> None:
    table = table_of()
    assert SAMPLED not in [c.figure.key for c in table.columns]
    assert table.missing == (("CPU time, sampled", "perf is not permitted here: kernel.perf_event_paranoid is 3"),)


def test_an_invalid_variant_keeps_its_row_and_its_reason() -> None:
    def break_gevent(data: dict[str, Any]) -> None:
        gevent = next(v for v in data["variants"] if v["id"] == "gevent")
        gevent |= {"valid": False, "why": "never ready", "figures": {}, "against_baseline": {}}
        gevent["figures"] = {"clean:throughput": {"why": "never ready"}}

    table = table_of(break_gevent)
    row = next(r for r in table.rows if r.head.id == "gevent")
    assert (row.head.valid, row.head.why) == (False, "never ready")
    assert all(cell.figure.gap.why == "never ready" and cell.strip is None for cell in row.cells)


def test_rounds_that_failed_leave_no_dot() -> None:
    def fail_round(data: dict[str, Any]) -> None:
        data["variants"][0]["figures"][CPU]["values"][2] = None

    table = table_of(fail_round)
    cell = table.rows[0].cells[[c.figure.key for c in table.columns].index(CPU)]
    assert len(cell.strip.dots) == 6
    assert cell.figure.spread.startswith("6 of 7 rounds")


def test_the_headline_is_the_figure_the_verdict_rests_on() -> None:
    def about_cpu(data: dict[str, Any]) -> None:
        data["conclusions"][0]["rows"] = [{"path": f"variants[1].figures.{CPU}.median", "value": 74.9}]

    assert headline_of().key == COUNTED
    assert headline_of(about_cpu).key == CPU
    bars = headline_of().bars
    assert max(bar.width for bar in bars) == 1000
    assert [bar.head.role for bar in bars].count("control") == 0


def test_the_waterfall_ends_where_the_contender_is() -> None:
    for w in waterfalls_of():
        last = w.bars[-1]
        ends = {last.start, last.start + last.width}
        assert any(abs(end - w.end) <= 2 for end in ends)
        assert abs(w.end - w.contender_width) <= 1


def test_the_waterfall_links_each_bar_to_the_one_above() -> None:
    for w in waterfalls_of():
        at = w.baseline_width
        for bar in w.bars:
            assert abs(bar.link - at) <= 1
            at = bar.start + bar.width if bar.css in {"w-up"} or bar.text.delta.startswith("+") else bar.start


def test_a_small_gap_is_drawn_on_a_cut_axis_that_says_so() -> None:
    def nearly_equal(data: dict[str, Any]) -> None:
        w = data["waterfall"][0]
        w |= {"baseline_total": 1000.0, "contender_total": 1020.0, "gap": 20.0}
        w["bars"] = [{"category": "alloc", "baseline": 1000.0, "contender": 1020.0, "delta": 20.0, "share_of_gap": 1.0}]

    w = waterfalls_of(nearly_equal)[0]
    assert w.axis == "The axis starts at 995, not at zero."
    assert w.bars[0].width == 800
    assert "spends 20 instructions per request more than threads" in w.text.sentence


def test_small_bars_are_summed_and_named() -> None:
    def with_tail(data: dict[str, Any]) -> None:
        w = data["waterfall"][0]
        w |= {"baseline_total": 1000.0, "contender_total": 2009.0, "gap": 1009.0}
        small = [("memcpy", 4.0), ("locks", 3.0), ("switch", 2.0)]
        w["bars"] = [
            {"category": c, "baseline": 0.0, "contender": d, "delta": d, "share_of_gap": d / 1009}
            for c, d in [("alloc", 1000.0), *small]
        ]
        w["bars"][0]["baseline"] = 1000.0

    w = waterfalls_of(with_tail)[0]
    bars = [(bar.text.label, bar.text.delta) for bar in w.bars]
    assert bars == [
        ("memory allocation", "+1,000"),
        ("3 smaller", "+9"),
    ]
    assert w.bars[1].text.about == "memcpy, locks, context switch"
    assert w.end == w.contender_width


def test_a_gap_of_zero_has_no_shares() -> None:
    def no_gap(data: dict[str, Any]) -> None:
        for bar in data["waterfall"][0]["bars"]:
            bar["share_of_gap"] = None

    assert {bar.text.share for bar in waterfalls_of(no_gap)[0].bars} == {""}


def test_hotspots_hold_value_share_ratio_and_verdict() -> None:
    table = hotspots_of()[0]
    first = table.categories[0]
    assert (first.label, [c.value for c in first.cells][:2]) == ("interpreter loop", ["2,752", "7,287"])
    streams = first.cells[4]
    assert (streams.share, streams.ratio, streams.chip.word, streams.bar) == ("36.0 %", "5.63×", "worse", 100)
    assert first.functions[0].name == "_PyEval_EvalFrameDefault"


def test_the_baseline_is_not_compared_with_itself() -> None:
    for table in hotspots_of():
        for category in table.categories:
            assert (category.cells[0].ratio, category.cells[0].chip) == ("", None)


def test_an_unknown_total_says_why() -> None:
    table = hotspots_of()[0]
    column = [c.head.id for c in table.columns].index("gevent")
    cell = table.categories[0].cells[column]
    assert (cell.total, cell.total_gap.why) == ("", "total: stack switches make totals false")
    assert (cell.total_gap.note, cell.total_gap.why) in [(note.number, note.text) for note in table.notes]
    assert table.categories[0].cells[0].total.startswith("total ")


def test_a_function_that_a_variant_does_not_have_is_not_zero() -> None:
    table = hotspots_of()[0]
    futures = next(c for c in table.categories if c.key == "futures")
    threads = futures.functions[0].cells[0]
    assert (threads.value, threads.gap.why) == ("–", "not seen in this variant")


def test_a_traced_table_is_not_ranked_and_has_no_shares() -> None:
    traced = hotspots_of()[1]
    assert not traced.ranked
    assert {cell.share for c in traced.categories for cell in c.cells} == {""}
    assert {cell.bar for c in traced.categories for cell in c.cells} == {0}
    assert traced.limits == ("its shares are diluted by the cost of tracing itself and are not ranked",)


def test_functions_beyond_the_limit_are_counted() -> None:
    def many(data: dict[str, Any]) -> None:
        row = data["hotspots"][0]["rows"][0]
        row["functions"] = [{**row["functions"][0], "id": f"f{i}"} for i in range(100)]
        row["hidden"] = 7

    first = hotspots_of(many)[0].categories[0]
    assert len(first.functions) == 40
    assert first.hidden == "67 smaller functions not listed"


def test_the_classic_list_reads_as_it_always_did() -> None:
    list_ = classic_lists(report_of())[0]
    assert (list_.rows[0].value, list_.rows[0].share) == ("3,982,740", "24.6%")
    assert list_.rows[0].place == "ceval.c:_PyEval_EvalFrameDefault"
    assert list_.rest.endswith("in 412 more functions")


def test_conclusions_come_by_kind_and_weight_with_the_verdict_apart() -> None:
    view = conclusions(report_of())
    assert [c.kind for c in view.verdicts] == ["Verdict"]
    assert [c.kind for c in view.leading] == ["Cause", "Cause", "Not the cause", "Caution"]
    assert view.more == ()
    assert view.leading[0].rows[0].root == "waterfall"


def test_the_first_screen_takes_the_heaviest_of_each_kind() -> None:
    def many(data: dict[str, Any]) -> None:
        for i in range(20):
            kind = ("cause", "not-the-cause", "caution", "verdict")[i % 4]
            data["conclusions"].append({**data["conclusions"][1], "id": f"x{i}", "kind": kind, "weight": 50 + i})

    view = conclusions(report_of(many))
    assert [c.id for c in view.leading] == ["c-x16", "c-x12", "c-x17", "c-x13", "c-x18"]
    assert len(view.verdicts) + len(view.leading) + len(view.more) == 25


def test_the_same_report_gives_the_same_view() -> None:
    assert shown(sample()) == shown(sample())


def test_a_report_with_nothing_in_it_has_a_view() -> None:
    data = document()
    for key in ("variants", "metrics", "categories", "hotspots", "waterfall", "conclusions", "flames", "classic"):
        data[key] = []
    for key in ("control", "invalid", "limits", "runs"):
        del data[key]
    views = {section.key: view for section, view in shown(Report.model_validate(data))}
    assert list(views) == ["verdict", "variants", "method"]
    assert (views["verdict"].headline, views["variants"].columns) == (None, ())
    assert views["verdict"].conclusions.verdicts == ()
