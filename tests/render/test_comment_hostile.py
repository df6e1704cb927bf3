"""A thousand generated names in every place of a comment: shown as text, and nothing a forge would act on."""

from __future__ import annotations

import html
import re

import pytest

from profpipe.render.comment.markdown import LIMIT, render_comment
from tests.support.hostile_comment import THOUSAND, check, hostile


@pytest.mark.parametrize("start", range(0, 1000, 50))
def test_generated_names_are_text_and_nothing_else(start: int) -> None:
    names = THOUSAND[start : start + 50]
    comment = render_comment(hostile(names), limit=10_000_000)
    check(comment)


def test_a_thousand_names_at_once_fit_and_stay_text() -> None:
    comment = render_comment(hostile(THOUSAND))
    assert len(comment) <= LIMIT
    assert len(comment.encode()) <= LIMIT
    check(comment)


def test_the_check_itself_can_fail() -> None:
    for bad in (
        "ask @octocat",
        "see #12",
        "a **b**\n\n# heading",
        "![x](y)",
        "<img src=x>",
        "http://x.example",
        ":rocket:",
        "/close",
    ):
        with pytest.raises(AssertionError):
            check(bad)


def test_names_that_differ_only_in_what_is_invisible_look_different() -> None:
    found = hostile(["pay", "pay\u200b", "p\u202eay"])
    targets = tuple(variant.model_copy(update={"commit": None}) for variant in found.variants)
    comment = render_comment(found.model_copy(update={"variants": targets}))
    shown = {html.unescape(part) for part in re.findall(r"^\| `(.*?)`", comment, re.M)}
    assert {"pay", r"pay\u200b", r"p\u202eay"} <= shown
