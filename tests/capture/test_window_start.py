"""When a counted window may begin, within the second and the minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.capture.profilers.callgrind.window_start import FIRST, LAST, StartAt, pause, start_at
from profpipe.errors import UsageError

MINUTE = 1_800_000_000.0  # a whole minute since the epoch


@pytest.mark.parametrize(
    ("begin", "now", "waits"),
    [
        ("any", 0.25, 0.0),
        ("second", 0.25, 0.75),
        ("second", 59.5, 0.5),
        ("second", 7.0, 0.0),
        ("minute", 0.0, 10.0),
        ("minute", 9.5, 0.5),
        ("minute", 12.25, 0.75),
        ("minute", 49.0, 0.0),
        ("minute", 49.25, 20.75),
        ("minute", 59.5, 10.5),
    ],
)
def test_a_window_waits_for_its_second(begin: StartAt, now: float, waits: float) -> None:
    assert pause(MINUTE + now, begin) == waits


@given(now=st.floats(1e9, 4e9), begin=st.sampled_from(["second", "minute"]))
def test_the_pause_is_bounded_and_ends_where_a_window_may_begin(now: float, begin: StartAt) -> None:
    wait = pause(now, begin)
    assert 0 <= wait < (1 if begin == "second" else 21)
    second = round(now + wait)
    assert abs(now + wait - second) < 1e-5
    assert begin == "second" or FIRST <= second % 60 <= LAST


def test_another_word_is_refused() -> None:
    with pytest.raises(UsageError, match="start_at is one of second, minute, any, not 'hour'"):
        start_at("hour")
