"""Every sentence of every report that the tests have says what its own tables say."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from profpipe.analyse import build_report
from profpipe.analyse.conclusions.conclude import conclude
from profpipe.analyse.conclusions.registry import RULES
from profpipe.model.report import Report
from profpipe.model.upgrade import validated_report
from tests.support.analyse_cases import concurrency
from tests.support.paths import DATA, ROOT
from tests.support.random_studies import random_commits, random_study
from tests.support.seed_cases import seed_report
from tests.support.sentence_checks import CHECKS, wrong
from tests.support.slices_report import sample_of_starts

STORED = sorted(
    (*ROOT.glob("reports/examples/*/report.json"), *DATA.glob("report/*.json"), *DATA.glob("analyse/*.json"))
)


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_of_the_stored_reports(path: Path) -> None:
    report = validated_report(path.read_bytes())
    assert wrong(report.model_copy(update={"conclusions": conclude(report)})) == []


@cache
def of_real_captures() -> Report:
    return build_report(concurrency(("threads", "gevent"), counted=2))


@pytest.mark.slow
def test_of_the_studies_from_real_captures() -> None:
    assert wrong(of_real_captures()) == []
    assert wrong(seed_report()) == []


def test_of_a_study_over_starts() -> None:
    report = sample_of_starts()
    said = conclude(report)
    assert {"ranking", "cost", "lottery"} <= {c.rule for c in said}
    assert wrong(report.model_copy(update={"conclusions": said})) == []


@pytest.mark.parametrize("seed", range(6))
def test_of_random_studies(seed: int) -> None:
    assert wrong(random_study(seed)) == []


@pytest.mark.slow
def test_of_random_commits() -> None:
    assert [fault for seed in range(30) for fault in wrong(random_commits(seed))] == []


def test_every_rule_is_checked() -> None:
    assert set(RULES.builtin) - {"lost-starts"} <= set(CHECKS)  # that one says what `lost` and `left-out` say


# What turns a true sentence into a false one: a direction, a share.
SWAPPED = {
    r"(makes .*) more( than|,|$)": r"\1 fewer\2",
    r"(costs|takes) (\S+ %) more": r"\1 \2 less",
    "costs least": "costs most",
    "adds": "saves",
    "spends more than": "saves against",
    "saves against": "spends more than",
    "became more expensive": "became cheaper",
    "became cheaper": "became more expensive",
    "and still costs less": "and still costs more",
    "explains (\\d)": "explains 4\\1",
    "explain (\\d)": "explain 4\\1",
    "(\\d+) % of": "4\\1 % of",
    "most of the difference in": "1.31 of them in",
    "of them in": "of them made by the Python function",
}


@pytest.mark.parametrize("made", [of_real_captures, lambda: random_study(3), lambda: random_commits(2)])
def test_a_sentence_that_is_made_false_is_found(made: Callable[[], Report]) -> None:
    report = made()
    for conclusion in report.conclusions:
        for pattern, other in SWAPPED.items():
            text = re.sub(pattern, other, conclusion.text, count=1)
            changed = conclusion.model_copy(update={"text": text})
            assert (text == conclusion.text) or wrong(report.model_copy(update={"conclusions": (changed,)})), text
