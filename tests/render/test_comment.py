"""comment.md: the verdict first, tables that a forge draws, cut by whole sections under a forge's limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from markdown_it import MarkdownIt

from profpipe.errors import ReportError
from profpipe.model.report import Report
from profpipe.render.comment.escape_markdown import code, prose
from profpipe.render.comment.links import Links
from profpipe.render.comment.markdown import FOLDED, LIMIT, render_comment
from tests.support.sample_commits import (
    HEAD,
    pull_request_document,
    pull_request_report,
    unchanged_document,
    unchanged_report,
)
from tests.support.sample_report import document, sample

COMMONMARK = MarkdownIt("gfm-like", {"linkify": False})


def test_the_first_line_is_the_verdict() -> None:
    first = render_comment(sample()).splitlines()[0]
    assert first.startswith("**asyncio, streams spends 5.31× the instructions of threads per request")
    assert first.endswith("(measured)")


def test_several_contenders_are_rows_and_the_first_table_is_of_the_verdicts_figure() -> None:
    text = render_comment(sample())
    tables = re.findall(r"<tbody>(.*?)</tbody>", COMMONMARK.render(text), re.S)
    assert [re.sub("<.*?>", "", row) for row in re.findall(r"<td><code>.*?</code></td>", tables[0])] == [
        "asyncio, Protocol",
        "uvloop, Protocol",
        "gevent, StreamServer",
        "asyncio, streams",
    ]
    assert "**instructions per request (callgrind)** (baseline `threads, blocking sockets`: 8,097)" in text
    assert "| `asyncio, streams` | 43,025 | ▲ worse 5.31× (5.26× to 5.37×) |" in text
    assert "| `uvloop, Protocol` | 7,110 | ▼ better 0.88× (0.87× to 0.89×) |" in text


def test_one_contender_has_its_figures_as_rows() -> None:
    text = render_comment(pull_request_report())
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("| figure |"))
    assert lines[head] == "| figure | `base` | `head` | change (95 % interval) |"
    assert "| instructions per request (callgrind) | 8,097 | 43,025 | ▲ worse 5.31× (5.26× to 5.37×) |" in lines
    assert (
        "Measured `2e2e2e2` with uncommitted changes `serve: write the head once` against `1f1f1f1` "
        "`serve: one buffer per connection`." in lines
    )


def test_the_gap_is_drawn_in_text_that_a_phone_shows_whole() -> None:
    text = render_comment(pull_request_report())
    drawing = re.findall(r"```text\n(.*?)\n```", text, re.S)
    rows = drawing[1].splitlines()
    assert max(len(row) for drawn in drawing for row in drawn.splitlines()) <= 40
    assert rows[0].split() == ["base", "8,095"]
    assert rows[1].startswith("interpreter loop    +12,732 ██████████")
    assert rows[-1].split() == ["head", "43,011"]


def test_changed_functions_come_with_their_changed_lines() -> None:
    text = render_comment(pull_request_report())
    row = next(line for line in text.splitlines() if line.startswith("- `_PyEval_EvalFrameDefault`: 2,257 → "))
    assert row.endswith("▲ worse; changed lines: `src/serve.py:10-14,20` +6 −2")
    assert "**Functions that changed most**, instructions per request" in text
    assert "changed lines" not in render_comment(sample())


def test_new_gone_and_renamed_functions_say_so() -> None:
    data = pull_request_document()
    functions = data["hotspots"][0]["rows"][0]["functions"]
    del functions[0]["cells"]["threads"]
    functions[0]["cells"][HEAD] |= {"verdict": None, "ratio": None}
    functions = data["hotspots"][0]["rows"][1]["functions"]
    functions[0]["alignment"] = {
        HEAD: {"before": {"name": "old_lookup"}, "certainty": "likely", "why": "same file and callers"}
    }
    text = render_comment(Report.model_validate(data))
    assert "- `_PyEval_EvalFrameDefault`: – → 12,697, +12,697 new" in text
    assert "- `_PyType_Lookup` (was `old_lookup`): " in text


def test_an_unknown_figure_has_its_reason_once() -> None:
    text = render_comment(sample())
    assert "| `gevent, StreamServer` | unknown |" in text
    assert text.count("the load tool was late itself: its own p99 lateness was 4.1 ms") == 1


def test_nothing_relevant_is_three_lines() -> None:
    lines = [
        line for line in render_comment(unchanged_report(), links=Links("https://ci.example/1")).splitlines() if line
    ]
    assert len(lines) == 3
    assert lines[0] == (
        "**This pull request does not change what a request costs: a change under 2.0 % would not have been seen.**"
    )
    assert "instructions per request (callgrind) 1.002× (0.996× to 1.007×), no change" in lines[1]
    assert lines[2].startswith("Measured `2e2e2e2`")
    assert lines[2].endswith("[Full report](https://ci.example/1). 7 rounds; profpipe 0.1.0.")


def test_a_failed_gate_comes_first_and_has_the_long_form() -> None:
    data = unchanged_document()
    data["gate"] = {"asked": ["regression:5%"], "failed": True, "hits": ["CPU time per request 1.08× (1.06 to 1.10)"]}
    text = render_comment(Report.model_validate(data))
    assert text.startswith("**The gate fails** (asked: regression:5%): CPU time per request 1.08× (1.06 to 1.10).\n")
    assert "| figure |" in text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["variants"][1].update(valid=False, why="it did not start"),
        lambda d: d["variants"][1]["against_baseline"]["clean:throughput"].update(verdict="worse"),
        lambda d: d["hotspots"][0]["rows"][0]["functions"][0]["cells"][HEAD].update(verdict="worse", ratio=1.2),
    ],
    ids=["not valid", "a figure", "a function"],
)
def test_one_thing_to_act_on_is_enough_for_the_long_form(spoil: Callable[[dict[str, Any]], None]) -> None:
    data = unchanged_document()
    spoil(data)
    assert "<details>" in render_comment(Report.model_validate(data))


def test_the_link_is_given_or_left_out_and_never_markup() -> None:
    report = pull_request_report()
    assert "[Full report](https://ci.example/r/1?x=2)" in render_comment(
        report, links=Links("https://ci.example/r/1?x=2")
    )
    assert "The full report is `report.html` in this run" in render_comment(report)
    for bad in ("javascript:alert(1)", "https://x)y", "https://x y", "ftp://x/y", "https://x/\n", "https://x/`"):
        with pytest.raises(ReportError, match="link to the report"):
            render_comment(report, links=Links(bad))


def test_the_whole_comment_fits() -> None:
    text = render_comment(sample())
    assert len(text.encode()) < LIMIT
    assert "Cut to fit" not in text


def big() -> Report:
    data = document()
    row = data["hotspots"][0]["rows"][0]
    name = "core::fmt::Formatter::pad_" + "ü" * 300
    row["functions"] = [{**row["functions"][0], "id": f"f{i}", "function": {"name": name + str(i)}} for i in range(40)]
    data["invalid"] = data["invalid"] * 2000
    return Report.model_validate(data)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [60_000, 20_000, 8_000, 3_000])
def test_what_does_not_fit_is_cut_by_whole_sections_and_named(limit: int) -> None:
    text = render_comment(big(), limit=limit)
    assert len(text) <= limit
    assert len(text.encode()) <= limit
    assert text.startswith("**asyncio, streams spends")
    assert text.count("<details>") == text.count("</details>")
    assert re.search(r"Invalid runs: 2,000 rows not shown", text)


def test_every_folded_section_is_there() -> None:
    data = document()
    data["conclusions"] += [{**data["conclusions"][1], "id": f"x{i}"} for i in range(5)]
    data["seed_table"] = [{"number": 1, "what": "w", "post": "p", "ours": "o", "verdict": "kept"}]
    text = render_comment(Report.model_validate(data))
    for section in FOLDED:
        assert f"<summary>{section.title}</summary>" in text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("61.1 µs (1.22×)", "61.1 µs (1.22×)"),
        ("# not a heading", r"\# not a heading"),
        ("1. not a list", r"1\. not a list"),
        ("- not a list", r"\- not a list"),
        ("/close now", r"\/close now"),
        ("a|b", r"a\|b"),
        ("*x* _y_ `z`", r"\*x\* \_y\_ \`z\`"),
        ("ask @someone", "ask `@someone`"),
        ("see #12", "see `#12`"),
        ("https://evil.example/x", "`https://evil.example/x`"),
        ("12345678", "12345678"),
        ("deadbeef1", "`deadbeef1`"),
        ("calls std::key::value, often", "calls `std::key::value`, often"),
        ("owner/repo#3 and !5", "`owner/repo#3` and `!5`"),
        ("mail a.b@c.example now", "mail `a.b@c.example` now"),
        ("like :rocket: and %1", "like `:rocket:` and `%1`"),
        ("PROJ-12, GHSA-x1-y2", "`PROJ-12`, `GHSA-x1-y2`"),
    ],
)
def test_prose_is_shown_as_it_is(text: str, markdown: str) -> None:
    assert prose(text) == markdown


@pytest.mark.parametrize("text", ["a`b", "``", "`x`", "a|b", "a\\|b", "|", "plain", "\\", "x\\"])
def test_a_code_span_holds_any_text(text: str) -> None:
    rendered = COMMONMARK.renderInline(code(text))
    assert rendered.replace("&lt;", "<").replace("&gt;", ">") == f"<code>{text}</code>"
    cells = COMMONMARK.render(f"| a | b |\n| - | - |\n| {code(text)} | x |\n")
    assert re.findall(r"<td>(.*?)</td>", cells) == [rendered, "x"]
