"""`profpipe diff` of real commits: every change gets its verdict, its category and its functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.support.demo_repository import CHANGES, Change
from tests.support.measured_repository import TWICE, Repository, contender
from tests.support.study_driving import Done, read_report

pytestmark = pytest.mark.real


Measured = Callable[[str], tuple[Done, dict[str, Any]]]


@pytest.fixture(scope="module")
def measured(demo: Repository) -> Measured:
    """The comparison of a change with its parent, run once however many tests look at it."""

    @cache
    def compare(tag: str) -> tuple[Done, dict[str, Any]]:
        before = demo.state()
        done = demo.do(
            "diff",
            f"{tag}~1..{tag}",
            *TWICE,
            "--fail-on",
            "regression:instructions",
        )
        assert demo.state() == before
        return done, demo.report()

    return compare


def largest(report: dict[str, Any]) -> str:
    bars = report["waterfall"][0]["bars"]
    return str(max(bars, key=lambda bar: bar["delta"])["category"])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.tag)
def test_each_change_gets_its_verdict_and_its_category(measured: Measured, change: Change) -> None:
    done, report = measured(change.tag)
    assert done.code == (3 if change.verdict == "worse" else 0), done.err
    against = contender(report)["against_baseline"]
    assert against["callgrind:instructions"]["verdict"] == change.verdict
    if change.category:
        assert largest(report) == change.category
        assert "instructions per request is worse by" in done.out
    if change.tag == "syscall":
        assert against["callgrind:syscalls"]["verdict"] == "worse"
        assert against["callgrind:syscalls"]["delta"] == pytest.approx(1, abs=0.05)
    assert contender(report)["commit"]["subject"] == change.subject


@pytest.mark.parametrize("tag", ["rename", "move"])
def test_no_function_of_a_pure_rename_or_a_pure_move_is_called(measured: Measured, tag: str) -> None:
    """Neither better nor worse anywhere: what one name lost another one has."""
    _, report = measured(tag)
    called = [
        (row["function"]["name"], cell["verdict"])
        for table in report["hotspots"]
        for category in table["rows"]
        for row in category["functions"]
        for cell in row["cells"].values()
        if cell["verdict"] in ("better", "worse")
    ]
    assert called == []


def rows_of(report: dict[str, Any]) -> dict[str, Any]:
    """Function -> its row in the first table."""
    return {r["function"]["name"]: r for category in report["hotspots"][0]["rows"] for r in category["functions"]}


def test_functions_are_found_under_their_old_name(measured: Measured) -> None:
    _, report = measured("rename")
    name = contender(report)["id"]
    row = rows_of(report)["scan_request"]
    assert row["alignment"][name]["before"]["name"] == "parse_request"
    assert row["alignment"][name]["certainty"] == "measured"
    assert "parse_request" not in rows_of(report)


def test_changed_lines_are_listed_with_the_functions_that_contain_them(measured: Measured) -> None:
    _, report = measured("formatting")
    name = contender(report)["id"]
    changed = {n: r["changes"][name][0] for n, r in rows_of(report).items() if r["changes"].get(name)}
    assert {(c["file"], c["certainty"]) for c in changed.values()} == {("head.c", "measured")}
    assert any(c["rule"] == "commits-callees" and "head.c:" in c["text"] for c in report["conclusions"])


def test_a_report_is_made_again_without_the_repository(demo: Repository, measured: Measured) -> None:
    measured("alloc")
    newest = max((demo.path / "reports" / "diff-cost").iterdir(), key=lambda path: path.name)
    first = read_report(newest)
    (demo.path / ".git").rename(demo.path / "away")
    try:
        assert demo.do("report", str(newest)).code == 3, "the gate of the run decides every time"
    finally:
        (demo.path / "away").rename(demo.path / ".git")
    again = read_report(newest)
    assert again["gate"] == first["gate"] is not None, "the rules of the gate are kept with the run"
    assert again == first
