"""Whether a function is called equally often in two variants."""

from __future__ import annotations

# Calls per request that repeat within this are equally many: a part of them, or of one call.
SAME_CALLS = 0.01


def same_calls(before: float, after: float) -> bool:
    """Whether a function is called equally often; also where calls are not counted."""
    return not abs(after - before) > max(SAME_CALLS * before, SAME_CALLS)
