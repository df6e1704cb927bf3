"""Whether a variant became slower while the others of its start did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# A leak or a growing table shows as steady growth; what the machine does falls on all variants alike.
GROWTH = 0.20
LEAST_SLICES = 12


def slower_at_the_end(slices: Mapping[str, Sequence[int]]) -> tuple[str, str] | None:
    """The variant that grew most and the reason in words, None where none did.

    `slices` holds the cost of every slice by variant, in order. A variant has grown when the median of its last third
    is over that of its first third by GROWTH, by itself and after what the median variant grew by.
    """
    growth = {}
    for name, costs in slices.items():
        third = len(costs) // 3
        if len(costs) < LEAST_SLICES:
            return None
        growth[name] = float(np.median(costs[-third:]) / max(np.median(costs[:third]), 1.0))
    if len(growth) < 2:
        return None
    name = max(growth, key=lambda each: growth[each])
    others = float(np.median([value for other, value in growth.items() if other != name]))
    if growth[name] < 1 + GROWTH or growth[name] / others < 1 + GROWTH:
        return None
    return name, (
        f"it became slower within the start: its last requests cost {growth[name]:.2f} times its first, while the "
        f"others' cost {others:.2f} times theirs"
    )
