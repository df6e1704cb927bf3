"""The question of 2018 answered from stored captures of the real servers: what explains the gap, and what does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from profpipe.analyse import build_report
from profpipe.analyse.conclusions.conclude import resolve
from profpipe.model.report import Hypothesis, Report, WaterfallBar
from tests.support.seed_cases import FUTURE, HYPOTHESES, MAY, REQUESTS, capture, run, seed_report, seed_study


def bars(report: Report) -> dict[str, WaterfallBar]:
    (fall,) = [w for w in report.waterfall if w.metric == "callgrind:instructions"]
    return {bar.category: bar for bar in fall.bars}


def share_of_gap(*categories: str) -> float:
    found = bars(seed_report())
    return sum(found[key].share_of_gap or 0.0 for key in categories)


def test_writing_the_response_is_the_whole_gap_and_more() -> None:
    assert share_of_gap("format", "buffered-write", "date-time") >= 1.0


def test_switching_coroutines_is_under_a_fiftieth_of_the_gap() -> None:
    assert 0 < share_of_gap("context-switch") < 0.02


def test_futures_and_their_event_loop_reduce_the_gap() -> None:
    assert share_of_gap("futures", "event-loop") < 0


@pytest.mark.parametrize("variant", [FUTURE, MAY])
def test_nine_tenths_of_every_variant_have_a_category(variant: str) -> None:
    (table,) = [t for t in seed_report().hotspots if t.metric == "callgrind:instructions"]
    left = sum(row.cells[variant].share or 0.0 for row in table.rows if row.category in ("other", "library"))
    assert left < 0.10
    assert table.categorised[variant] > 0.99


def test_the_hypotheses_are_decided_by_what_they_explain(golden: Callable[[str, str], None]) -> None:
    found = [c for c in seed_report().conclusions if c.kind != "caution"]
    golden("seed-conclusions.txt", "".join(f"{c.id}\n  {c.text}\n" for c in found))
    (decided,) = [c for c in found if c.rule == "hypotheses"]
    assert "this is the reason" in decided.text
    assert "0.5 %" not in decided.text  # a figure of ours, never the post's or a reference's
    document = seed_report().model_dump(mode="json", by_alias=True)
    for row in decided.rows:
        assert resolve(document, row.path) == row.value


def test_a_hypothesis_that_explains_a_third_is_a_part_of_it() -> None:
    report = build_report(seed_study(hypotheses=(Hypothesis(text="memory", categories=("alloc",)), HYPOTHESES[0])))
    (decided,) = [c for c in report.conclusions if c.rule == "hypotheses"]
    assert "a part of it" in decided.text
    assert "not the reason" in decided.text
    assert decided.text.endswith("No hypothesis explains half of it.")


def test_no_hypothesis_is_decided_when_the_gap_is_unknown() -> None:
    lost = build_report(seed_study(run(FUTURE), run(MAY, reason="it died", phase="load")))
    assert not [c for c in lost.conclusions if c.rule == "hypotheses"]
    without = build_report(seed_study(hypotheses=()))
    assert not [c for c in without.conclusions if c.rule == "hypotheses"]


def test_the_erms_trap() -> None:
    """Counted a byte at a time, `rep stosb` makes memset most of the cheaper server, and it the dearer of the two."""
    trapped, right = capture("hyper011-future-erms"), capture("hyper011-future-no-erms")
    may = capture("hyper010-may-5000").self_sum("instructions") / REQUESTS
    assert trapped.self_sum("instructions") / 1000 > may > right.self_sum("instructions") / 1000
    shares = {name: _category("memset", name) for name in ("hyper011-future-erms", "hyper011-future-no-erms")}
    assert shares["hyper011-future-erms"] > 0.6
    assert shares["hyper011-future-no-erms"] < 0.1


def _category(category: str, capture_name: str) -> float:
    from tests.support.analyse_cases import load

    only = run(FUTURE, profile=capture_name, load=load(1000))
    report = build_report(seed_study(only, variants=(FUTURE,)))
    (table,) = [t for t in report.hotspots if t.metric == "callgrind:instructions"]
    return next(row.cells[FUTURE].share or 0.0 for row in table.rows if row.category == category)


# ---- one profiler used in two ways


def two_uses() -> Report:
    uses = [(FUTURE, "callgrind"), (FUTURE, "callgrind-count"), (MAY, "callgrind"), (MAY, "callgrind-count")]
    runs = [run(*use, number=number) for number in (1, 2) for use in (*uses, (MAY, "callgrind-200"))]
    kinds = dict.fromkeys(("callgrind", "callgrind-count", "callgrind-200"), "counted")
    return build_report(seed_study(*runs, kinds=kinds, tools=dict.fromkeys(kinds, "callgrind")))


def test_a_second_use_of_a_profiler_has_figures_and_a_table_but_no_graphs() -> None:
    report = two_uses()
    again = {m.key: m.again for m in report.metrics if m.key.endswith(":instructions")}
    assert again == {
        "callgrind:instructions": False,
        "callgrind-count:instructions": True,
        "callgrind-200:instructions": True,
    }
    assert {t.metric for t in report.hotspots} >= set(again)
    assert {w.metric.partition(":")[0] for w in report.waterfall} == {"callgrind"}
    assert {c.metric.partition(":")[0] for c in report.classic} == {"callgrind"}
    labels = [m.label for m in report.metrics if m.key in again]
    assert labels == [
        "instructions per request",
        "instructions by callgrind-count per request",
        "instructions by callgrind-200 per request",
    ]


def test_a_variant_that_an_instrument_skips_is_unknown_with_the_reason() -> None:
    report = two_uses()
    future = next(v for v in report.variants if v.id == FUTURE)
    figure = future.figures["callgrind-200:instructions"]
    assert figure.median is None
    assert figure.why == "callgrind-200 did not measure this variant"
    gaps = [c for c in report.conclusions if c.rule == "gap"]
    assert len(gaps) == 1
