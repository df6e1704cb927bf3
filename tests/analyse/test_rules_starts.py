"""What a report concludes from starts, and what it warns of."""

from __future__ import annotations

from typing import Any

import pytest

from profpipe.analyse.conclusions.facts import Facts
from profpipe.analyse.conclusions.interface import Rule
from profpipe.analyse.conclusions.rules.cost import cost
from profpipe.analyse.conclusions.rules.starts import (
    bursts,
    few_starts,
    idle,
    lost_starts,
    lottery,
    put_off,
    random_layouts,
)
from profpipe.model.report import Report
from tests.support.sample_report import document
from tests.support.sample_tables import CPU
from tests.support.slices_report import of_starts

BETWEEN = "clean:between_us"


def texts(rule: Rule, report: dict[str, Any]) -> list[str]:
    return [found.text for found in rule(Facts(Report.model_validate(report)))]


def named(report: dict[str, Any], variant: str) -> dict[str, Any]:
    return next(each for each in report["variants"] if each["id"] == variant)


@pytest.mark.parametrize("rule", [few_starts, random_layouts, lost_starts, lottery, put_off, bursts, idle])
def test_a_report_of_rounds_gives_no_rule_of_starts_anything_to_say(rule: Rule) -> None:
    assert texts(rule, document()) == []


@pytest.mark.parametrize("rule", [few_starts, random_layouts, put_off, bursts, idle])
def test_a_study_without_trouble_is_given_no_caution(rule: Rule) -> None:
    assert texts(rule, of_starts()) == []


def test_a_difference_is_given_in_per_cent_with_its_uncertainty_and_says_that_it_is_paired() -> None:
    found = next(text for text in texts(cost, of_starts()) if text.startswith("uvloop") and "compared start" in text)
    assert "less than threads, ±0.4 %" in found
    assert "95 % interval" in found


def test_no_change_says_what_a_change_is_smaller_than() -> None:
    found = next(text for text in texts(cost, of_starts()) if text.startswith("gevent and threads"))
    assert "a change, if any, is smaller than 0.5 %" in found


@pytest.mark.parametrize(("starts", "words"), [(1, "one start of"), (7, "7 starts of")])
def test_few_starts_are_a_caution(starts: int, words: str) -> None:
    report = of_starts()
    report["study"]["slices"]["starts"] = starts
    assert words in texts(few_starts, report)[0]


def test_eight_starts_are_enough() -> None:
    report = of_starts()
    report["study"]["slices"]["starts"] = 8
    assert texts(few_starts, report) == []


def test_refused_layouts_are_a_caution() -> None:
    report = of_starts()
    report["study"]["slices"]["fixed_layouts"] = False
    assert "does not let a program choose where its memory lies" in texts(random_layouts, report)[0]


def test_lost_starts_name_the_variant_and_the_reason() -> None:
    assert texts(lost_starts, of_starts()) == [
        "1 of 25 starts is lost for all variants because of gevent (slices: it ended with signal SIGSEGV under load)."
    ]


def test_a_variant_that_lost_too_many_starts_is_named() -> None:
    report = of_starts()
    report["study"]["slices"]["left_out"] = [{"target": "gevent", "reason": "it hangs (in 3 starts)"}]
    assert texts(lost_starts, report)[0] == "gevent was left out of the starts: it hangs (in 3 starts)."


def test_a_lottery_larger_than_the_difference_is_a_caution() -> None:
    report = of_starts()
    variant = named(report, "uvloop")
    variant["lottery"][CPU] |= {"low": 10.0, "high": 13.0}
    variant["against_baseline"][CPU] |= {"ratio": 0.9}
    found = texts(lottery, report)
    assert any(text.startswith("uvloop costs 10 µs to 13 µs from start to start") for text in found)


def test_a_lottery_smaller_than_the_difference_is_none() -> None:
    report = of_starts()
    for variant in report["variants"]:
        variant["lottery"][CPU] |= {"low": 10.0, "high": 10.01}
    assert texts(lottery, report) == []


def test_work_put_off_is_a_caution_with_the_ratio_of_the_whole() -> None:
    report = of_starts()
    for name, between in (("threads", 0.0), ("asyncio-protocol", 0.5)):
        cpu = named(report, name)["figures"][CPU]["median"]
        named(report, name)["figures"][BETWEEN] = {"values": [between * cpu], "median": between * cpu}
    found = texts(put_off, report)
    assert len(found) == 1
    assert "uses 50 % more CPU time than its figure says, between its slices" in found[0]
    assert "With it on both sides it costs" in found[0]


def test_cost_in_bursts_is_a_caution() -> None:
    report = of_starts()
    named(report, "uvloop")["lottery"][CPU]["mean_over_median"] = 1.2
    assert texts(bursts, report)[0].startswith("uvloop costs 20 % more in the mean of its slices than in their median")


def test_a_server_that_polls_is_a_finding() -> None:
    report = of_starts()
    named(report, "uvloop")["idle_cpu"] = 0.03
    assert texts(idle, report) == [
        "CPU time without any request, of one processor: uvloop 3.0 %. Something polls or runs on a timer."
    ]
