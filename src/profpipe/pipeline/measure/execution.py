"""Runs a prepared study: every run in a fresh process, its record written as soon as it ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

from profpipe import capture, load, store
from profpipe.errors import CaptureError, ProfpipeError
from profpipe.model.run import LoadResult, Phase, RunRecord
from profpipe.model.study import StudyRecord
from profpipe.pipeline.events import Building, Listener, Note, PhaseEntered, RunEnded, RunStarted, StudyStarted
from profpipe.pipeline.execute.judge import NOT_AGAIN, given_up, judge
from profpipe.pipeline.measure.redact import redactor
from profpipe.pipeline.prepare.instruments import NOT_MEASURED, fit
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.pipeline.prepare.study import PreparedStudy
from profpipe.pipeline.prepare.study_record import study_record
from profpipe.study import LoadPlan, Target
from profpipe.study.read import LoadedFile

# Throughput and latency need no seven rounds: they are shown, and carry no verdict below four rounds.
EXTRA_LOAD_ROUNDS = 3
# What a load generator wrote, a folder per load. All of it is in run.json (h2load's log alone is 30 bytes a request),
# so the folders are kept of runs that are not valid, to find out why.
WARM_UP, LOAD, THROUGHPUT, LATENCY = "warm-up", "load", "throughput", "latency"


@dataclass(slots=True)
class Execution:
    """A study under way: its folder, what does not build, and the runs that have ended."""

    prepared: PreparedStudy
    folder: Path
    study: StudyRecord
    listen: Listener
    broken: dict[str, CaptureError] = field(default_factory=dict)
    ended: list[RunRecord] = field(default_factory=list)

    def build(self) -> None:
        """Build every target, once where several have the same build; one that fails is left for its runs to say so."""
        self.broken = build_targets(self.prepared, self.listen)

    def run(self, run: RunPlan) -> None:
        """One planned run: measured, or recorded as not tried where it is known to fail."""
        self.listen(RunStarted(run))
        home = store.new_run_folder(self.folder, run.order, run.variant, run.profiler, run.round, run.control)
        with _whole_or_absent(home):
            last = given_up(self.ended, run)
            if run.variant in self.broken:
                record = _never_started(self.prepared, run, self.broken[run.variant])
            elif last is not None:
                why = (last.reason or "").removeprefix(f"{NOT_AGAIN}: ")
                record = _never_started(self.prepared, run, CaptureError(last.phase or "start", f"{NOT_AGAIN}: {why}"))
            else:
                record = _run_once(self.prepared, run, home, self.listen)
            hidden = redactor(self.prepared.variants.roots.values(), [self.prepared.targets[run.variant]])
            record = hidden.redact_run(record)
            store.write_run(home, record)
        self.ended.append(record)
        self.listen(RunEnded(run, record))


def run_study(prepared: PreparedStudy, loaded: LoadedFile, reports: Path, command: str, listen: Listener) -> Path:
    """Run every planned run and return the run folder. A failed run is recorded, the others go on.

    On KeyboardInterrupt, and when the disk is full (StoreError), the server is gone, finished runs are kept, the one
    under way leaves nothing, and the error goes on to the caller. A folder without a finished run is removed.
    """
    with execution(prepared, loaded, reports, command, listen) as under_way:
        under_way.build()
        for run in prepared.runs:
            under_way.run(run)
    return under_way.folder


@contextmanager
def execution(
    prepared: PreparedStudy, loaded: LoadedFile, reports: Path, command: str, listen: Listener
) -> Iterator[Execution]:
    """A new run folder with its study.json; removed again when the block fails before a run has ended."""
    for name, reason in prepared.left_out:
        listen(Note(f"{name} is left out: {reason}"))
    for profiler, text, variants in prepared.limits:
        if NOT_MEASURED in text:
            listen(Note(f"{profiler}{' on ' if variants else ''}{', '.join(variants)}: {text}"))
    created = datetime.now(UTC)
    folder = store.new_study_folder(reports.absolute(), prepared.id, created.strftime("%Y%m%d-%H%M%S"))
    under_way: Execution | None = None
    try:
        hidden = redactor(prepared.variants.roots.values()).redact_study(
            study_record(prepared, loaded, command, created)
        )
        store.write_study(folder, hidden)
        listen(StudyStarted(folder, len(prepared.runs)))
        under_way = Execution(prepared, folder, hidden, listen)
        yield under_way
    except BaseException:
        if under_way is None or not under_way.ended:
            shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _whole_or_absent(home: Path) -> Iterator[None]:
    """A run that is cut off leaves nothing: half a capture must never be taken for a whole one."""
    try:
        yield
    except (KeyboardInterrupt, ProfpipeError):
        shutil.rmtree(home, ignore_errors=True)
        raise


def build_targets(prepared: PreparedStudy, listen: Listener) -> dict[str, CaptureError]:
    """Build every target in its folder; the errors of those that fail, by variant."""
    done: dict[tuple[object, ...], CaptureError | None] = {}
    for name, target in prepared.targets.items():
        build = _same_build(prepared, name)
        if build not in done and not capture.built_without(target, prepared.root_of(name)):
            done[build] = _built(prepared, name, target, listen)
    found = {name: done.get(_same_build(prepared, name)) for name in prepared.targets}
    return {name: error for name, error in found.items() if error is not None}


def _same_build(prepared: PreparedStudy, name: str) -> tuple[object, ...]:
    target = prepared.targets[name]
    return prepared.root_of(name), target.cwd, target.build, tuple(sorted(target.env.items()))


def _built(prepared: PreparedStudy, name: str, target: Target, listen: Listener) -> CaptureError | None:
    try:
        capture.build(target, prepared.root_of(name), partial(_tell, listen, name))
    except CaptureError as error:
        listen(Note(f"{name} does not build: {reason_of(error)}"))
        return error
    return None


def reason_of(error: CaptureError) -> str:
    """What went wrong, without the phase in front."""
    return str(error).removeprefix(f"{error.phase}: ")


def _tell(listen: Listener, target: str, line: str) -> None:
    listen(Building(target, line))


def _never_started(prepared: PreparedStudy, run: RunPlan, error: CaptureError) -> RunRecord:
    return RunRecord(
        study=prepared.id,
        variant=run.variant,
        profiler=run.profiler,
        round=run.round,
        order=run.order,
        command=prepared.targets[run.variant].command,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        control=run.control,
        reason=reason_of(error),
        phase=cast("Phase", error.phase),
        log_tail=error.log_tail,
    )


def _run_once(prepared: PreparedStudy, run: RunPlan, home: Path, listen: Listener) -> RunRecord:
    target, plan = prepared.targets[run.variant], prepared.plan_for(run)
    study, placement = prepared.study, prepared.placement_for(run)
    extra = ExtraLoads(prepared, run, target, home)
    started = datetime.now(UTC).isoformat(timespec="seconds")

    captured = capture.capture_run(
        target,
        study.tool(run.profiler),
        root=prepared.root_of(run.variant),
        folder=home,
        options=study.use(run.profiler).options,
        placement=placement,
        warm_up=lambda host, port: load.warm_up(plan, host, port, cpus=placement.load_cpus, folder=home / WARM_UP),
        load=lambda host, port: _drive(plan, host, port, placement.load_cpus, home / LOAD),
        after=extra.run if extra.wanted else None,
        on_phase=lambda phase: listen(PhaseEntered(run, phase)),
    )
    reason, phase = judge(captured, plan)
    if reason is None:
        for name in (WARM_UP, LOAD, THROUGHPUT, LATENCY):
            shutil.rmtree(home / name, ignore_errors=True)
    return RunRecord(
        study=prepared.id,
        variant=run.variant,
        profiler=run.profiler,
        round=run.round,
        order=run.order,
        command=captured.command,
        started=started,
        control=run.control,
        reason=reason,
        phase=phase,
        refused=captured.refused,
        log_tail=captured.log_tail if reason else (),
        load=captured.load,
        usage=captured.usage,
        throughput=extra.throughput,
        latency=extra.latency,
        captures=captured.captures,
        placement=captured.placement,
        profiler_facts=captured.profiler_facts,
        warnings=captured.warnings,
    )


def _drive(plan: LoadPlan, host: str, port: int, cpus: tuple[int, ...], folder: Path) -> LoadResult:
    return load.run(load.choose(plan), plan, host, port, cpus=cpus, folder=folder)


class ExtraLoads:
    """The loads of a clean run after its window: a closed loop for throughput, a fixed rate for latency.

    They need a server that is running anyway and must not share the window whose CPU is counted.
    """

    def __init__(self, prepared: PreparedStudy, run: RunPlan, target: Target, folder: Path) -> None:
        self.prepared, self.target, self.folder = prepared, target, folder
        self.cpus = prepared.placement_for(run).load_cpus
        first_rounds = run.profiler == "clean" and run.round <= EXTRA_LOAD_ROUNDS and not run.control
        self.wanted = first_rounds and bool(prepared.study.throughput or prepared.study.latency)
        self.throughput: LoadResult | None = None
        self.latency: LoadResult | None = None

    def run(self, host: str, port: int) -> None:
        study = self.prepared.study
        if study.throughput is not None:
            self.throughput = self._drive(study.throughput, host, port, THROUGHPUT)
        if study.latency is not None:
            self.latency = self._drive(study.latency, host, port, LATENCY)

    def _drive(self, plan: LoadPlan, host: str, port: int, name: str) -> LoadResult:
        own = fit(plan, self.target, self.prepared.generator)
        return _drive(own, host, port, self.cpus, self.folder / name)
