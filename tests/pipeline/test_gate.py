"""`--fail-on`: what may be asked, and that only a verdict of worse fails a build."""

from __future__ import annotations

import pytest

from profpipe.errors import UsageError
from profpipe.model.report import Comparison, Report
from profpipe.pipeline.reporting.gate import GateRule, cannot_tell, gate, gate_rule
from tests.support.paths import SAMPLE_REPORT


@pytest.fixture(scope="module")
def sample() -> Report:
    return Report.model_validate_json(SAMPLE_REPORT.read_bytes())


def of(sample: Report, **comparisons: Comparison) -> Report:
    """The sample with one contender, whose figures are these alone."""
    contender = next(v for v in sample.variants if v.role == "contender")
    against = {key.replace("__", ":"): comparison for key, comparison in comparisons.items()}
    kept = contender.model_copy(update={"against_baseline": against})
    return sample.model_copy(update={"variants": (sample.variants[0], kept), "hotspots": ()})


def worse(ratio: float) -> Comparison:
    return Comparison(verdict="worse", ratio=ratio)


@pytest.mark.parametrize(
    ("text", "where", "limit"),
    [
        ("regression", None, 0.0),
        ("regression:5%", None, 0.05),
        ("regression:0.3 %", None, 0.003),
        ("regression:instructions", "instructions", 0.0),
        ("regression:callgrind:instructions:1%", "callgrind:instructions", 0.01),
        ("regression:format:2.5%", "format", 0.025),
    ],
)
def test_what_may_be_asked(text: str, where: str | None, limit: float) -> None:
    assert gate_rule(text) == GateRule(text, where, limit)


@pytest.mark.parametrize("text", ["", "slower", "regressions", "regression:x%", "regression:5%%", "improvement:5%"])
def test_what_may_not(text: str) -> None:
    with pytest.raises(UsageError, match="expected regression"):
        gate_rule(text)


@pytest.mark.parametrize(
    ("rule", "failed"),
    [
        ("regression", True),
        ("regression:4%", True),
        ("regression:6%", False),
        ("regression:instructions", True),
        ("regression:callgrind:instructions:6%", False),
        ("regression:cpu_us", False),
    ],
)
def test_only_worse_beyond_the_limit_fails(sample: Report, rule: str, failed: bool) -> None:
    report = of(
        sample,
        callgrind__instructions=worse(1.05),
        clean__cpu_us=Comparison(verdict="cannot tell", ratio=1.5, why="2 rounds"),
    )
    found = gate(report, [gate_rule(rule)])
    assert found.failed is failed
    assert found.asked == (rule,)
    assert bool(found.hits) is failed
    assert not failed or "instructions per request is worse by 5.0 %" in found.hits[0]


def test_what_cannot_be_told_passes_and_is_said(sample: Report) -> None:
    report = of(sample, clean__cpu_us=Comparison(verdict="cannot tell", ratio=1.5, why="2 rounds a side"))
    rules = [gate_rule("regression")]
    assert gate(report, rules).failed is False
    (text,) = cannot_tell(report, rules)
    assert "cpu_us is undecided: 2 rounds a side" in text


def test_less_throughput_is_a_regression_whose_ratio_is_under_one(sample: Report) -> None:
    report = of(sample, clean__throughput=worse(0.8))
    assert gate(report, [gate_rule("regression:throughput:10%")]).failed
    assert not gate(report, [gate_rule("regression:throughput:25%")]).failed


def test_a_category_can_be_gated(sample: Report) -> None:
    table = sample.hotspots[0]
    contender = next(v for v in sample.variants if v.role == "contender")
    row = next(r for r in table.rows if contender.id in r.cells)
    cell = row.cells[contender.id].model_copy(update={"verdict": "worse", "ratio": 1.2})
    changed = row.model_copy(update={"cells": {**row.cells, contender.id: cell}})
    others = tuple(
        r.model_copy(update={"cells": {v: c.model_copy(update={"verdict": "no change"}) for v, c in r.cells.items()}})
        for r in table.rows
        if r is not row
    )
    hotspots = (table.model_copy(update={"rows": (changed, *others)}),)
    report = of(sample).model_copy(update={"hotspots": hotspots})
    assert gate(report, [gate_rule(f"regression:{row.category}")]).failed
    assert not gate(report, [gate_rule(f"regression:{row.category}:30%")]).failed
    assert not gate(report, [gate_rule(f"regression:{others[0].category}")]).failed


def test_a_name_that_no_figure_has_is_a_mistake_not_a_pass(sample: Report) -> None:
    with pytest.raises(UsageError, match=r"this report has no instrucions; it has: "):
        gate(sample, [gate_rule("regression:instrucions:1%")])
