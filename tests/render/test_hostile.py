"""Names from profiles are hostile text: shown as text, run nowhere, linked nowhere, in page, comment and terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from profpipe.characters import visible
from profpipe.model.report import Report
from profpipe.render.comment.markdown import render_comment
from profpipe.render.page.html import render_page
from profpipe.render.terminal.hotspots import render_hotspots
from profpipe.render.terminal.report import render_verdict
from profpipe.units import INSTRUCTIONS
from tests.support.hostile_names import NAMES
from tests.support.hostile_report import REACHING, hostile
from tests.support.page_outline import outline


@pytest.fixture(scope="module")
def report() -> Report:
    return hostile(REACHING)


def test_there_are_enough_hostile_names() -> None:
    assert len(set(NAMES)) >= 41


@pytest.mark.slow
def test_the_page_stays_whole_and_shows_every_name(report: Report) -> None:
    page = render_page(report)
    parsed = outline(page)  # asserts that tags are balanced
    tags = {tag for tag, _, _ in parsed.attributes}
    assert tags.isdisjoint({"img", "iframe", "base", "link", "object", "embed", "form"})
    assert page.count("<script") == 2
    assert page.count("<style") == 1
    for name in REACHING:
        if name.strip():
            assert visible(name) in _text(page), name


def test_no_attribute_but_these_holds_text_of_a_profile(report: Report) -> None:
    allowed = {"title", "aria-label", "content"}
    for tag, name, value in outline(render_page(report)).attributes:
        if name in {"id", "href", "aria-controls", "aria-labelledby"}:
            assert re.fullmatch(r"#?[A-Za-z0-9_.-]+", value), f"<{tag} {name}={value}>"
        elif "evil.example" in value or "pwned" in value or "octocat" in value:
            assert name in allowed, f"<{tag} {name}={value}>"


def _text(page: str) -> str:
    import html as entities

    return entities.unescape(page)


@pytest.mark.slow
def test_the_comment_has_no_link_mention_or_markup_from_a_name(report: Report) -> None:
    comment = render_comment(report, limit=2_000_000)
    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(comment)
    assert "<a " not in rendered
    assert "<img" not in rendered
    assert "<script" not in rendered
    assert "<h1" not in rendered
    assert rendered.count("<details>") == rendered.count("</details>")
    outside = _outside_code(rendered)
    for word in ("@octocat", "://evil", "www.evil", "GH-2", "#1", "deadbeefdead"):
        assert word not in outside, word


def _outside_code(rendered: str) -> str:
    parts = [part.partition("</code>")[2] or "" for part in rendered.split("<code>")[1:]]
    return rendered.split("<code>")[0] + "".join(parts)


@pytest.mark.slow
def test_every_name_is_in_a_code_span_of_the_comment(report: Report) -> None:
    comment = render_comment(report, limit=2_000_000)
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(comment)
    spans = {_text(part.partition("</code>")[0]).strip() for part in rendered.split("<code>")[1:]}
    for row in report.classic[0].rows[:40]:
        shown = " ".join(visible(row.place).split())
        assert any(span.endswith(shown) for span in spans), row.place


def test_the_terminal_gets_no_control_sequence(report: Report) -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=False, highlight=False)
    console.print(render_verdict(report))
    rows = [_Row(function.function) for row in report.hotspots[0].rows for function in row.functions]
    console.print(render_hotspots(rows, [INSTRUCTIONS], {"instructions": 100}, title=NAMES[43]))
    text = out.getvalue()
    for bad in "\x1b\x00\x07\x9b\u202e\u2066\u200b\ufeff\u2028":
        assert bad not in text, repr(bad)
    assert "[red]rich[/red]" in text


class _Row:
    """A hotspot list's row with a name of ours."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.category = function.name
        self.self = {"instructions": 3}
        self.total = {"instructions": None}
        self.calls = None


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:40])
def test_a_name_alone_is_shown_escaped(name: str) -> None:
    shown = visible(name)
    assert shown.isprintable()
    if name.isprintable() and len(name) <= 400:
        assert shown == name
