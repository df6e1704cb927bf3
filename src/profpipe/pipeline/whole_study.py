"""A study from its first start to its last run: a trial, CPU time by slices where that is possible, then all else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from profpipe import store
from profpipe.errors import UsageError
from profpipe.model.report import Limit, Report, SlicesRecord
from profpipe.model.start import Start
from profpipe.pipeline.events import Fits, Listener, Note, SlicesEnded
from profpipe.pipeline.execute.one_run import EXTRA_LOAD_ROUNDS
from profpipe.pipeline.measure.redact import Redactor, credentials_of, redactor
from profpipe.pipeline.measure.rounds import Bounds, run_rounds
from profpipe.pipeline.measure.running_study import RunningStudy, running_study
from profpipe.pipeline.measure.study_record import loads_in_words
from profpipe.pipeline.prepare.fitted import STUDY_S
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.slices.handshakes import check_handshakes
from profpipe.pipeline.slices.prepared_study import measure_prepared, why_not
from profpipe.pipeline.slices.routes import FewerRoutes, without_unanswered
from profpipe.pipeline.trial.study import needs_trial, try_out
from profpipe.study.read import LoadedFile

# The part of a budget that building may take.
MOST_BEFORE = 0.5
IN_ROUNDS = "CPU time was measured in rounds, not by slices: "


def run_study(prepared: PreparedStudy, loaded: LoadedFile, reports: Path, command: str, listen: Listener) -> Path:
    """Carry out every planned start and run, and return the run folder. A failed run is recorded, the others go on.

    On KeyboardInterrupt, and when the disk is full (StoreError), the servers are gone, finished runs and starts are
    kept, the one under way leaves nothing, and the error goes on to the caller. A folder without any is removed.
    """
    with running_study(prepared, loaded, reports, command, listen) as running:
        running.build()
        check_handshakes(running.prepared, running.session, running.broken)
        check_routes(running)
        trial_first(running)
        by_slices(running)
        running.run(running.prepared.runs)
    return running.folder


def measure_until_decided(
    running: RunningStudy, bounds: Bounds, report_of: Callable[[Path], Report], before_s: float = 0.0
) -> None:
    """Starts first, then rounds until every verdict over rounds is decided; the targets are built.

    The budget is of all together, the trial and the `before_s` seconds of building included: starts that took it leave
    the planned rounds, and none is added. However long building took, half of the budget is for measuring.
    """
    whole_s = bounds.budget_s or running.prepared.study.budget or STUDY_S
    before_s = min(before_s, whole_s * MOST_BEFORE)
    begun = time.monotonic() - before_s
    check_handshakes(running.prepared, running.session, running.broken)
    check_routes(running)
    if trial_first(running, before_s):
        bounds = replace(bounds, budget_s=whole_s)
    by_slices(running)
    if bounds.budget_s is not None:
        bounds = replace(bounds, budget_s=max(bounds.budget_s - (time.monotonic() - begun), 0.0))
    run_rounds(running, bounds, report_of)


def check_routes(running: RunningStudy) -> None:
    """Leave out the routes of the load that a variant does not answer; nothing where the load has one request."""
    prepared = without_unanswered(running.prepared, running.session, running.broken, running.listen)
    if prepared is running.prepared:
        return
    running.prepared = prepared
    running.session = FewerRoutes(running.session, frozenset(route.name for route, _ in prepared.routes_left_out))
    record = replace(running.study, limits=prepared.limits, load=loads_in_words(prepared))
    running.study = _hidden(prepared).redact_study(replace(record, request=prepared.study.load.request_words))
    store.write_study(running.folder, running.study)


def trial_first(running: RunningStudy, before_s: float = 0.0) -> bool:
    """Where the study leaves its loads open: a trial, and the loads and rounds that follow. False where it does not.

    Raises CaptureError when the trial leaves nothing to compare.
    """
    prepared = running.prepared
    if not needs_trial(prepared):
        return False
    possible = why_not(prepared, running.broken) is None
    found = try_out(prepared, running.session, running.broken, running.listen, by_slices=possible, before_s=before_s)
    running.prepared = prepared = found.prepared
    running.broken = {**running.broken, **found.broken}
    record = replace(
        running.study,
        kinds=prepared.kinds,
        limits=prepared.limits,
        load=loads_in_words(prepared),
        planned_runs=len(prepared.runs),
        rounds=max(prepared.rounds.values()),
        trial=found.record,
    )
    running.study = _hidden(prepared).redact_study(record)
    store.write_study(running.folder, running.study)
    running.listen(Fits(len(prepared.runs), found.record.expected_s, found.record.budget_s))
    return True


def _hidden(prepared: PreparedStudy) -> Redactor:
    return redactor(prepared.variants.roots.values(), prepared.targets.values(), credentials_of(prepared))


def by_slices(running: RunningStudy) -> None:
    """Measure by slices; where that cannot be, the report says why, and the rounds of the study measure everything.

    Raises UsageError where the study asks for slices and cannot have them.
    """
    prepared = running.prepared
    hidden = _hidden(prepared)
    found: SlicesRecord | str | None = why_not(prepared, running.broken)
    if found is None:
        found = measure_prepared(
            prepared,
            running.session,
            running.broken,
            write_record=lambda record: _write_record(running, record, hidden),
            write_start=lambda start: _write_start(running, start, hidden),
            listen=running.listen,
        )
    if isinstance(found, str):
        _in_rounds(running, hidden.redact(found))
        return
    running.prepared = _without_clean_rounds(prepared)
    running.study = replace(running.study, planned_runs=len(running.prepared.runs))
    store.write_study(running.folder, running.study)
    running.listen(SlicesEnded(found.stopped, len(running.prepared.runs)))


def _write_record(running: RunningStudy, record: SlicesRecord, hidden: Redactor) -> None:
    left_out = tuple(each.model_copy(update={"reason": hidden.redact(each.reason)}) for each in record.left_out)
    record = record.model_copy(update={"left_out": left_out, "stopped": hidden.redact(record.stopped)})
    running.study = replace(running.study, slices=record)
    store.write_study(running.folder, running.study)


def _write_start(running: RunningStudy, start: Start, hidden: Redactor) -> None:
    store.write_start(running.folder, hidden.redact_start(start))
    running.starts += 1


def _in_rounds(running: RunningStudy, why: str) -> None:
    """Take back what was recorded of slices."""
    if running.prepared.study.slices is True:
        raise UsageError(f"study {running.prepared.id}: slices = true, and it cannot be measured by slices: {why}")
    store.remove_starts(running.folder)
    running.starts = 0
    limits = running.study.limits
    if why:
        running.listen(Note(IN_ROUNDS + why))
        limits = (*limits, Limit(profiler="clean", text=IN_ROUNDS + why))
    running.study = replace(running.study, slices=None, limits=limits)
    store.write_study(running.folder, running.study)


def _without_clean_rounds(prepared: PreparedStudy) -> PreparedStudy:
    """Clean runs give what starts do not: throughput, latency, the kernel's share. They need no control."""
    rounds = {
        name: min(rounds, EXTRA_LOAD_ROUNDS) if prepared.kinds[name] == "clean" else rounds
        for name, rounds in prepared.rounds.items()
    }
    prepared = replace(prepared, rounds=rounds, by_slices=True)
    return replace(prepared, runs=prepared.schedule(rounds, {}, 0))
