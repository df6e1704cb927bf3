"""A study that leaves its loads to profpipe: a trial, runs that fit, and an early end where nothing can be compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.study_driving import StudyFolder, server, slow

pytestmark = pytest.mark.real
OPEN = {"generator": "builtin"}


def test_the_loads_of_slow_servers_follow_from_a_trial(tmp_path: Path) -> None:
    study = StudyFolder(tmp_path)
    study.write({"a": slow(0.05), "b": slow(0.05)}, load=OPEN)
    done = study.do("run", "s")
    assert done.code == 0, done.err
    assert "trial of a under clean: " in done.err
    assert "the loads follow from the trial" in done.err
    report = study.report()
    rows = report["study"]["trial"]["rows"]
    assert [(row["variant"], row["profiler"]) for row in rows] == [("a", "clean"), ("b", "clean")]
    counts = {run["load"]["served"] for run in study.records().values()}
    assert counts == {rows[0]["requests"]}
    # A thread for every connection: far more than the few that one connection allows, far fewer than the default 4,000.
    assert 10 < rows[0]["requests"] < 2000
    assert "under clean" in report["study"]["load"]
    assert "served in the trial" in (study.folders()[0] / "report.html").read_text()
    study.check_left_nothing()


def test_a_study_whose_contender_does_not_serve_stops_after_the_trial(tmp_path: Path) -> None:
    study = StudyFolder(tmp_path)
    study.write({"a": server("serves"), "b": server("dies-at-start")}, load=OPEN)
    done = study.do("run", "s")
    assert done.code == 1
    assert "nothing is left to compare after the trial: b under clean: " in done.err
    assert study.folders() == []
    study.check_left_nothing()
