"""When a counted window begins: servers write the time, and what that costs depends on when they do it.

A server that keeps the Date line for a second formats it once or twice in a window of a second and a half, depending on
where in the second the window begins (tests/data/aa: 0.27 % of a small C server's instructions). One that formats it
for every response may take another path for numbers under ten (hyper 0.10: 159 instructions a request, 1.2 %, in the
first seconds of a minute). Counts that begin at the same point of the clock repeat better, and no server is changed.
"""

from __future__ import annotations

import math
from typing import Literal, cast, get_args

from profpipe.errors import UsageError

StartAt = Literal["second", "minute", "any"]
# Seconds of a minute in which a window of the `minute` kind may begin: not before they have two digits, and early
# enough that a window of ten seconds ends with two digits.
FIRST, LAST = 10, 49


def start_at(value: str | int | float | bool) -> StartAt:
    """A study's option, checked. Raises UsageError for anything else."""
    if value in get_args(StartAt):
        return cast("StartAt", value)
    raise UsageError(f"callgrind: start_at is one of {', '.join(get_args(StartAt))}, not {value!r}")


def pause(now: float, begin: StartAt) -> float:
    """Seconds from `now` (seconds since the epoch) until a window may begin; 0.0 for any time.

    second: when the next second begins. minute: the same, in seconds 10 to 49 of a minute. Under a second, or 21 s.
    """
    if begin == "any":
        return 0.0
    whole = math.ceil(now)
    if begin == "minute" and not FIRST <= whole % 60 <= LAST:
        whole += (FIRST - whole) % 60
    return whole - now
