"""How one value becomes text: shares, signs, anchors, cuts and limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.characters import visible
from profpipe.model.report import Limit, Series
from profpipe.render.text import anchor, chip, cut, limit_words, per_what, position, share, signed_amount, spread
from tests.support.sample_report import sample


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "0 %"), (0.0004, "<0.1 %"), (0.089, "8.9 %"), (1.3, "130 %"), (-0.036, "−3.6 %")],
)
def test_shares(value: float | None, text: str) -> None:
    assert share(value) == text


def test_small_texts() -> None:
    assert signed_amount(0.0, "1") == "0"
    assert signed_amount(-48.2, "us") == "−48.2 µs"
    assert per_what("CPU time per request") == ("CPU time", "per request")
    assert per_what("peak memory") == ("peak memory", "")
    assert anchor("hot", "callgrind:instructions", "a/b c") == "hot-callgrind-instructions-a-b-c"
    assert (chip("better", 0.8).sign, chip("better", 1.3).sign) == ("▼", "▲")  # type: ignore[union-attr]
    assert position(5.0, 5.0, 5.0) == 500


@given(st.text(max_size=60))
def test_visible_text_holds_nothing_that_cannot_be_seen(text: str) -> None:
    shown = visible(text)
    assert all(
        c.isprintable()
        or c in "\u3000\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
        or not c.isascii()
        for c in shown
    )
    assert not any(c in shown for c in "\x00\x1b\n\r\u202e\u200b\u2028\ufeff\ud800")
    assert visible("abc::def<T>") == "abc::def<T>"


def test_a_long_text_is_cut_where_it_says() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert visible("x" * 500) == "x" * 400 + "…"


def test_a_limit_names_its_variants_unless_it_applies_to_all() -> None:
    report = sample()
    ids = tuple(v.id for v in report.variants if v.role != "control")
    assert limit_words(report, Limit(profiler="callgrind", text="blind", variants=ids)) == "blind"
    assert limit_words(report, Limit(profiler="callgrind", text="blind", variants=ids[:1])).endswith(")")


@pytest.mark.parametrize(
    ("values", "cv", "text"),
    [
        ((1.0, 2.0), 0.008, "2 rounds, cv 0.80 %"),
        ((1.0, None), 0.02, "1 of 2 rounds, cv 2.0 %"),
        ((1.0,), None, "1 round"),
    ],
)
def test_a_series_says_how_many_rounds_are_known(values: tuple[float | None, ...], cv: float | None, text: str) -> None:
    assert spread(Series(values=values, median=1.0, cv=cv)) == text
