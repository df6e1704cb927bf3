"""The seam of an executor: what it is given, what it gives back, and what is kept when it fails or is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from profpipe import store
from profpipe.errors import CaptureError, StoreError, UsageError
from profpipe.model.run import RunRecord
from profpipe.pipeline.events import Event, Listener, PhaseEntered, RunEnded, RunStarted, StudyStarted
from profpipe.pipeline.execute import executors
from profpipe.pipeline.execute.interface import Executor, Session
from profpipe.pipeline.execute.one_run import PlannedRun, begin_record
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.whole_study import run_study
from profpipe.plugins import protocol_faults
from profpipe.study.read import LoadedFile, read_study_file
from tests.support.paths import ROOT
from tests.support.prepared_study import TARGET, prepared
from tests.support.process_executor import ProcessExecutor

Batch = list[tuple[PlannedRun, RunRecord]]


@dataclass
class Fleet:
    """An executor of other machines: `hosts` units at a time, which end in reverse order. Nothing is measured."""

    hosts: int = 2
    broken: Mapping[str, CaptureError] = field(default_factory=dict)
    change: Callable[[RunRecord], RunRecord] = lambda record: record
    told: list[Event] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    closed: int = 0
    study: PreparedStudy | None = None
    listen: Listener | None = None

    def missing(self) -> str | None:
        return None if self.hosts else "no host answers; start a worker"

    @contextmanager
    def session(self, study: PreparedStudy, address: str, listen: Listener) -> Iterator[Session]:
        self.opened.append(address)
        self.study, self.listen = study, listen
        try:
            yield self
        finally:
            self.closed += 1

    def environment(self) -> Mapping[str, str]:
        return {"CPU": "a fleet of two"}

    def build(self) -> Mapping[str, CaptureError]:
        return self.broken

    def carry_out(self, units: Iterable[PlannedRun]) -> Iterator[tuple[PlannedRun, RunRecord]]:
        waiting = iter(units)
        while together := list(islice(waiting, self.hosts)):
            yield from self.reversed([(run, self.record(run)) for run in together])

    def reversed(self, batch: Batch) -> Batch:
        return batch[::-1]

    def record(self, run: PlannedRun) -> RunRecord:
        assert self.study is not None
        assert self.listen is not None
        assert list(run.folder.iterdir()) == []
        (run.folder / "capture").write_text("half")
        self.listen(PhaseEntered(run.plan, "window"))
        return self.change(begin_record(self.study, run.plan))


def register(monkeypatch: pytest.MonkeyPatch, name: str, executor: Executor) -> None:
    registry = replace(executors.EXECUTORS, builtin={**executors.EXECUTORS.builtin, name: f"executor_{name}"})
    monkeypatch.setattr(executors, "EXECUTORS", registry)
    monkeypatch.setitem(sys.modules, f"executor_{name}", executor)  # type: ignore[arg-type]


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    made = Fleet()
    register(monkeypatch, "fleet", made)  # type: ignore[arg-type]
    return made


def study_of(folder: Path, on: str = "fleet:two") -> tuple[PreparedStudy, LoadedFile]:
    found = prepared(
        folder, {"a": TARGET, "b": TARGET}, RunOptions(on=on), rounds=2, control=False, load={"requests": 100}
    )
    return found, read_study_file(folder / "profpipe.toml")


def carry_out(folder: Path, listen: Listener, on: str = "fleet:two") -> Path:
    return run_study(*study_of(folder, on), folder / "reports", "profpipe run s", listen)


def kept(folder: Path) -> dict[int, RunRecord]:
    return {stored.record.order: stored.record for stored in store.read_runs(folder)}


def folders(reports: Path) -> list[str]:
    return sorted(path.name for path in reports.glob("s/*/runs/*"))


def test_local_and_a_fleet_follow_the_protocol() -> None:
    assert protocol_faults(executors.EXECUTORS.get("local"), Executor) == []
    assert protocol_faults(Fleet(), Executor) == []
    assert protocol_faults(SimpleNamespace(missing=lambda: None), Executor) == ["lacks session"]


@pytest.mark.programs
def test_units_may_run_together_and_end_in_another_order(fleet: Fleet, tmp_path: Path) -> None:
    folder = carry_out(tmp_path, fleet.told.append)
    assert fleet.opened == ["two"]
    assert fleet.closed == 1
    assert sorted(kept(folder)) == [1, 2, 3, 4]
    assert [event.plan.order for event in fleet.told if isinstance(event, RunStarted)] == [1, 2, 3, 4]
    assert [event.plan.order for event in fleet.told if isinstance(event, RunEnded)] == [2, 1, 4, 3]
    assert store.read_study(folder).environment["CPU"] == "a fleet of two"


@pytest.mark.programs
def test_a_unit_is_taken_when_there_is_a_host_for_it(fleet: Fleet, tmp_path: Path) -> None:
    """Two failures before the load end a variant: what is planned later is not handed over any more."""
    fleet.hosts = 1
    fleet.change = lambda record: (
        replace(record, reason="it never answers", phase="ready") if record.variant == "b" else record
    )
    found, loaded = study_of(tmp_path)
    runs = found.schedule({"clean": 3}, {}, 0)
    folder = run_study(replace(found, runs=runs), loaded, tmp_path / "reports", "profpipe run s", fleet.told.append)
    reasons = [record.reason for record in kept(folder).values() if record.variant == "b"]
    assert reasons == [*["it never answers"] * 2, "not tried again after two failed runs: it never answers"]
    assert len([event for event in fleet.told if isinstance(event, PhaseEntered)]) == 5


@pytest.mark.programs
def test_a_variant_that_does_not_build_is_never_handed_over(fleet: Fleet, tmp_path: Path) -> None:
    fleet.broken = {"b": CaptureError("build", "no compiler", log_tail=("cc: not found",))}
    folder = carry_out(tmp_path, fleet.told.append)
    found = [record for record in kept(folder).values() if record.variant == "b"]
    assert {(record.reason, record.phase, record.log_tail) for record in found} == {
        ("no compiler", "build", ("cc: not found",))
    }
    assert len(kept(folder)) == 4


@pytest.mark.programs
@pytest.mark.parametrize("error", [KeyboardInterrupt(), StoreError("no space left")])
def test_what_is_under_way_leaves_nothing_when_it_is_stopped(
    fleet: Fleet, tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_in_the_second_batch(batch: Batch) -> Batch:
        if batch[0][0].plan.order > 2:
            raise error
        return batch

    monkeypatch.setattr(fleet, "reversed", stop_in_the_second_batch)
    with pytest.raises(type(error)):
        carry_out(tmp_path, fleet.told.append)
    assert [name[:4] for name in folders(tmp_path / "reports")] == ["0001", "0002"]
    assert fleet.closed == 1


@pytest.mark.programs
def test_a_study_that_is_stopped_before_any_run_has_ended_leaves_no_folder(fleet: Fleet, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, PhaseEntered):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, stop)
    assert list((tmp_path / "reports").glob("s/*")) == []
    assert fleet.closed == 1


@pytest.mark.parametrize(
    ("on", "hosts", "text"),
    [
        ("nowhere", 2, r"no executor named 'nowhere'; there are: local, fleet"),
        ("fleet:two", 0, r"--on fleet:two: no host answers; start a worker"),
        ("local:4", 2, r"--on local:4: local takes no address; write --on local"),
    ],
)
def test_an_executor_that_cannot_be_used_is_named_before_anything_is_written(
    fleet: Fleet, tmp_path: Path, on: str, hosts: int, text: str
) -> None:
    fleet.hosts = hosts
    with pytest.raises(UsageError, match=text):
        carry_out(tmp_path, fleet.told.append, on)
    assert not (tmp_path / "reports").exists()
    assert not [event for event in fleet.told if isinstance(event, StudyStarted)]


def test_the_command_that_measures_again_names_the_executor(tmp_path: Path) -> None:
    assert RunOptions(on="fleet:two").command("s") == "profpipe run s --on fleet:two"
    assert RunOptions().command("s") == "profpipe run s"


@pytest.mark.real
def test_runs_can_be_carried_out_by_other_processes_in_other_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an executor on other hosts does: study, unit and record are sent, files come back, events are reported."""
    register(monkeypatch, "processes", ProcessExecutor(2, tmp_path / "worker"))
    target = {
        "command": ["{python}", str(ROOT / "targets/python/threads.py"), "--port", "{port}"],
        "language": "python",
    }
    events: list[Event] = []
    options = RunOptions(on="processes", requests=50)
    found = prepared(tmp_path, {"a": target, "b": target}, options, rounds=2, control=False)
    loaded = read_study_file(tmp_path / "profpipe.toml")
    folder = run_study(found, loaded, tmp_path / "reports", "profpipe run s", events.append)
    served = {order: (record.reason, record.requests) for order, record in kept(folder).items()}
    assert served == dict.fromkeys((1, 2, 3, 4), (None, 50))
    assert all((stored.folder / "server.log").is_file() for stored in store.read_runs(folder))
    assert "window" in {event.phase for event in events if isinstance(event, PhaseEntered)}
    assert list((tmp_path / "worker").iterdir()) == []
