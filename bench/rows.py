"""Statistics of one table: 5,000 functions over 10 rounds a side, sampled and counted. Promise: under 2 s of CPU."""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from profpipe.analyse.statistics.compare_functions import compare_rows
from profpipe.analyse.statistics.medians import median_intervals
from profpipe.analyse.statistics.rule import FLOOR_COUNTED, FLOOR_TIMED, Rule

FUNCTIONS, ROUNDS, REPEATS, LIMIT_S = 5000, 10, 5, 2.0


def main() -> int:
    rng = np.random.default_rng(1)
    sizes = np.full(FUNCTIONS, 100.0)
    base, other, control = (sizes[:, None] * rng.normal(1, 0.02, (FUNCTIONS, ROUNDS)) for _ in range(3))
    taken: dict[str, list[float]] = {}
    for rule in (Rule("timed", FLOOR_TIMED), Rule("counted", FLOOR_COUNTED)):
        for _ in range(REPEATS):
            started = time.process_time()
            for side in (base, other):
                median_intervals(side)
            # As if each were a hundredth of the total: smaller ones are not tested, and here all shall be.
            compare_rows(base, other, rule, 1e4, control)
            taken.setdefault(rule.kind, []).append(time.process_time() - started)
    broken = False
    for kind, seconds in taken.items():
        broken |= statistics.median(seconds) >= LIMIT_S
        spread = f"{min(seconds):.3f} to {max(seconds):.3f} over {REPEATS} repeats, the first with scipy's import"
        print(
            f"{FUNCTIONS:,} functions x {ROUNDS} rounds, {kind:<8} {statistics.median(seconds):.3f} s of CPU ({spread})"
        )
    return broken


if __name__ == "__main__":
    sys.exit(main())
