"""Runs are not tried again after two that failed in the same way before any load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from profpipe import capture
from profpipe.model.run import CaptureFile, Phase, RunRecord
from profpipe.pipeline.execute.one_run import run_once
from profpipe.pipeline.measure.give_up import given_up
from profpipe.pipeline.prepare.schedule import RunPlan
from tests.support.analyse_cases import load
from tests.support.prepared_study import TARGET, prepared


def ended(*phases: Phase | None, variant: str = "a", profiler: str = "clean") -> list[RunRecord]:
    return [
        RunRecord("s", variant, profiler, n, n, (), "", reason=phase and f"failed at {phase}", phase=phase)
        for n, phase in enumerate(phases, start=1)
    ]


def plan(profiler: str = "clean", variant: str = "a") -> RunPlan:
    return RunPlan(9, variant, profiler, 3, control=False)


def test_two_failures_before_the_load_are_enough() -> None:
    records = ended("ready", "ready")
    assert given_up(records, plan()) is records[-1]
    assert given_up(ended("build", "start"), plan()) is not None
    assert given_up(ended("ready"), plan()) is None


def test_captures_that_cannot_be_read_are_not_taken_for_all_rounds() -> None:
    records = [*ended(None, None), *ended("parse", "parse", profiler="yappi")]
    assert given_up(records, plan("yappi")) is records[-1]
    assert given_up(records, plan("callgrind")) is None
    assert given_up(records, plan("yappi", variant="b")) is None


@pytest.mark.parametrize(("number", "phase"), [(1, "parse"), (2, "parse"), (3, None)])
def test_a_study_without_a_trial_reads_its_first_captures_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, phase: str | None
) -> None:
    def captured(*_: object, begun: RunRecord, folder: Path, **__: object) -> RunRecord:
        folder.mkdir()
        (folder / "a.pstats").write_bytes(b"{(cut short")
        file = CaptureFile("a.pstats", "pstats", "", 11)
        return replace(begun, load=load(100), captures=(file,))

    monkeypatch.setattr(capture, "capture_run", captured)
    made = prepared(tmp_path, {"a": TARGET}, load={"requests": 100})
    run = replace(plan("clean"), round=number)
    found = run_once(made, run, tmp_path / "run", lambda _: None)
    assert found.phase == phase
    assert (found.reason is None) == (phase is None)
    assert phase is None or (found.reason or "").startswith("its capture cannot be read: a.pstats at byte 1: ")


def test_a_server_that_has_run_or_failed_late_is_tried_again() -> None:
    assert given_up(ended("ready", None), plan()) is None
    assert given_up(ended("ready", None, "ready"), plan()) is None
    assert given_up(ended("load", "load", "save"), plan()) is None
    assert given_up(ended("ready", "load"), plan()) is None


def test_a_server_that_does_not_start_without_a_profiler_is_not_tried_under_one() -> None:
    """Under callgrind a server has ten times as long to become ready."""
    assert given_up(ended("ready", "ready"), plan("callgrind")) is not None
    assert given_up(ended("ready", "ready", profiler="callgrind"), plan("callgrind")) is not None


def test_a_profiler_that_breaks_a_server_does_not_end_the_other_profilers() -> None:
    records = [*ended(None, None), *ended("ready", "ready", profiler="callgrind")]
    assert given_up(records, plan("yappi")) is None
    assert given_up(records, plan("callgrind")) is not None


def test_other_variants_are_not_punished() -> None:
    assert given_up(ended("ready", "ready", variant="b"), plan()) is None
