"""Runs of several variants under one sampler at once: each gets the samples of its own server, or none is valid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from profpipe import store
from profpipe.load.slices.client import Client
from profpipe.model.run import RunRecord
from profpipe.pipeline.events import Event, Note
from profpipe.pipeline.execute.one_run import PlannedRun, begin_record
from profpipe.pipeline.execute.together import FACT, RunsTogether, may_join
from profpipe.pipeline.measure.running_study import SAMPLED_TOGETHER, RunningStudy
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from tests.support.prepared_study import prepared
from tests.support.slices_driving import command, our_servers
from tests.support.study_facts import study_record
from tests.support.tools import require

LOAD = {"requests": 3000, "connections": 4, "warmup": 16}


def server(fault: str = "none", after: int = 0) -> dict[str, Any]:
    return {"command": command(fault, after), "language": "python", "stop_timeout": 1.0}


def study(folder: Path, profiler: str = "perf", other: dict[str, Any] | None = None, **more: Any) -> PreparedStudy:
    targets = {"plain": server(), "other": other or server("slower", -1000)}
    settings = {"profilers": ["clean", profiler], "load": LOAD, "seed": 5, **more}
    return replace(prepared(folder, targets, **settings), by_slices=True)


def plans(profiler: str = "perf") -> tuple[RunPlan, ...]:
    return tuple(RunPlan(number, name, profiler, 1, False) for number, name in enumerate(("plain", "other"), 1))


def carried_out(found: PreparedStudy, folder: Path, profiler: str = "perf") -> tuple[RunRecord, ...]:
    folder.mkdir()
    return RunsTogether(plans(profiler), folder).carry_out(found, folder, lambda _: None)


@pytest.mark.real
def test_one_recording_of_perf_is_told_apart_by_process(tmp_path: Path) -> None:
    require("perf")
    records = carried_out(study(tmp_path), tmp_path / "unit")
    pids = set[str]()
    for record, other in zip(records, ("other", "plain"), strict=True):
        assert record.reason is None
        assert record.profiler_facts[FACT] == other
        assert record.load is not None
        assert 2900 <= record.load.served <= 3000
        (capture,) = record.captures
        text = (tmp_path / "unit" / record.variant / capture.path).read_text()
        (pid,) = set(re.findall(r"^\S.* (\d+)/\d+ +[\d.]+: ", text, re.MULTILINE))
        pids.add(pid)
    assert len(pids) == 2
    plain, costly = (record.usage for record in records)
    assert plain is not None
    assert costly is not None
    samples = [int(record.profiler_facts["samples"].replace(",", "")) for record in records]
    assert samples[1] > samples[0], "a request of the other burns 220 us and more"
    assert [path.name for path in (tmp_path / "unit").rglob("perf.data*")] == []
    assert our_servers() == []


@pytest.mark.real
def test_every_server_has_a_py_spy_of_its_own(tmp_path: Path) -> None:
    require("py-spy")
    records = carried_out(study(tmp_path, "py-spy"), tmp_path / "unit", "py-spy")
    for record in records:
        assert record.reason is None
        (capture,) = record.captures
        text = (tmp_path / "unit" / record.variant / capture.path).read_text()
        assert ("burn" in text) == (record.variant == "other")
    assert our_servers() == []


@pytest.mark.real
def test_a_variant_that_dies_makes_all_runs_invalid_and_is_named(tmp_path: Path) -> None:
    require("perf")
    plain, dead = carried_out(study(tmp_path, other=server("die", 200)), tmp_path / "unit")
    assert dead.reason is not None
    assert "killed by SIGSEGV" in dead.reason
    assert plain.reason is not None
    assert plain.reason.startswith("the load failed: other: ")
    assert our_servers() == []


@pytest.mark.real
def test_a_variant_that_does_not_serve_makes_all_runs_invalid(tmp_path: Path) -> None:
    require("perf")
    broken = {**server(), "command": ["{python}", "-c", "raise SystemExit(4)", "{port}"]}
    plain, other = carried_out(study(tmp_path, other=broken), tmp_path / "unit")
    assert (other.phase, "exit status 4" in str(other.reason)) == ("ready", True)
    assert "exit status 4" in str(plain.reason)
    assert our_servers() == []


@pytest.mark.programs
def test_only_samplers_of_a_study_by_slices_join_and_only_for_one_count_of_requests(tmp_path: Path) -> None:
    require("perf")
    found = study(tmp_path)
    assert may_join(found, plans())
    assert not may_join(replace(found, by_slices=False), plans())
    assert not may_join(found, plans()[:1])
    assert not may_join(found, plans("clean"))
    rate = found.study.model_copy(update={"load": found.study.load.model_copy(update={"mode": "closed"})})
    assert not may_join(replace(found, study=rate), plans())


@pytest.mark.real
def test_a_stop_while_all_are_loaded_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("perf")
    seen: list[int] = []

    def stopped(*_: object) -> None:
        seen.extend(our_servers())
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "slices", stopped)
    with pytest.raises(KeyboardInterrupt):
        carried_out(study(tmp_path), tmp_path / "unit")
    assert len(seen) == 2
    assert our_servers() == []
    assert not [one for one in psutil.Process().children(recursive=True) if one.name() == "perf"]


class Works:
    """A session whose runs together are valid, with a file each."""

    def __init__(self, study: PreparedStudy) -> None:
        self.study = study

    def carry_out(self, units: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for unit in units:
            for plan in unit.plans:
                (unit.folder / plan.variant).mkdir()
                (unit.folder / plan.variant / "capture").write_text(f"{plan.variant} {plan.round}")
            yield unit, tuple(begin_record(self.study, plan) for plan in unit.plans)


@pytest.mark.programs
def test_runs_together_are_kept_as_runs_of_their_variants_and_the_report_says_so(tmp_path: Path) -> None:
    require("perf")
    found = study(tmp_path)
    session: Any = Works(found)
    home = tmp_path / "run"
    (home / "runs").mkdir(parents=True)
    running = RunningStudy(found, home, study_record(["plain", "other"]), session, lambda _: None)
    running.run([*plans(), *(replace(plan, order=plan.order + 2, round=2) for plan in reversed(plans()))])
    assert [run.variant for run in running.ended] == ["plain", "other", "other", "plain"]
    kept = {path.parent.name: path.read_text() for path in home.glob("runs/*/capture")}
    assert kept == {
        "0001-plain-perf-r1": "plain 1",
        "0002-other-perf-r1": "other 1",
        "0004-other-perf-r2": "other 2",
        "0003-plain-perf-r2": "plain 2",
    }
    assert [limit.text for limit in running.study.limits] == [SAMPLED_TOGETHER]
    assert store.read_study(home).limits == running.study.limits


class Fails:
    """A session in which no variants run together, and each runs alone."""

    def __init__(self, study: PreparedStudy) -> None:
        self.study = study
        self.units: list[object] = []

    def carry_out(self, units: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for unit in units:
            self.units.append(unit)
            if isinstance(unit, RunsTogether):
                (unit.folder / "plain").mkdir()
                why = "the load failed: other: it gave no answer for 5 s"
                yield unit, tuple(replace(begin_record(self.study, plan), reason=why) for plan in unit.plans)
            else:
                yield unit, begin_record(self.study, unit.plan)


def test_variants_that_fail_together_are_run_one_after_another_and_it_is_said(tmp_path: Path) -> None:
    require("perf")
    found, said = study(tmp_path), list[Event]()
    session: Any = Fails(found)
    (tmp_path / "run" / "runs").mkdir(parents=True)
    running = RunningStudy(found, tmp_path / "run", study_record(["plain", "other"]), session, said.append)
    running.run([*plans(), *(replace(plan, order=plan.order + 2, round=2) for plan in plans())])
    kinds = [type(unit) for unit in session.units]
    assert kinds == [RunsTogether, PlannedRun, PlannedRun, PlannedRun, PlannedRun], "together they are tried once"
    assert all(record.valid for record in running.ended)
    assert len(running.ended) == 4
    notes = [event.text for event in said if isinstance(event, Note)]
    assert notes == [
        "perf: the variants are run one after another, for together they failed: other: it gave no answer for 5 s"
    ]
    folders = sorted(path.name for path in (tmp_path / "run" / "runs").iterdir())
    assert folders == ["0001-plain-perf-r1", "0002-other-perf-r1", "0003-plain-perf-r2", "0004-other-perf-r2"]
