"""An untrusted report that was measured by slices: verdicts follow from its starts, at the target's resolution."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from profpipe.analyse.judge_again import judge_again
from profpipe.analyse.statistics.series import series
from profpipe.model.report import Report
from tests.support.slices_report import of_starts

CPU = "clean:cpu_us"


def report(ratio: float, **slices: Any) -> Report:
    """The sample of slices, whose first contender costs `ratio` times the baseline in every start, but for 0.2 %."""
    data = of_starts()
    data["study"]["slices"] |= slices
    base, other = data["variants"][:2]
    values = [v * ratio * (1.002 if n % 2 else 0.998) for n, v in enumerate(base["figures"][CPU]["values"])]
    other["figures"][CPU] = copy.deepcopy(base["figures"][CPU]) | {"values": values}
    for variant in data["variants"]:  # the sample's medians are invented
        for figure in variant["figures"].values():
            figure["median"] = series(figure.get("values", ())).median
    return Report.model_validate(data)


@pytest.mark.parametrize(("ratio", "verdict"), [(1.2, "worse"), (0.8, "better"), (1.0, "no change")])
def test_pairs_of_starts_decide(ratio: float, verdict: str) -> None:
    again = judge_again(report(ratio)).variants[1].against_baseline[CPU]
    assert again.verdict == verdict
    assert again.ratio == pytest.approx(ratio, rel=0.002)


@pytest.mark.parametrize("slices", [{"resolution": 0.9}, {"alpha": 1e-9}, {"planned": list(range(8, 400))}])
def test_what_the_report_says_of_its_rule_hides_nothing(slices: dict[str, Any]) -> None:
    assert judge_again(report(1.2, **slices)).variants[1].against_baseline[CPU].verdict in ("worse", "cannot tell")
