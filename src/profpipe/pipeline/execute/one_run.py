"""One run on this machine: its server, its loads, its captures, and whether it is valid."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from profpipe import capture, load
from profpipe.errors import LoadError
from profpipe.load.answers import miscounted
from profpipe.load.doubts import Doubt, with_doubts
from profpipe.load.set_up import SetUp
from profpipe.model.run import LoadResult, Phase, RunRecord
from profpipe.pipeline.captures import unreadable
from profpipe.pipeline.events import Listener, PhaseEntered
from profpipe.pipeline.execute.judge import judge
from profpipe.pipeline.prepare.fitted import NOT_FITTED, Fitted
from profpipe.pipeline.prepare.load_plans import fit
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.study import LoadPlan

# Throughput and latency need no seven rounds: they are shown, and carry no verdict below four rounds.
EXTRA_LOAD_ROUNDS = 3
# Without a trial, the first captures are read at once: what cannot be read is not measured for all rounds.
READ_AT_ONCE = 2
# What a load generator wrote, a folder per load. All of it is in run.json (h2load's log alone is 30 bytes a request),
# so the folders are kept only of invalid runs, to find out why.
WARM_UP, LOAD, THROUGHPUT, LATENCY = "warm-up", "load", "throughput", "latency"


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run as a unit of an executor; `folder` is where its files are kept on the machine of the user.

    `fitted` = loads that became known after the executor was given the study.
    """

    plan: RunPlan
    folder: Path
    fitted: Fitted = NOT_FITTED

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> RunRecord:
        return run_once(replace(study, fitted=self.fitted), self.plan, folder, listen)


def run_once(study: PreparedStudy, plan: RunPlan, folder: Path, listen: Listener) -> RunRecord:
    """Carry out one run with its files in `folder`. A run that fails is a record with its reason and phase."""
    load_plan, placement = study.plan_for(plan), study.placement_for(plan)
    warmed: list[LoadResult] = []
    set_up = SetUp()
    extra = ExtraLoads(study, plan, folder, warmed, set_up)

    def warm_up(host: str, port: int) -> LoadResult:
        ready = set_up.ready(load_plan, host, port)
        warmed[:] = [load.warm_up(ready, host, port, cpus=placement.load_cpus, folder=folder / WARM_UP)]
        return warmed[0]

    def drive(host: str, port: int) -> LoadResult:
        _refuse_miscounted(load_plan, warmed)
        return _drive(set_up.ready(load_plan, host, port), host, port, placement.load_cpus, folder / LOAD)

    after = extra.run if extra.wanted else None
    record = capture_planned(
        study, plan, folder, listen, warm_up=warm_up, drive=drive, after=after, secrets=lambda: set_up.secrets
    )
    reason, phase = _judged(study, plan, load_plan, record, folder)
    if reason is None:
        remove_load_files(folder)
    return replace(
        record,
        reason=reason,
        phase=phase,
        log_tail=record.log_tail if reason else (),
        throughput=extra.throughput,
        latency=extra.latency,
    )


def capture_planned(
    study: PreparedStudy,
    plan: RunPlan,
    folder: Path,
    listen: Listener,
    *,
    warm_up: Callable[[str, int], LoadResult],
    drive: Callable[[str, int], LoadResult],
    after: Callable[[str, int], None] | None = None,
    instance: capture.Profiler | None = None,
    secrets: Callable[[], Sequence[str]] = tuple,
) -> RunRecord:
    """capture.capture_run with what the study says of this run; its loads, their `secrets` and `instance` are the
    caller's."""
    record = capture.capture_run(
        study.targets[plan.variant],
        study.study.tool(plan.profiler),
        begun=begin_record(study, plan),
        root=study.root_of(plan.variant),
        folder=folder,
        options=study.study.use(plan.profiler).options,
        placement=study.placement_for(plan),
        warm_up=warm_up,
        load=drive,
        after=after,
        request=study.plan_for(plan).request,
        on_phase=lambda phase: listen(PhaseEntered(plan, phase)),
        instance=instance,
        secrets=secrets,
    )
    return without_service(study, record)


def without_service(study: PreparedStudy, record: RunRecord) -> RunRecord:
    """The record of a run whose service ended in it: not valid, by the name of the service; else as it is."""
    if (error := study.beside.ended()) is None:
        return record
    return replace(record, reason=error.text, phase=record.phase or "load", log_tail=error.log_tail)


def _judged(
    study: PreparedStudy, plan: RunPlan, load_plan: LoadPlan, record: RunRecord, folder: Path
) -> tuple[str | None, Phase | None]:
    """Why the run is invalid, and where it failed. After a trial, which has read captures, none is read here."""
    reason, phase = judge(record, load_plan)
    if reason is None and plan.round <= READ_AT_ONCE and study.fitted == NOT_FITTED:
        reason = unreadable(record, folder)
        phase = "parse" if reason else None
    return reason, phase


def _refuse_miscounted(load_plan: LoadPlan, warmed: Sequence[LoadResult]) -> None:
    """Raises LoadError when the generator would miscount what the warm-up has shown of the server."""
    if (why := miscounted(load.choose(load_plan), warmed[0] if warmed else None)) is not None:
        raise LoadError(why)


def remove_load_files(folder: Path) -> None:
    """Remove what load generators wrote: a valid run has all of it in its record."""
    for name in (WARM_UP, LOAD, THROUGHPUT, LATENCY):
        shutil.rmtree(folder / name, ignore_errors=True)


def begin_record(study: PreparedStudy, plan: RunPlan) -> RunRecord:
    """What is known of a run when it begins; `command` is that of the study file until a port is chosen."""
    return RunRecord(
        study=study.id,
        variant=plan.variant,
        profiler=plan.profiler,
        round=plan.round,
        order=plan.order,
        command=study.targets[plan.variant].command,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        control=plan.control,
    )


def _drive(plan: LoadPlan, host: str, port: int, cpus: tuple[int, ...], folder: Path) -> LoadResult:
    return load.run(load.choose(plan), plan, host, port, cpus=cpus, folder=folder)


class ExtraLoads:
    """The loads of a clean run after its window: a closed loop for throughput, a fixed rate for latency.

    They need a server that is running anyway and must not share the window whose CPU is counted.
    """

    def __init__(
        self, study: PreparedStudy, plan: RunPlan, folder: Path, warmed: Sequence[LoadResult], set_up: SetUp
    ) -> None:
        self.warmed, self.set_up = warmed, set_up
        self.study, self.target, self.folder = study, study.targets[plan.variant], folder
        self.cpus = study.placement_for(plan).load_cpus
        first_rounds = plan.profiler == "clean" and plan.round <= EXTRA_LOAD_ROUNDS and not plan.control
        self.wanted = first_rounds and bool(study.study.throughput or study.study.latency)
        self.throughput: LoadResult | None = None
        self.latency: LoadResult | None = None

    def run(self, host: str, port: int) -> None:
        study = self.study.study
        if study.throughput is not None:
            self.throughput = self._drive(study.throughput, host, port, THROUGHPUT)
        if study.latency is not None:
            self.latency = self._drive(study.latency, host, port, LATENCY)

    def _drive(self, plan: LoadPlan, host: str, port: int, name: str) -> LoadResult:
        own = self.set_up.ready(fit(plan, self.target, self.study.generator), host, port)
        found = _drive(own, host, port, self.cpus, self.folder / name)
        why = miscounted(load.choose(own), self.warmed[0] if self.warmed else None)
        return found if why is None else with_doubts(found, [Doubt(why, ("rate", "latency"))])
