"""What a reader sees of starts and slices: on the page, in the terminal, in the comment."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from profpipe.model.report import Comparison, Lottery, Report
from profpipe.render.comment.markdown import render_comment
from profpipe.render.content.figures import figures
from profpipe.render.content.slices import lottery_words, slices_text, starts_words
from profpipe.render.page.html import render_page
from profpipe.render.page.method import method_view
from profpipe.render.page.variants import variant_table
from profpipe.render.page.verdict import verdict_view
from profpipe.render.terminal.report import render_verdict
from profpipe.render.text import detectable_words
from tests.support.sample_report import sample
from tests.support.sample_tables import CPU
from tests.support.slices_report import STARTS, of_starts, sample_of_starts


def printed(report: Report) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(render_verdict(report))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_report_of_rounds_says_nothing_of_starts() -> None:
    assert slices_text(sample()) is None
    assert verdict_view(sample()).starts == ""
    assert all(figure.resolution is None for figure in figures(sample()))


def test_only_figures_that_starts_give_are_figures_of_starts() -> None:
    resolutions = {figure.key: figure.resolution for figure in figures(sample_of_starts())}
    assert resolutions[CPU] == 0.01
    assert resolutions["callgrind:instructions"] is None


def test_the_strip_has_a_dot_per_start_and_the_spread_counts_starts() -> None:
    table = variant_table(sample_of_starts())
    place = [column.figure.key for column in table.columns].index(CPU)
    cell = table.rows[0].cells[place]
    assert cell.strip is not None
    assert len(cell.strip.dots) == STARTS
    assert cell.figure.spread.startswith(f"{STARTS} starts")
    assert "a dot is a start" in table.about


def test_the_lottery_is_a_range_with_its_two_parts() -> None:
    lottery = Lottery(low=26.3, high=33.4, within=0.006, between=0.098)
    assert lottery_words(lottery, "us") == "26.3 to 33.4 µs from start to start"
    assert lottery_words(None, "us") == ""
    cells = variant_table(sample_of_starts()).rows[0].cells
    assert any(cell.figure.parts == "between starts 1.0 %, within a start 0.6 %" for cell in cells)


def test_a_range_over_two_units_names_both() -> None:
    lottery = Lottery(low=800.0, high=1200.0, within=0.01, between=0.2)
    assert lottery_words(lottery, "us") == "800 µs to 1.20 ms from start to start"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("no change", "a change, if any, is smaller than 1.0 %"), ("worse", "the ratio is known within ±0.5 %")],
)
def test_a_ratio_over_starts_says_how_well_it_is_known(verdict: str, words: str) -> None:
    found = Comparison.model_validate(
        {"verdict": verdict, "ratio": 1.001, "low": 0.996, "high": 1.006, "detectable": 0.02, "paired": True}
    )
    assert detectable_words(found, 0.01) == words


def test_a_ratio_of_two_starts_says_nothing_of_its_width() -> None:
    assert detectable_words(Comparison(verdict="cannot tell", ratio=1.1, paired=True), 0.01) == ""


def test_the_first_screen_says_how_many_starts_and_why_no_more() -> None:
    report = sample_of_starts()
    assert report.study.slices is not None
    assert starts_words(report.study.slices).startswith("24 starts, each with fresh processes of all variants")
    assert "1 lost" in verdict_view(report).starts


def test_the_method_says_what_a_slice_was_and_which_starts_were_lost() -> None:
    slices = method_view(sample_of_starts()).slices
    assert slices is not None
    facts = dict(slices.facts)
    assert "80 before them left out" in facts["Slices"]
    assert facts["Memory layouts"].startswith("drawn for every start from seed 7")
    assert [(lost.variant, lost.where) for lost in slices.lost] == [("gevent", "start 3, during slices")]


@pytest.mark.parametrize(("fixed", "words"), [(False, "random: this system does not let"), (None, "unknown: no start")])
def test_refused_layouts_are_named(fixed: bool | None, words: str) -> None:
    document = of_starts()
    document["study"]["slices"]["fixed_layouts"] = fixed
    slices = slices_text(Report.model_validate(document))
    assert slices is not None
    assert dict(slices.facts)["Memory layouts"].startswith(words)


def test_a_server_that_polls_is_marked_and_an_unknown_share_is_unknown() -> None:
    document = of_starts()
    document["variants"][0]["idle_cpu"], document["variants"][1]["idle_cpu"] = 0.031, None
    slices = slices_text(Report.model_validate(document))
    assert slices is not None
    assert [(row.idle, row.polls) for row in slices.lotteries[:2]] == [("3.10 %", True), ("unknown", False)]


def test_the_page_shows_the_lottery_and_the_lost_start() -> None:
    html = render_page(sample_of_starts())
    assert 'class="lottery"' in html
    assert 'id="slices"' in html
    assert "it ended with signal SIGSEGV under load" in html


def test_the_terminal_prints_the_range_and_the_lost_start() -> None:
    text = printed(sample_of_starts())
    assert "second line of CPU time: the range over starts" in text
    assert "start lost: gevent (start 3, during slices)" in text


def test_the_comment_says_what_its_cpu_time_rests_on() -> None:
    text = render_comment(sample_of_starts())
    assert "CPU time over 24 starts" in text
    assert "Memory layouts: drawn for every start" in text
