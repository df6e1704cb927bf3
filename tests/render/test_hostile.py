"""Names from profiles are hostile text: shown as text, run nowhere, linked nowhere, in page, comment and terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from profpipe.model.report import Report
from profpipe.render.comment.markdown import render_comment
from profpipe.render.page.html import render_page
from profpipe.render.terminal.report import render_hotspots, render_verdict
from profpipe.render.text import visible
from profpipe.units import INSTRUCTIONS
from tests.render.test_page import outline
from tests.support.hostile_names import NAMES
from tests.support.render_report import document


def hostile(names: tuple[str, ...] = NAMES) -> Report:
    """Every place of a report that a profile, a config, a command line or a log can write to holds every name."""
    data: dict[str, Any] = document()
    model = data["hotspots"][0]["rows"][0]["functions"][0]
    functions = [
        {
            **model,
            "id": f"h{i}",
            "function": {"name": name, "file": name, "object": name, "runtime": "native", "raw": [name, name]},
            "callers": {"threads": [[name, 1.0]]},
            "callees": {"threads": [[name, 1.0]]},
        }
        for i, name in enumerate(names)
    ]
    # A category shows forty functions.
    data["hotspots"][0]["rows"][0]["functions"] = functions[:30]
    data["hotspots"][0]["rows"][1]["functions"] = functions[30:]
    many = list(names)
    data["classic"][0]["rows"] = [{"value": 1000 - i, "share": 0.01, "place": n} for i, n in enumerate(many)]
    data["flames"][0]["names"] = (data["flames"][0]["names"] + many)[: 38 + len(many)]
    data["flames"][0]["name_kind"] = [0] * len(data["flames"][0]["names"])
    for i in range(len(many)):
        data["flames"][0]["function"][1 + i] = 38 + i
    joined = " ".join(many[:53])
    data["study"] |= {"id": joined, "question": joined, "load": joined, "placement": joined, "command": joined}
    data["study"]["left_out"] = [[name, name] for name in many]
    data["environment"] = {name: name for name in many}
    data["invalid"] = [
        {"variant": n, "profiler": n, "round": 1, "phase": n, "reason": n, "log_tail": [n, n]} for n in many
    ]
    data["limits"] = [{"profiler": name, "text": name} for name in many]
    data["limits"] += [{"profiler": "callgrind", "text": name} for name in many]
    data["conclusions"] += [
        {"id": n, "rule": n, "text": n, "certainty": "hint", "rows": [{"path": n, "value": n}]} for n in many
    ]
    first = data["variants"][0]
    first |= {"label": joined, "command": many, "language": joined, "notes": many}
    first["figures"] = {**first["figures"], **{name: {"median": 1.0} for name in many if name}}
    data["variants"][2] |= {"valid": False, "why": joined}
    data["runs"][0] |= {"valid": False, "why": joined, "warnings": many}
    data["created"] = joined
    data["categories"] += [{"key": name, "label": name, "about": name} for name in many]
    return Report.model_validate(data)


# pydantic refuses lone surrogates in text, so such a name cannot come this far; `visible` is still asked about it.
REACHING = tuple(name for name in NAMES if "\ud800" not in name)


@pytest.fixture(scope="module")
def report() -> Report:
    return hostile(REACHING)


def test_there_are_enough_of_them() -> None:
    assert len(set(NAMES)) >= 41


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


def test_every_name_stands_in_a_code_span_of_the_comment(report: Report) -> None:
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
    console.print(render_hotspots(rows, [INSTRUCTIONS], {"instructions": 100}, limit=200, title=NAMES[43]))
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
