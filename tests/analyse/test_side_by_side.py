"""profpipe compare A B: captures without a study, and what may be said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from profpipe.analyse import compare_profiles
from profpipe.errors import Refused
from tests.support.analyse_cases import callgrind, native, pyspy, yappi


def test_one_capture_each_shows_costs_and_calls_nothing() -> None:
    found = compare_profiles([("threads", callgrind("threads"), 2000), ("asyncio", callgrind("asyncio"), 2000)])
    comparison = found.variants[1].against_baseline["callgrind:instructions"]
    assert (comparison.verdict, comparison.ratio) == ("cannot tell", pytest.approx(2.547, abs=0.001))
    assert comparison.why == "1 round a side; a difference can be shown from 2 on"
    cells = [cell for row in found.hotspots[0].rows for f in row.functions for cell in f.cells.values()]
    assert {cell.verdict for cell in cells} == {None, "cannot tell"}
    assert found.metrics[0].label == "instructions per request"
    assert found.conclusions[0].text == (
        "asyncio shows 61,354 instructions per request, threads 24,085; which is more is undecided: 1 round a side; "
        "a difference can be shown from 2 on."
    )
    assert found.study.id == "compare"
    assert found.runs[0].served == 2000
    assert found.control.why == "the study measured no control"
    assert not any(c.rule == "load-bound" for c in found.conclusions)


def test_without_requests_costs_are_per_capture_and_say_so() -> None:
    found = compare_profiles([("a", native({"f": 1000}), None), ("b", native({"f": 2000}), 7)])
    assert found.metrics[0].label == "instructions per capture"
    assert found.variants[1].figures["callgrind:instructions"].median == 2000
    assert found.conclusions[0].text.startswith("b shows 2,000 instructions per capture, a 1,000; which is more is")
    assert any("not per request" in item.text or "per capture" in item.text for item in found.limits)


def test_sampled_captures_cannot_tell() -> None:
    found = compare_profiles([("a", pyspy("threads"), None), ("b", pyspy("asyncio"), None)])
    key = found.metrics[0].key
    assert found.variants[1].against_baseline[key].verdict == "cannot tell"
    assert "1 round a side" in found.variants[1].against_baseline[key].why
    assert not any(c.kind in ("cause", "not-the-cause") for c in found.conclusions)
    assert {f.variant for f in found.flames} == {"a", "b"}


def test_traced_captures_are_compared_by_calls() -> None:
    found = compare_profiles([("a", yappi("threads"), 58824), ("b", yappi("asyncio"), 19926)])
    assert found.metrics[0].key == "pstats:calls"
    assert found.hotspots[0].metric == "pstats:calls"
    assert found.variants[1].figures["pstats:calls"].median == pytest.approx(56.5126, rel=1e-4)


def test_three_captures_keep_their_order() -> None:
    found = compare_profiles([(n, native({"f": v}), 1) for n, v in (("x", 3), ("y", 2), ("z", 1))])
    assert [v.id for v in found.variants] == ["x", "y", "z"]
    assert found.study.contenders == ("y", "z")


def test_captures_of_different_things_are_refused() -> None:
    with pytest.raises(Refused, match=r"b counts samples \(1\), a counts instructions \(1\)"):
        compare_profiles([("a", native({"f": 1}), 1), ("b", pyspy("threads"), 1)])


def test_a_partial_capture_is_not_compared() -> None:
    whole = native({"f": 1000})
    cut = replace(whole, meta=replace(whole.meta, partial="cut short"))
    found = compare_profiles([("a", whole, 10), ("b", cut, 10)])
    assert found.variants[1].against_baseline["callgrind:instructions"].verdict == "cannot tell"
    assert found.invalid[0].variant == "b"
