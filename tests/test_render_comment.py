"""comment.md: the verdict first, tables that a forge draws, cut by whole sections under a forge's limit."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from profpipe.model.report import Report
from profpipe.render.markdown import LIMIT, SECTIONS, code, prose, render_comment
from tests.render_report import document, sample

COMMONMARK = MarkdownIt("gfm-like", {"linkify": False})


def test_the_first_line_is_the_verdict() -> None:
    first = render_comment(sample()).splitlines()[0]
    assert first.startswith("**asyncio, streams spends 5.31× the instructions of threads per request")
    assert first.endswith("(measured)")


def test_variants_waterfall_and_functions_are_tables() -> None:
    rendered = COMMONMARK.render(render_comment(sample()))
    heads = re.findall(r"<thead>(.*?)</thead>", rendered, re.S)
    assert "requests/s" in heads[0]
    assert "instructions per request" in heads[0]
    assert any("share of gap" in head for head in heads)
    assert "<code>_PyEval_EvalFrameDefault</code>" in rendered


def test_baseline_contender_and_unknown_cells() -> None:
    lines = render_comment(sample()).splitlines()
    baseline = next(line for line in lines if line.startswith("| threads, blocking sockets (baseline) |"))
    assert "worse" not in baseline
    gevent = next(line for line in lines if line.startswith("| gevent, StreamServer |"))
    assert "| unknown |" in gevent
    assert "(3.43×) worse" in gevent
    assert "Unknown: the load tool was late itself: its own p99 lateness was 4.1 ms" in lines


def test_the_whole_comment_fits() -> None:
    text = render_comment(sample())
    assert len(text) < LIMIT
    assert "not shown" not in text.replace("rows not shown\n", "", 2)


def big() -> Report:
    data = document()
    row = data["hotspots"][0]["rows"][0]
    name = "core::fmt::Formatter::pad_" + "ü" * 300
    row["functions"] = [{**row["functions"][0], "id": f"f{i}", "function": {"name": name + str(i)}} for i in range(40)]
    data["invalid"] = data["invalid"] * 2000
    return Report.model_validate(data)


@pytest.mark.parametrize("limit", [60_000, 20_000, 8_000, 3_000])
def test_what_does_not_fit_is_cut_by_whole_sections_and_named(limit: int) -> None:
    text = render_comment(big(), limit=limit)
    assert len(text) <= limit
    assert len(text.encode()) <= limit
    assert text.startswith("**asyncio, streams spends")
    assert text.count("<details>") == text.count("</details>")
    assert re.search(r"Runs that do not count: 2,000 rows not shown", text)


def test_every_section_has_a_block() -> None:
    data = document()
    data["conclusions"] += [{**data["conclusions"][1], "id": f"x{i}"} for i in range(5)]
    data["seed_table"] = [{"number": 1, "what": "w", "post": "p", "ours": "o", "verdict": "kept"}]
    text = render_comment(Report.model_validate(data))
    for _, title in SECTIONS:
        assert title in text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("61.1 µs (1.22×)", "61.1 µs (1.22×)"),
        ("# not a heading", r"\# not a heading"),
        ("1. not a list", r"1\. not a list"),
        ("- not a list", r"\- not a list"),
        ("a|b", r"a\|b"),
        ("*x* _y_ `z`", r"\*x\* \_y\_ \`z\`"),
        ("ask @someone", "ask `@someone`"),
        ("see #12", "see `#12`"),
        ("https://evil.example/x", "`https://evil.example/x`"),
        ("12345678", "12345678"),
        ("deadbeef1", "`deadbeef1`"),
    ],
)
def test_prose_is_shown_as_it_is(text: str, markdown: str) -> None:
    assert prose(text) == markdown


@pytest.mark.parametrize("text", ["a`b", "``", "`x`", "a|b", "plain", "\\", "x\\"])
def test_a_code_span_holds_any_text(text: str) -> None:
    rendered = COMMONMARK.renderInline(code(text))
    assert rendered.replace("&lt;", "<").replace("&gt;", ">") == f"<code>{text}</code>"
