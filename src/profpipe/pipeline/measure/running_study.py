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
from profpipe.errors import CaptureError, ProfpipeError
from profpipe.model.run import Phase, RunRecord
from profpipe.model.study import StudyRecord
from profpipe.pipeline.events import Listener, Note, RunEnded, RunStarted, StudyStarted
from profpipe.pipeline.execute.executors import find_executor
from profpipe.pipeline.execute.interface import Session, Unit
from profpipe.pipeline.execute.one_run import PlannedRun, begin_record
from profpipe.pipeline.measure.give_up import given_up, not_tried_again
from profpipe.pipeline.measure.redact import credentials_of, redactor
from profpipe.pipeline.measure.study_record import study_record
from profpipe.pipeline.prepare.load_plans import NOT_MEASURED
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.study.read import LoadedFile


@dataclass(slots=True)
class RunningStudy:
    """`broken` = the variants that do not build; `ended` = records in the order in which the runs ended.

    `starts` = how many starts are kept in the folder.
    """

    prepared: PreparedStudy
    folder: Path
    study: StudyRecord
    session: Session
    listen: Listener
    broken: Mapping[str, CaptureError] = field(default_factory=dict)
    ended: list[RunRecord] = field(default_factory=list)
    starts: int = 0

    def build(self) -> None:
        """Build every target; the runs of one that fails are recorded as invalid and not tried."""
        self.broken = self.session.build()

    def run(self, plans: Iterable[RunPlan]) -> None:
        """Carry out planned runs. One that is known to fail is recorded as not tried.

        Raises KeyboardInterrupt and ProfpipeError of the executor or the store: runs that have not ended leave no
        folder, because half a capture must never be taken for a whole one.
        """
        begun: dict[Path, RunPlan] = {}
        try:
            for run, record in self.session.carry_out(self._units(plans, begun)):
                self._keep(run, record, begun)
        except (KeyboardInterrupt, ProfpipeError):
            store.remove_unfinished_runs(self.folder)
            raise

    def _units(self, plans: Iterable[RunPlan], begun: dict[Path, RunPlan]) -> Iterator[PlannedRun]:
        """The runs, each made when the executor asks for it: by then it may be known that the run would fail."""
        for plan in plans:
            self.listen(RunStarted(plan))
            home = store.new_run_folder(self.folder, plan.order, plan.variant, plan.profiler, plan.round, plan.control)
            begun[home] = plan
            run = PlannedRun(plan, home, self.prepared.fitted)
            if (error := self._known_failure(plan)) is None:
                yield run
            else:
                self._keep(run, _not_tried(self.prepared, plan, error), begun)

    def _known_failure(self, plan: RunPlan) -> CaptureError | None:
        if plan.variant in self.broken:
            return self.broken[plan.variant]
        last = given_up(self.ended, plan)
        return None if last is None else not_tried_again(last)

    def _keep(self, run: Unit[RunRecord], record: RunRecord, begun: dict[Path, RunPlan]) -> None:
        plan = begun[run.folder]
        hidden = redactor(
            self.prepared.variants.roots.values(),
            [self.prepared.targets[plan.variant]],
            credentials_of(self.prepared),
        )
        record = hidden.redact_run(record)
        store.write_run(run.folder, record)
        del begun[run.folder]
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
