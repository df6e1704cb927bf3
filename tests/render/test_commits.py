"""What a comparison of two commits adds to page and terminal; absent where a report does not say it."""

from __future__ import annotations

import html
from typing import Any

import pytest

from profpipe.model.report import Comparison, Report
from profpipe.render.content.study import study_text
from profpipe.render.page.commits import SPANS
from profpipe.render.page.hotspots import hot_tables
from profpipe.render.page.html import render_page
from profpipe.render.page.method import calibration_view
from profpipe.render.page.variants import variant_table
from profpipe.render.page.verdict import verdict_view
from profpipe.render.terminal.report import render_verdict
from profpipe.render.text import detectable_words
from tests.support.page_outline import outline
from tests.support.sample_commits import commits_document, commits_report
from tests.support.sample_report import document, sample
from tests.support.terminal import printed

ONLY_OF_COMMITS = (
    "a81be66",
    "with uncommitted changes",
    "Gate failed",
    "was <code>",
    "25 changed lines",
    "only moved",
    "in functions found on one side only",
    "How rounds were added",
    "Earlier A/A comparisons on this machine",
)


@pytest.fixture(scope="module")
def page() -> str:
    return html.unescape(render_page(commits_report()))


def table_of(data: dict[str, Any]) -> Any:
    tables = hot_tables(Report.model_validate(data))
    assert tables
    return tables[0]


def number_of(data: dict[str, Any]) -> Any:
    view = verdict_view(Report.model_validate(data)).headline
    assert view
    return view.number


@pytest.mark.parametrize("text", ONLY_OF_COMMITS)
def test_what_commits_add_is_on_the_page_and_only_then(page: str, text: str) -> None:
    assert text in page
    assert text not in html.unescape(render_page(sample()))


def test_the_page_of_commits_is_balanced() -> None:
    lines = outline(render_page(commits_report())).lines
    assert "h3: How rounds were added" in lines


def test_a_variant_says_which_commit_it_is() -> None:
    base, head = (row.head.commit for row in variant_table(commits_report()).rows[:2])
    assert (base.short, base.ref, base.dirty) == ("4f1d0c2", "main", "")
    assert (head.short, head.ref, head.dirty) == ("a81be66", "worktree", "with uncommitted changes")
    assert head.time == "2026-11-23 18:02"


def test_changed_lines_are_shown_with_their_function() -> None:
    function = table_of(commits_document()).categories[0].functions[0]
    assert function.changes == (
        "asyncio, Protocol: Python/ceval.c: 25 changed lines, 812 to 830, 901; removed 815 to 819",
        "asyncio, Protocol: Python/ceval_gil.h: 1 changed line, removed 4",
    )


def test_many_places_are_counted_not_listed() -> None:
    data = commits_document()
    changes = data["hotspots"][0]["rows"][0]["functions"][0]["changes"]["asyncio-protocol"]
    changes[0]["added"] = [[n, n] for n in range(1, SPANS + 4)]
    changes += [{"file": f"f{n}.c", "lines": 1} for n in range(3)]
    texts = table_of(data).categories[0].functions[0].changes
    assert "1, 2, 3, 4, 5, 6 and 3 more places" in texts[0]
    assert texts[-1] == "asyncio, Protocol: 2 more files"


def test_a_changed_function_is_shown_however_cheap_it_is() -> None:
    data = commits_document()
    row = data["hotspots"][0]["rows"][3]
    cheap = row["functions"][0]
    changed = {"asyncio-protocol": [{"file": "a.c", "added": [[1, 2]], "lines": 2}]}
    others = [{**cheap, "id": f"o{n}"} for n in range(60)]
    tiny = {key: {**cell, "self": 0.1, "share": 1e-6} for key, cell in cheap["cells"].items()}
    row["functions"] = [*others, {**cheap, "id": "mine", "cells": tiny, "changes": changed}]
    table = table_of(data)
    category = next(c for c in table.categories if c.key == row["category"])
    assert [f.id for f in category.functions if f.changes] == ["hot-callgrind-instructions-mine"]


def test_a_renamed_function_says_what_it_was_and_how_sure_that_is() -> None:
    functions = table_of(commits_document()).categories[0].functions
    assert [(r.before, r.words) for f in functions for r in f.renamed] == [
        ("_PyFrame_Dealloc", "renamed in asyncio, Protocol, likely: same file, callers and size")
    ]


def test_a_cell_says_what_only_moved() -> None:
    cells = table_of(commits_document()).categories[0].functions[0].cells
    assert [cell.moved for cell in cells] == ["", "−1,204 only moved", "", "", ""]


def test_added_rounds_say_when_verdicts_were_checked_and_why_no_more() -> None:
    study = study_text(commits_report())
    assert study.rounds == (
        "7 rounds, each in fresh processes (at most 21); verdicts checked after 7, 14; "
        "stopped because the verdicts had settled"
    )
    assert study.rounds_rule.startswith("Verdicts are looked at after 7, 14 and 21 rounds")
    assert study_text(sample()).rounds == "7 rounds, each in fresh processes"


def test_rounds_are_those_that_were_run_by_instrument() -> None:
    """A trial gives each instrument the rounds that fit: 7 were asked for, 2 and 3 were run."""
    report = sample()
    run = [r for r in report.runs if r.round <= 2]
    run += [r.model_copy(update={"profiler": "callgrind"}) for r in report.runs if r.round <= 3]
    said = study_text(report.model_copy(update={"runs": tuple(run)})).rounds
    assert said == "2 rounds of clean runs, 3 of callgrind, each in fresh processes"


def test_a_calibration_says_how_often_a_verdict_was_false() -> None:
    found = calibration_view(commits_report())
    assert found
    assert found.sentence == (
        "1 of 64 A/A comparisons on this machine gave a false verdict (1.6 %, 95 % interval 0.0 % to 8.4 %)."
    )
    assert found.rows == (("CPU time per request", "1.10 %"), ("instructions per request", "0.04 %"))


def test_the_large_number_is_of_the_contender_that_the_verdict_names() -> None:
    figure = number_of(document())
    assert figure is not None
    assert figure.chip is not None
    assert (figure.ratio, figure.chip.word) == ("5.31×", "worse")
    assert figure.words == "instructions per request: asyncio, streams against threads, blocking sockets"
    assert figure.detectable == "a change under 0.3 % would not have been seen"


@pytest.mark.parametrize("path", ["variants[2].figures.x", "variants.2.figures.x"])
def test_evidence_names_the_contender_in_either_form(path: str) -> None:
    data = commits_document()
    data["conclusions"][0]["rows"] = [{"path": path}]
    assert number_of(data).words.partition(": ")[2].startswith("uvloop, Protocol against")


def test_without_evidence_the_large_number_is_of_the_contender_furthest_away() -> None:
    data = commits_document()
    data["conclusions"] = []
    figure = number_of(data)
    assert (figure.ratio, figure.words.partition(":")[2]) == (
        "5.31×",
        " asyncio, streams against threads, blocking sockets",
    )


@pytest.mark.parametrize(
    ("detectable", "words"),
    [(0.014, "a change under 1.4 % would not have been seen"), (None, ""), (0.0, "")],
)
def test_the_detectable_floor_is_in_words(detectable: float | None, words: str) -> None:
    assert detectable_words(Comparison(verdict="no change", detectable=detectable)) == words


def test_the_terminal_says_gate_and_commits() -> None:
    text = printed(render_verdict(commits_report()))
    joined = " ".join(text.split())
    assert "Gate failed (fails on: instructions > 2 %, CPU time > 5 %)" in joined
    assert "a81be66 with uncommitted changes" in joined
    assert "A change under 0.3 % would not have been seen; 7 rounds, each in fresh processes (at most 21)" in joined
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "Gate" not in printed(render_verdict(sample()))


def test_a_gate_that_passed_says_so() -> None:
    data = commits_document()
    data["gate"] = {"asked": ["p99 > 10 %"], "failed": False}
    assert "Gate passed" in printed(render_verdict(Report.model_validate(data)))
    assert "Gate passed" in render_page(Report.model_validate(data))
