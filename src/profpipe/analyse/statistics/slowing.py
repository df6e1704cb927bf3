"""Whether a variant became slower while the others of its start did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# A growing table or list shows as steady growth of every slice. What the machine does comes in spells, also of some
# hundred slices, but the cheapest slices of a spell cost what they did before.
GROWTH = 0.20
BLOCKS = 5
LEAST_SLICES = 60
CHEAPEST = 0.10


def slower_at_the_end(slices: Mapping[str, Sequence[int]]) -> tuple[str, str] | None:
    """The variant that grew most and the reason in words, None where none did.

    `slices` holds the cost of every slice by variant, in order. A variant has grown when the medians of five blocks
    rise one after the other, and its cheapest slices cost more by GROWTH at the end than at the beginning, by
    themselves and after what the median of the other variants grew by.
    """
    if len(slices) < 2 or min(map(len, slices.values())) < LEAST_SLICES:
        return None
    growth, rising = {}, set()
    for name, costs in slices.items():
        blocks = np.array_split(np.array(costs, dtype=np.float64), BLOCKS)
        growth[name] = float(np.quantile(blocks[-1], CHEAPEST) / max(np.quantile(blocks[0], CHEAPEST), 1.0))
        if (np.diff([np.median(block) for block in blocks]) > 0).all():
            rising.add(name)
    name = max(growth, key=lambda each: growth[each])
    others = float(np.median([value for other, value in growth.items() if other != name]))
    if name not in rising or growth[name] < 1 + GROWTH or growth[name] / others < 1 + GROWTH:
        return None
    return name, (
        f"it became slower within the start: its last requests cost {growth[name]:.2f} times its first, while the "
        f"others' cost {others:.2f} times theirs"
    )
