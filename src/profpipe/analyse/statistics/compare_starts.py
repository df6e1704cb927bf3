"""Is the contender better or worse, over starts: one Comparison per figure, of ratios that are pairs."""

from __future__ import annotations

import math

from profpipe.analyse.statistics.power import POWER_Z
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.statistics.significance import t_limit
from profpipe.analyse.statistics.starts import LEAST_STARTS, StartRatios, middle, ratio_over_starts
from profpipe.analyse.statistics.starts_rule import LEAST_FOR_A_VERDICT, call
from profpipe.model.report import Comparison, Series, Verdict
from profpipe.units import Better, percent


def compare_starts(
    base: Series, ratios: StartRatios, *, level: float, resolution: float, better: Better = "lower"
) -> Comparison:
    """Contender against baseline over starts; `level` = the chance of a false verdict that this one may take.

    `ratio` is the middle of the ratios of single starts, not a ratio of medians, and `delta` follows from it.
    """
    if not ratios.logs:
        return Comparison(verdict="cannot tell", why="no start has both the baseline and this variant", paired=True)
    over = ratio_over_starts(ratios)
    called = call(ratios, level, resolution)
    sure = called in {"costs more", "costs less"}
    return Comparison(
        verdict=_verdict(called, better),
        ratio=rounded(over.ratio, 6),
        low=None if over.low is None else rounded(over.low, 6),
        high=None if over.high is None else rounded(over.high, 6),
        delta=None if base.median is None else rounded(base.median * (over.ratio - 1)),
        significant=sure,
        relevant=sure,
        detectable=detectable(ratios, level),
        p=_p(ratios),
        why=_why(called, ratios, resolution, over.half_width),
        paired=True,
    )


def detectable(ratios: StartRatios, level: float) -> float | None:
    """The relative change that such starts show in eight of ten studies; None under LEAST_STARTS."""
    if len(ratios.logs) < LEAST_STARTS:
        return None
    _, error, freedom = middle(ratios.logs)
    return rounded(math.expm1((t_limit(level, freedom) + POWER_Z) * error), 4)


def undecided_by_control(found: Comparison, control: Comparison) -> Comparison:
    """The comparison of a contender in a study whose control, which cannot differ, was called."""
    off = percent(abs((control.ratio or 1) - 1), 2)
    why = f"the baseline's second copy differs from it by {off}, so that a difference may not be the variant's"
    return found.model_copy(update={"verdict": "cannot tell", "relevant": False, "why": why})


def _verdict(called: str, better: Better) -> Verdict:
    if called == "no change":
        return "no change"
    if called == "cannot tell":
        return "cannot tell"
    return "worse" if (called == "costs more") == (better == "lower") else "better"


def _why(called: str, ratios: StartRatios, resolution: float, half_width: float) -> str:
    many = f"{len(ratios.logs)} starts"
    if called == "no change":
        return f"any change is smaller than {percent(resolution, 2)}, over {many}"
    if math.isinf(half_width):
        return f"{many}; a ratio has an interval from {LEAST_STARTS} starts on"
    width = f"±{percent(half_width, 2)}"
    if len(ratios.logs) < LEAST_FOR_A_VERDICT:
        return f"over {many} the ratio is known within {width}; a verdict needs {LEAST_FOR_A_VERDICT} starts"
    if called == "cannot tell":
        return f"over {many} the ratio is known within {width}, and a change of {percent(resolution, 2)} matters"
    return f"over {many} the ratio is known within {width}"


def _p(ratios: StartRatios) -> float | None:
    if len(ratios.logs) < LEAST_STARTS:
        return None
    from scipy.special import stdtr

    centre, error, freedom = middle(ratios.logs)
    return rounded(2 * float(stdtr(freedom, -abs(centre) / error)), 3) if error else None
