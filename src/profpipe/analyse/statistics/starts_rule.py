"""When a study by slices ends, and what its ratios are called: fixed before the first start.

Starts are added until every contender is decided: it costs more, it costs less, or it differs by less than the
resolution. One whose cost differs by about the resolution is given up when its interval is half as wide as that.
Looking often would find a difference everywhere, so looks are fixed beforehand (looks.py) and each may spend an equal
part of the report's chance of a false verdict, shared by the contenders.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from profpipe.analyse.statistics.looks import level, looks
from profpipe.analyse.statistics.starts import LEVEL, StartRatios, interval
from profpipe.model.report import ALPHA
from profpipe.units import percent

Call = Literal["costs more", "costs less", "no change", "cannot tell"]
FIRST_LOOK = 8
# Three starts can agree by chance: both false verdicts of 300 A/A comparisons rested on three starts, and none of the
# 130 comparisons with five or more was false (docs/statistics.md).
LEAST_FOR_A_VERDICT = 5
RESOLUTION = 0.01
# Of its budget, for a verdict that the next starts bring: without them those before were for nothing.
MOST_OVER = 1.3


@dataclass(frozen=True, slots=True)
class StartsRule:
    """The rule of one study: `looks` = starts after which it is looked at, `alpha` = false verdicts per study.

    `resolution` = the smallest change that matters, relative: 0.01 = 1 %.
    """

    looks: tuple[int, ...]
    contenders: int
    resolution: float = RESOLUTION
    alpha: float = ALPHA

    def level(self, starts: int) -> float:
        """The chance of a false verdict that the look after `starts` starts may take for one contender.

        After a number that is no look (a budget that ended early) it is that of any look: one look is then unspent.
        """
        look = starts if starts in self.looks else self.looks[-1]
        return level(look, self.looks, self.alpha) / max(self.contenders, 1)

    @property
    def words(self) -> str:
        """For the report."""
        planned = ", ".join(map(str, self.looks))
        return (
            f"looks fixed beforehand after {planned} starts, each contender at "
            f"{percent(self.level(self.looks[0]), 3)}; starts are added until every verdict is decided or its 95 % "
            f"interval is within ±{percent(self.resolution / 2, 2)}"
        )


def plan_rule(most: int, contenders: int, resolution: float = RESOLUTION, alpha: float = ALPHA) -> StartsRule:
    """For a study whose budget allows `most` starts. Raises ValueError where that is none or the resolution is 0."""
    if resolution <= 0:
        raise ValueError(f"a resolution of {resolution} cannot be reached: give a share above 0, such as 0.01")
    return StartsRule(looks(min(FIRST_LOOK, most), most), contenders, resolution, alpha)


def reaches_verdict(good: int, start_s: float, left_s: float, budget_s: float) -> bool:
    """Whether a verdict is within reach after `good` starts, if starts may take MOST_OVER of their budget.

    The answer rests on time alone, so that it favours no verdict.
    """
    return (LEAST_FOR_A_VERDICT - good) * start_s <= left_s + (MOST_OVER - 1) * budget_s


def call(ratios: StartRatios, level: float, resolution: float) -> Call:
    """The verdict of one contender at this level.

    "no change" = the 95 % interval lies within the resolution, so a change is smaller than that. A difference is
    called where the interval at `level` leaves out 1. Fewer than LEAST_FOR_A_VERDICT starts have no verdict.
    """
    if len(ratios.logs) < LEAST_FOR_A_VERDICT:
        return "cannot tell"
    bounds, usual = interval(ratios.logs, level), interval(ratios.logs, 1 - LEVEL)
    if bounds is None or usual is None:
        return "cannot tell"
    if bounds[0] > 0:
        return "costs more"
    if bounds[1] < 0:
        return "costs less"
    reach = math.log1p(resolution)
    return "no change" if -reach <= usual[0] and usual[1] <= reach else "cannot tell"


def narrow(ratios: StartRatios, resolution: float) -> bool:
    """Whether the 95 % interval is as narrow as the resolution asks."""
    usual = interval(ratios.logs, 1 - LEVEL)
    return usual is not None and (usual[1] - usual[0]) / 2 <= math.log1p(resolution)


def ends(rule: StartsRule, ratios: Sequence[StartRatios], starts: int, *, precise: bool = False) -> bool:
    """Whether the study ends at the look after `starts` starts; False where that is no look.

    `precise` = a decided verdict is not enough: its interval must be as narrow as the resolution.
    """
    if starts not in rule.looks:
        return False
    level, resolution = rule.level(starts), rule.resolution
    return all(
        (call(each, level, resolution) != "cannot tell" or narrow(each, resolution / 2))
        and (not precise or narrow(each, resolution))
        for each in ratios
    )


def calls(rule: StartsRule, ratios: Sequence[StartRatios], control: StartRatios) -> Mapping[str, Call]:
    """The verdict of every contender; "cannot tell" for all where the control, which cannot differ, was called."""
    starts = len(control.logs)
    level = rule.level(starts)
    if call(control, level, rule.resolution) in {"costs more", "costs less"}:
        return dict.fromkeys((each.variant for each in ratios), "cannot tell")
    return {each.variant: call(each, level, rule.resolution) for each in ratios}
