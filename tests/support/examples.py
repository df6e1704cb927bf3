"""How many examples a property is tried on."""

from __future__ import annotations

from hypothesis import settings

QUICK = "quick"


def examples(count: int) -> int:
    """`count`, and a tenth of it under `make quick`, which is for a first answer."""
    return count if settings.get_current_profile_name() != QUICK else max(5, count // 10)
