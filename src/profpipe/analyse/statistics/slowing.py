"""Whether a variant became slower while the others of its start did not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

# A growing table or list shows as steady growth of every slice. What the machine does comes in spells, also of some
# hundred slices, but the cheapest slices of a spell cost what they did before.
GROWTH = 0.20
LEAST_STEP = 0.02
BLOCKS = 5
LEAST_SLICES = 60
CHEAPEST = 0.10


def slower_at_the_end(slices: Mapping[str, Sequence[int]]) -> tuple[str, str] | None:
    """The variant that grew most and the reason in words, None where none did.

    `slices` holds the cost of every slice by variant, in the order of the passes. A variant has grown when in each of
    five blocks its cost over the others' of the same pass, and its cheapest slices, are higher than in the block
    before, and both by GROWTH in all.
    """
    if len(slices) < 2 or min(map(len, slices.values())) < LEAST_SLICES:
        return None
    costs = {name: np.maximum(np.array(values, dtype=np.float64), 1.0) for name, values in slices.items()}
    growth: dict[str, tuple[float, float]] = {}
    for name, mine in costs.items():
        others = np.median([values for other, values in costs.items() if other != name], axis=0)
        relative = [float(np.median(block)) for block in np.array_split(mine / others, BLOCKS)]
        cheapest = [float(np.quantile(block, CHEAPEST)) for block in np.array_split(mine, BLOCKS)]
        if min(_steps(relative)) > LEAST_STEP and min(_steps(cheapest)) > LEAST_STEP / 2:
            growth[name] = relative[-1] / relative[0], cheapest[-1] / cheapest[0]
    grown = {name: both for name, both in growth.items() if min(both) >= 1 + GROWTH}
    if not grown:
        return None
    name = max(grown, key=lambda each: grown[each])
    return name, (
        f"it became slower within the start: its cheapest requests cost {grown[name][1]:.2f} times as much at the end "
        f"as at the beginning, and {grown[name][0]:.2f} times as much when compared with the other variants"
    )


def _steps(values: Sequence[float]) -> list[float]:
    """Relative growth from each value to the next."""
    return [after / before - 1 for before, after in itertools.pairwise(values)]
