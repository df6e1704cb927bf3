"""The gate: what may be asked, and that only a verdict of worse fails a build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.gen_study import write_study
from profpipe import store
from profpipe.errors import ConfigError, UsageError
from profpipe.model.report import Comparison, Gate, Report
from profpipe.pipeline.gate.judge import gate
from profpipe.pipeline.gate.rules import GateRule, check_rules, gate_rule, rules_of_study
from profpipe.pipeline.reporting.report import write_report
from profpipe.units import Instrument
from tests.support.paths import SAMPLE_REPORT
from tests.support.prepared_study import TARGET, prepared


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


def better(ratio: float) -> Comparison:
    return Comparison(verdict="better", ratio=ratio)


@pytest.mark.parametrize(
    ("text", "where", "limit"),
    [
        ("regression", None, 0.0),
        ("regression:cost", None, 0.0),
        ("regression:cost:5%", None, 0.05),
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


def test_an_undecided_figure_passes_and_is_named(sample: Report) -> None:
    report = of(sample, clean__cpu_us=Comparison(verdict="cannot tell", ratio=1.5, why="2 rounds a side"))
    rules = [gate_rule("regression")]
    assert gate(report, rules).failed is False
    (text,) = gate(report, rules).undecided
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


KINDS: dict[str, Instrument] = {"clean": "clean", "callgrind": "counted", "yappi": "traced"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("regression:instrctions:1%", "did you mean instructions"),
        ("regression:callgrind:instrctions", "did you mean callgrind:instructions"),
        ("regression:samples", "no instrument of this study measures samples; it has clean, callgrind, yappi"),
        ("regression:perf:cpu_ns", "no instrument of this study measures perf:cpu_ns"),
        ("regression:parsng", "did you mean parsing"),
    ],
)
def test_a_rule_that_no_report_could_answer_is_refused_before_measuring(rule: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_rules([gate_rule(rule)], KINDS, ["parsing", "gc"])


@pytest.mark.parametrize("where", ["cost", "cpu_us", "clean:rss", "callgrind:instructions", "calls", "gc"])
def test_a_rule_that_a_report_can_answer_is_taken(where: str) -> None:
    check_rules([gate_rule(f"regression:{where}:1%")], KINDS, ["parsing", "gc"])


def test_a_category_without_any_cost_is_zero_and_not_a_mistake(sample: Report) -> None:
    assert gate(of(sample), [gate_rule("regression:gc:1%")]) == Gate(asked=("regression:gc:1%",), failed=False)


def test_a_metric_without_a_figure_is_undecided(sample: Report) -> None:
    assert gate(of(sample), [gate_rule("regression:instructions")]).undecided == (
        "instructions was not measured in these runs",
    )


@pytest.mark.parametrize("rule", ["regression", "regression:cost", "regression:cost:5%"])
@pytest.mark.parametrize(
    ("key", "failed"),
    [
        ("clean__cpu_us", True),
        ("clean__cpu_beside_load", True),
        ("clean__rss", True),
        ("clean__p50_us", True),
        ("clean__p99_us", True),
        ("callgrind__instructions", True),
        ("callgrind__syscalls", False),
        ("clean__switches", False),
        ("clean__throughput", False),
        ("yappi__calls", False),
        ("yappi__cpu_ns", False),
        ("py-spy__samples", False),
    ],
)
def test_cost_is_cpu_time_instructions_memory_and_latency(sample: Report, rule: str, key: str, failed: bool) -> None:
    assert gate(of(sample, **{key: worse(1.3)}), [gate_rule(rule)]).failed is failed


def test_more_calls_on_a_page_that_got_cheaper_fail_nothing(sample: Report) -> None:
    """MarkupSafe 2.1.5 to 3.0.2: instructions 0.81x, while the calls that yappi counts grew by 10.5 %."""
    report = of(sample, clean__cpu_us=better(0.8), callgrind__instructions=better(0.81), yappi__calls=worse(1.105))
    assert gate(report, [gate_rule("regression:5%")]).failed is False
    assert gate(report, [gate_rule("regression:calls:5%")]).failed, "a metric that is named is looked at"


def test_less_cpu_time_outweighs_what_only_explains_it(sample: Report) -> None:
    assert not gate(of(sample, clean__cpu_us=better(0.8), callgrind__instructions=worse(1.1)), COST).failed
    assert not gate(of(sample, clean__cpu_beside_load=better(0.8), clean__cpu_us=worse(1.1)), COST).failed
    assert gate(of(sample, callgrind__instructions=better(0.8), clean__cpu_us=worse(1.1)), COST).failed
    assert gate(of(sample, clean__cpu_us=better(0.8), clean__rss=worse(1.1)), COST).failed, "memory is its own cost"


COST = [gate_rule("regression:cost")]


def test_the_study_file_has_a_gate_of_several_rules(tmp_path: Path) -> None:
    study = prepared(tmp_path, {"a": TARGET}, gate={"cost": "5%", "instructions": "0.5 %"}).study
    assert rules_of_study(study.gate) == ("regression:cost:5%", "regression:instructions:0.5%")
    with pytest.raises(ConfigError, match=r"profpipe\.toml:\d+:\d+: study\.s\.gate\.cost"):
        prepared(tmp_path, {"a": TARGET}, gate={"cost": "much"})


@pytest.mark.slow
def test_every_report_of_a_run_has_the_gate_of_the_run(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "reports", rounds=1)
    store.write_study(folder, replace(store.read_study(folder), gate=("regression:5%",)))
    first, again = (write_report(folder).report.gate for _ in range(2))
    assert first == again
    assert first is not None
    assert first.asked == ("regression:5%",)
