"""How a figure is judged: the smallest change that counts, what its repeats differ by, and which test decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from profpipe.units import SYSCALLS, Better, Instrument

# The smallest relative change that is reported. CPU time of the same server differs by 0.4-0.9 % between processes and
# by up to 1.8 % in one pair; a fixed count of requests repeats within 0.15 % in instructions.
FLOOR_COUNTED = 0.003
FLOOR_TRACED = 0.02
FLOOR_TIMED = 0.02
# What repeats of a count are known to differ by before any is seen, and how many rounds that knowledge is worth: two
# rounds that agree by chance do not prove a count without noise. 2,000 requests to three servers: sd 0.03 to 0.13 % of
# instructions, but up to 2.4 % of system calls, which depend on how many requests wait when the server looks.
PRIOR_SD = 0.0003
PRIOR_SD_SYSCALLS = 0.02
PRIOR_SD_TRACED = 0.002
PRIOR_ROUNDS = 4

Test = Literal["counted", "timed"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`kind` names the test: repeat noise (counted) or ranks (timed). `floor` = the smallest relative change.

    `prior` = relative sd that repeats of a count have by experience.
    """

    kind: Test
    floor: float
    better: Better = "lower"
    prior: float = PRIOR_SD


def rule_for(instrument: Instrument, better: Better = "lower", metric: str = "") -> Rule:
    """Counts are judged against repeat noise, everything timed or sampled by a rank test."""
    match instrument:
        case "counted":
            return Rule("counted", FLOOR_COUNTED, better, PRIOR_SD_SYSCALLS if metric == SYSCALLS.key else PRIOR_SD)
        case "traced":
            return Rule("counted", FLOOR_TRACED, better, PRIOR_SD_TRACED)
        case _:
            return Rule("timed", FLOOR_TIMED, better)
