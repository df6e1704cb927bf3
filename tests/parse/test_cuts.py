"""A capture that was cut: an error, `partial`, a warning, or a stated reason why its format cannot show it.

`python -m tests.support.cuts` cuts every capture after every byte; here are some cuts of the small ones.
"""

from __future__ import annotations

import pytest

from profpipe.parse import PARSERS
from tests.support.cuts import UNSEEN, sweep
from tests.support.fuzz import captures

FORMATS = [name for name in PARSERS.builtin if captures(name)]


@pytest.mark.parametrize("name", FORMATS)
def test_no_cut_is_taken_for_a_whole_capture(name: str) -> None:
    found, faults = sweep(name, most=9, largest=20_000)
    assert faults == []
    assert not found["FAULT"]


def test_the_reasons_are_of_formats_that_exist() -> None:
    assert set(UNSEEN) <= set(FORMATS)
