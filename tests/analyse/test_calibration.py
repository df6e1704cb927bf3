"""A/A reports say how wide the noise is and how often a verdict is false, with an interval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from profpipe.analyse import build_report
from profpipe.analyse.conclusions.conclude import resolve
from profpipe.analyse.statistics.calibration import calibrate, false_verdicts, share_interval
from profpipe.model.report import Report
from tests.support.analyse_cases import RunData, clean_run, native, record, study

FACTS = {"machine": "a test", "study": "aa", "created": "2026-01-02T03:04:05Z"}


def aa(factor: float = 1.0, rows: int = 0) -> Report:
    """Two equal variants; `factor` on the CPU time of the second, `rows` more instructions in one of its functions."""
    runs = [
        clean_run(v, i, 10 * (1 + 0.004 * (i * 5 % 7)) * (factor if v == "b" else 1.0), 0.25, 1.5)
        for v in "ab"
        for i in range(1, 8)
    ]
    for v in "ab":
        more = rows if v == "b" else 0
        for i in (1, 2, 3):
            profile = native({"run": 1_000_000 + 40 * i, "memcpy": 500_000 + more, "write": 700_000 - more})
            runs.append(RunData(record(v, "callgrind", i), (profile,)))
    return build_report(study(runs))


@pytest.mark.slow
def test_an_aa_report_without_a_verdict_has_nothing_false() -> None:
    assert false_verdicts(aa()) == ()


def test_every_false_verdict_is_found_where_it_stands() -> None:
    report = aa(1.2, 50_000)
    paths = false_verdicts(report)
    assert "variants.1.against_baseline.clean:cpu_us" in paths
    assert any(".functions." in path for path in paths)
    document = report.model_dump(mode="json", by_alias=True)
    assert {resolve(document, f"{path}.verdict") for path in paths} <= {"better", "worse"}


def test_a_calibration_counts_reports_not_verdicts() -> None:
    found = calibrate([aa(), aa(1.2, 50_000), aa(), aa()], **FACTS)
    assert (found.comparisons, found.false_verdicts) == (4, 1)
    assert found.low == pytest.approx(0.0063, abs=1e-4)
    assert found.high == pytest.approx(0.8059, abs=1e-4)


def test_the_interval_is_clopper_pearsons() -> None:
    """0 of 200: the upper end solves (1 - p)^200 = 0.025."""
    low, high = share_interval(0, 200)
    assert low == 0
    assert (1 - high) ** 200 == pytest.approx(0.025)


def test_the_sd_is_that_of_pairs_and_a_constant_offset_counts_as_noise() -> None:
    assert calibrate([aa()], **FACTS).sd["clean:cpu_us"] == 0
    assert calibrate([aa(1.1), aa(1 / 1.1)], **FACTS).sd["clean:cpu_us"] == pytest.approx(0.0956, abs=1e-3)


def test_without_a_report_nothing_is_known() -> None:
    with pytest.raises(ValueError, match="at least one"):
        calibrate([], **FACTS)


def test_a_later_report_is_judged_by_the_calibration_it_is_given_and_carries_it() -> None:
    runs = [clean_run(v, i, cost + 0.01 * i, 0.25, 1.5) for v, cost in (("a", 10.0), ("b", 10.6)) for i in range(1, 8)]
    quiet = study(runs)
    noisy = calibrate([aa(1.15), aa(1 / 1.15)], **FACTS)
    assert build_report(quiet).variants[1].against_baseline["clean:cpu_us"].verdict == "worse"
    later = build_report(replace(quiet, calibration=noisy))
    assert later.variants[1].against_baseline["clean:cpu_us"].verdict == "cannot tell"
    assert later.calibration == noisy
