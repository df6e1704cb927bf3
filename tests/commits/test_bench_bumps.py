"""The table of `python -m bench.bumps`, and how it judges a report."""

from __future__ import annotations

import json
from dataclasses import replace

from bench.bumps.judge import judge
from bench.bumps.table import HERE, table
from profpipe.model.report import Report
from profpipe.pipeline.commits.bump import read_bump
from tests.support.paths import DATA

BUMPS = table()


def test_every_bump_has_a_server_and_can_be_asked_for() -> None:
    for bump in BUMPS.values():
        assert (HERE / "apps" / bump.app).is_file(), bump.key
        asked = read_bump(bump.bump)
        assert (asked.name, asked.before) == (bump.package, bump.before)
        assert bool(bump.names) == (bump.cost != "same"), bump.key


def test_there_are_bumps_of_four_languages_and_some_that_change_nothing() -> None:
    assert {bump.app.rpartition(".")[2] for bump in BUMPS.values()} == {"py", "js", "go", "rs"}
    assert len(BUMPS) >= 19
    assert sum(bump.cost == "same" for bump in BUMPS.values()) >= 6


def test_a_regression_is_right_only_with_verdict_gate_and_name() -> None:
    """A real report: answer() in work.c became more expensive."""
    report = Report.model_validate(json.loads((DATA / "report" / "answer-slower.json").read_text()))
    worse = replace(BUMPS["starlette"], names=("answer",))
    assert judge(report, 3, worse).wrong(worse) == ()
    assert judge(report, 0, worse).wrong(worse) == ("gate",)
    other = replace(worse, names=("answ",))
    assert judge(report, 3, other).wrong(other) == ("name",)
    same = BUMPS["jinja2"]
    assert judge(report, 0, same).wrong(same) == ("verdict",)
