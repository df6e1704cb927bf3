"""Globs of category rules."""

from __future__ import annotations

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from profpipe.study.globs import glob

NAMES = st.text(alphabet=string.ascii_lowercase[:3] + ".*", max_size=8)


@given(NAMES, NAMES.map(lambda name: name.replace("*", "")))
def test_a_star_matches_any_text_and_other_characters_themselves(pattern: str, name: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None
    assert (glob(pattern).match(name) is not None) is expected
