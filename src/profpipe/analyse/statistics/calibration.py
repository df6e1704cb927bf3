"""How wide a machine's noise is and how often a verdict is false, from reports that compare a commit with itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from profpipe.analyse.statistics.medians import LEVEL
from profpipe.analyse.statistics.series import rounded, valid
from profpipe.model.report import Calibration, Report, Series

CALLED = ("better", "worse")


def false_verdicts(report: Report) -> tuple[str, ...]:
    """Where an A/A report says better or worse: paths of figures, categories and functions of its contenders.

    The control is none of them: it is the same comparison, shown as the report's noise and not as a difference.
    """
    found = []
    for i, variant in enumerate(report.variants):
        if variant.role == "contender":
            found += [
                f"variants.{i}.against_baseline.{key}"
                for key, comparison in variant.against_baseline.items()
                if comparison.verdict in CALLED
            ]
    for i, table in enumerate(report.hotspots):
        for j, category in enumerate(table.rows):
            rows = [(f"hotspots.{i}.rows.{j}", category.cells)]
            rows += [(f"hotspots.{i}.rows.{j}.functions.{k}", f.cells) for k, f in enumerate(category.functions)]
            found += [f"{path}.cells.{v}" for path, cells in rows for v, c in cells.items() if c.verdict in CALLED]
    return tuple(found)


def calibrate(reports: Sequence[Report], *, machine: str, study: str, created: str) -> Calibration:
    """What A/A reports say together. Every contender of `reports` must be the baseline under another name.

    Raises ValueError without a report: nothing is known then.
    """
    if not reports:
        raise ValueError("no A/A report: a calibration needs at least one")
    wrong = sum(bool(false_verdicts(report)) for report in reports)
    low, high = share_interval(wrong, len(reports))
    return Calibration(
        created=created,
        machine=machine,
        study=study,
        comparisons=len(reports),
        false_verdicts=wrong,
        low=rounded(low, 4),
        high=rounded(high, 4),
        sd=pair_sds(reports),
    )


def share_interval(hits: int, of: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper-Pearson interval of a share: never too narrow, also for 0 of 200 (0 to 1.8 %)."""
    from scipy.stats import binomtest

    found = binomtest(hits, of).proportion_ci(confidence_level=level, method="exact")
    return float(found.low), float(found.high)


def pair_sds(reports: Sequence[Report]) -> dict[str, float]:
    """Metric -> sd of the ratio of one pair of rounds of the same commit, pooled over all reports.

    A pair is one round of the baseline with the same round of a contender or of the control. Within a report the
    mean ratio is not taken out: that the second of two equal variants always costs more is noise as well.
    """
    ratios: dict[str, list[float]] = {}
    for report in reports:
        base = next((v for v in report.variants if v.role == "baseline"), None)
        if base is None:
            continue
        for variant in (v for v in report.variants if v.role != "baseline"):
            for metric in report.metrics:
                key = metric.key
                pair = base.figures.get(key, Series()), variant.figures.get(key, Series())
                ratios.setdefault(key, []).extend(_ratios(*pair))
    return {key: rounded(_spread(found), 4) for key, found in ratios.items() if len(found) > 1}


def _ratios(base: Series, other: Series) -> list[float]:
    if not len(valid(base)) or not len(valid(other)):
        return []
    return [o / b for b, o in zip(base.values, other.values, strict=False) if b and o is not None]


def _spread(ratios: Sequence[float]) -> float:
    return math.sqrt(float(np.square(np.array(ratios) - 1).mean()))
