"""How a step of a bisect is measured, and what its commit is called."""

from __future__ import annotations

import pytest

from profpipe.commits.bisect import BAD, GOOD, SKIP
from profpipe.model.report import Comparison, Report
from profpipe.pipeline.commits.bisect import Regression, judge_commit, step_options
from profpipe.pipeline.prepare.options import RunOptions
from tests.support.paths import SAMPLE_REPORT

CPU = "clean:cpu_us"
WANTED = Regression("cpu_us", 0.10)


@pytest.fixture(scope="module")
def sample() -> Report:
    return Report.model_validate_json(SAMPLE_REPORT.read_bytes())


def with_cpu(report: Report, found: Comparison) -> Report:
    last = [v for v in report.variants if v.role == "contender"][-1]
    new = last.model_copy(update={"against_baseline": {**last.against_baseline, CPU: found}})
    return report.model_copy(update={"variants": tuple(new if v is last else v for v in report.variants)})


def test_an_interval_under_the_limit_is_good_though_the_verdict_is_open(sample: Report) -> None:
    found = Comparison(verdict="cannot tell", ratio=1.01, low=0.99, high=1.03, paired=True, why="±1.6 %")
    assert judge_commit(with_cpu(sample, found), WANTED)[0] == GOOD
    wide = found.model_copy(update={"high": 1.12})
    assert judge_commit(with_cpu(sample, wide), WANTED)[0] == SKIP
    rounds = found.model_copy(update={"paired": False})
    assert judge_commit(with_cpu(sample, rounds), WANTED)[0] == SKIP
    worse = Comparison(verdict="worse", ratio=1.14, low=1.12, high=1.16, paired=True)
    assert judge_commit(with_cpu(sample, worse), WANTED)[0] == BAD


def test_a_step_measures_what_it_looks_for_and_no_more_exactly_than_that(sample: Report) -> None:
    found = step_options(sample, WANTED, RunOptions())
    assert (found.profilers, found.budget, found.resolution) == (("clean",), 30.0, 0.05)
    own = RunOptions(profilers=("clean", "callgrind"), budget=5.0, resolution=0.01)
    assert step_options(sample, WANTED, own) == own
    assert step_options(sample, Regression("instructions", 0.02), RunOptions()).profilers == ("callgrind",)
