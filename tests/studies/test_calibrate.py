"""`profpipe calibrate`: a target against itself, and what later verdicts make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from profpipe.errors import StoreError
from profpipe.model.report import Calibration
from profpipe.pipeline.reporting.calibration_file import calibration_of, path_of, summary_lines
from tests.support.demo_repository import CHANGES, make
from tests.support.measured_repository import ONCE, Repository
from tests.support.tools import require

MACHINE = {"CPU": "A chip", "processors": "2", "kernel": "Linux 6.1", "virtual machine": "no"}


def kept(machine: str) -> Calibration:
    return Calibration(
        created="2026-01-02T03:04:05+00:00", machine=machine, study="cost", comparisons=20, false_verdicts=1,
        low=0.0013, high=0.2487, sd={"clean:cpu_us": 0.023},
    )  # fmt: skip


def test_a_calibration_counts_only_on_the_machine_it_was_made_on(tmp_path: Path) -> None:
    from profpipe.model.machine import machine_key, machine_text

    found = kept(machine_key(machine_text(MACHINE)))
    path_of(tmp_path, "cost").write_text(found.model_dump_json())
    assert calibration_of(tmp_path, "cost", MACHINE) == found
    assert calibration_of(tmp_path, "diff-cost", MACHINE) == found, "commits of the study are the study"
    assert calibration_of(tmp_path, "cost", {**MACHINE, "CPU": "Another"}) is None
    assert calibration_of(tmp_path, "other", MACHINE) is None


def test_a_damaged_calibration_is_reported_not_ignored(tmp_path: Path) -> None:
    path_of(tmp_path, "cost").write_text('{"machine": "x"')
    with pytest.raises(StoreError, match=r"cost\.json: not a readable calibration: .*calibrate again"):
        calibration_of(tmp_path, "cost", MACHINE)


def test_the_verdict_on_the_machine_comes_first() -> None:
    first, *rest = summary_lines(kept("0123abcd"))
    assert first == ("1 of 20 A/A comparisons gave a false verdict: 5.0 % (95 % interval 0.1 % to 24.9 %)")
    assert "  clean:cpu_us                 2.30 %" in rest


@pytest.mark.real
def test_calibrating_and_what_a_later_report_says_of_it(tmp_path: Path) -> None:
    require("valgrind", "gcc")
    demo = Repository(make(tmp_path / "repository", CHANGES[:1]), tmp_path / "cache")
    before = demo.state()
    done = demo.do("calibrate", "cost", "-N", "2", *ONCE)
    assert done.code == 0, done.err
    assert " of 2 A/A comparisons gave a false verdict" in done.out
    found = json.loads((demo.path / "reports" / "calibration" / "cost.json").read_text())
    assert found["comparisons"] == 2
    assert set(found["sd"]) >= {"callgrind:instructions"}
    assert demo.do("diff", "base..noop", *ONCE).code == 0
    assert demo.report()["calibration"] == found
    assert demo.state() == before
