"""A study under way: a new run folder, the runs that an executor carries out, each kept as soon as it has ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from profpipe import store
from profpipe.errors import CaptureError, ProfpipeError, UsageError
from profpipe.model.report import Limit
from profpipe.model.run import Phase, RunRecord
from profpipe.model.study import StudyRecord
from profpipe.pipeline.events import Listener, Note, RunEnded, RunStarted, StudyStarted
from profpipe.pipeline.execute.executors import find_executor
from profpipe.pipeline.execute.interface import Session, Unit
from profpipe.pipeline.execute.one_run import PlannedRun, begin_record
from profpipe.pipeline.execute.together import RunsTogether, may_join
from profpipe.pipeline.measure.give_up import given_up, not_tried_again
from profpipe.pipeline.measure.redact import credentials_of, redactor
from profpipe.pipeline.measure.study_record import study_record
from profpipe.pipeline.prepare.load_plans import NOT_MEASURED
from profpipe.pipeline.prepare.options import LOCAL
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.study.read import LoadedFile

SAMPLED_TOGETHER = (
    "the servers of all variants were up at once and loaded in turns: what other programs did fell on all alike"
)
# No variant can have this name.
TOGETHER = "+together"


@dataclass(slots=True)
class RunningStudy:
    """`broken` = the variants that do not build; `ended` = records in the order in which the runs ended.

    `starts` = how many starts are kept in the folder; `apart` = the profilers under which the variants did not run
    together.
    """

    prepared: PreparedStudy
    folder: Path
    study: StudyRecord
    session: Session
    listen: Listener
    broken: Mapping[str, CaptureError] = field(default_factory=dict)
    ended: list[RunRecord] = field(default_factory=list)
    starts: int = 0
    apart: set[str] = field(default_factory=set)

    def build(self) -> None:
        """Build every target; the runs of one that fails are recorded as invalid and not tried."""
        self.broken = self.session.build()

    def run(self, plans: Iterable[RunPlan]) -> None:
        """Carry out planned runs. One that is known to fail is recorded as not tried.

        Raises KeyboardInterrupt and ProfpipeError of the executor or the store: runs that have not ended leave no
        folder, because half a capture must never be taken for a whole one.
        """
        lost: list[RunPlan] = []
        try:
            for unit, found in self.session.carry_out(self._units(plans)):
                if isinstance(unit, RunsTogether) and isinstance(found, tuple):
                    lost += self._keep_together(unit, found)
                elif isinstance(unit, PlannedRun) and isinstance(found, RunRecord):
                    self._keep(unit.plan, unit.folder, found)
            if lost:
                self.run(lost)
        except (KeyboardInterrupt, ProfpipeError):
            store.remove_unfinished_runs(self.folder)
            raise

    def _units(self, plans: Iterable[RunPlan]) -> Iterator[Unit[RunRecord | tuple[RunRecord, ...]]]:
        """The runs, each made when the executor asks for it: by then it may be known that the run would fail."""
        for group in self._groups(plans):
            fails = {plan: self._known_failure(plan) for plan in group}
            for plan in group:
                self.listen(RunStarted(plan))
            if len(group) > 1 and not any(fails.values()) and may_join(self.prepared, group):
                folder = store.new_run_folder(self.folder, group[0].order, TOGETHER, group[0].profiler, group[0].round)
                yield RunsTogether(tuple(group), folder, self.prepared.fitted)
                continue
            for plan, error in fails.items():
                home = self._home(plan)
                if error is None:
                    yield PlannedRun(plan, home, self.prepared.fitted)
                else:
                    self._keep(plan, home, _not_tried(self.prepared, plan, error))

    def _groups(self, plans: Iterable[RunPlan]) -> Iterator[list[RunPlan]]:
        """Runs of one sampler and round in one list, all others alone; no plan is taken before it is needed."""
        group: list[RunPlan] = []
        for plan in plans:
            if group and (plan.profiler, plan.round) != (group[0].profiler, group[0].round):
                yield group
                group = []
            if self.prepared.kinds[plan.profiler] != "sampled" or plan.profiler in self.apart:
                yield [plan]
                continue
            group.append(plan)
            if len(group) == sum((name, plan.profiler) not in self.prepared.refused for name in self.prepared.targets):
                yield group
                group = []
        if group:
            yield group

    def _home(self, plan: RunPlan) -> Path:
        return store.new_run_folder(self.folder, plan.order, plan.variant, plan.profiler, plan.round, plan.control)

    def _keep_together(self, unit: RunsTogether, records: tuple[RunRecord, ...]) -> tuple[RunPlan, ...]:
        """The runs that are still to be done, one after another: all, where none is valid."""
        if any(record.valid for record in records):
            for plan, record in zip(unit.plans, records, strict=True):
                home = self._home(plan)
                shutil.rmtree(home)
                (unit.folder / plan.variant).replace(home)
                self._keep(plan, home, record)
            shutil.rmtree(unit.folder)
            self._say_together(unit.plans[0].profiler)
            return ()
        profiler = unit.plans[0].profiler
        shutil.rmtree(unit.folder)
        self.apart.add(profiler)
        why = (records[0].reason or "").removeprefix("the load failed: ")
        self.listen(Note(f"{profiler}: the variants are run one after another, for together they failed: {why}"))
        return unit.plans

    def _known_failure(self, plan: RunPlan) -> CaptureError | None:
        if plan.variant in self.broken:
            return self.broken[plan.variant]
        last = given_up(self.ended, plan)
        return None if last is None else not_tried_again(last)

    def _say_together(self, profiler: str) -> None:
        """In the report, once."""
        said = Limit(profiler=profiler, text=SAMPLED_TOGETHER)
        if said not in self.study.limits:
            self.study = replace(self.study, limits=(*self.study.limits, said))
            store.write_study(self.folder, self.study)

    def _keep(self, plan: RunPlan, home: Path, record: RunRecord) -> None:
        hidden = redactor(
            self.prepared.variants.roots.values(),
            [self.prepared.targets[plan.variant]],
            credentials_of(self.prepared),
        )
        record = hidden.redact_run(record)
        store.write_run(home, record)
        self.ended.append(record)
        self.listen(RunEnded(plan, record))


@contextmanager
def running_study(
    prepared: PreparedStudy, loaded: LoadedFile, reports: Path, command: str, listen: Listener
) -> Iterator[RunningStudy]:
    """A new run folder with its study.json and an executor ready for it.

    The folder is removed again when the block fails before a run has ended. Raises UsageError for an executor that
    cannot be used, before anything is written.
    """
    executor, address = find_executor(prepared.executor)
    if prepared.study.used_services and prepared.executor != LOCAL:
        names = ", ".join(prepared.study.used_services)
        raise UsageError(f"--on {prepared.executor}: the services {names} are started on this machine only: --on local")
    for left in prepared.left_out:
        listen(Note(f"{left.target} is left out: {left.reason}"))
    for limit in prepared.limits:
        if NOT_MEASURED in limit.text:
            on = f" on {', '.join(limit.variants)}" if limit.variants else ""
            listen(Note(f"{limit.profiler}{on}: {limit.text}"))
    with executor.session(prepared, address, listen) as session:
        created = datetime.now(UTC)
        folder = store.new_study_folder(reports.absolute(), prepared.id, created.strftime("%Y%m%d-%H%M%S"))
        running: RunningStudy | None = None
        try:
            record = study_record(prepared, loaded, command, created, session.environment())
            hidden = redactor(prepared.variants.roots.values(), credentials=credentials_of(prepared)).redact_study(
                record
            )
            store.write_study(folder, hidden)
            listen(StudyStarted(folder, len(prepared.runs)))
            running = RunningStudy(prepared, folder, hidden, session, listen)
            yield running
        except BaseException:
            if running is None or not (running.ended or running.starts):
                shutil.rmtree(folder, ignore_errors=True)
            raise


def _not_tried(prepared: PreparedStudy, plan: RunPlan, error: CaptureError) -> RunRecord:
    begun = begin_record(prepared, plan)
    return replace(begun, reason=error.text, phase=cast("Phase", error.phase), log_tail=error.log_tail)
