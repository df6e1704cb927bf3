"""Builds the report of a run folder from its captures and writes its files; starts no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from profpipe import store
from profpipe.errors import ReportError
from profpipe.model.consistency import study_contradiction
from profpipe.model.report import Report
from profpipe.model.run import RunRecord
from profpipe.pipeline.gate.judge import gate
from profpipe.pipeline.gate.rules import gate_rule
from profpipe.pipeline.reporting.calibration_file import calibration_of
from profpipe.pipeline.reporting.changed_lines import with_commit_changes
from profpipe.pipeline.reporting.report_files import ReportFiles, render
from profpipe.pipeline.reporting.stored_runs import load_runs, stored_starts


def write_report(folder: Path, output: Path | None = None) -> ReportFiles:
    """Build the report of a run folder and write its files into `output`; None = into the run folder.

    The rules of its gate are part of the run folder, so that every report of it has the same gate. Raises StoreError
    or ReportError; files are whole or absent.
    """
    report, unmeasured = build_report(folder)
    study = store.read_study(folder)
    if study.gate:
        found = gate(report, [gate_rule(text) for text in study.gate], study.accepted)
        report = report.model_copy(update={"gate": found})
    return replace(render(report, output or folder), unmeasured=unmeasured)


def build_report(folder: Path) -> tuple[Report, tuple[tuple[str, str], ...]]:
    """The Report of a run folder, and the (variant, profiler) pairs that have no valid run.

    A capture that cannot be read makes its run invalid; the other runs are reported.
    """
    from profpipe.analyse import RunData, StudyData
    from profpipe.pipeline.reporting.published import analysed, beside_published

    study = store.read_study(folder)
    starts = stored_starts(folder, study)
    commands = {v.id: v.command for v in study.variants}
    loaded = load_runs(folder, study.checkout, needed=not starts)
    if (why := study_contradiction(study, [record for record, _ in loaded])) is not None:
        raise ReportError(f"{folder}: its records contradict each other: {why}")
    # The report shows the command of profpipe.toml; the executed one has a port and paths of this machine.
    runs = [RunData(replace(r, command=commands.get(r.variant, ())), profiles) for r, profiles in loaded]
    data = StudyData(
        record=study,
        runs=tuple(runs),
        starts=starts,
        calibration=calibration_of(folder.parent.parent, study.study, study.environment),
    )
    report = beside_published(analysed(data, study.name_style), study.reference, folder)
    return with_commit_changes(report, folder), _unmeasured([run.record for run in runs])


def _unmeasured(records: Sequence[RunRecord]) -> tuple[tuple[str, str], ...]:
    """(variant, profiler) pairs without a valid run, except where the profiler refused the variant."""
    pairs = dict.fromkeys((r.variant, r.profiler) for r in records if not r.control)
    seen = {(r.variant, r.profiler) for r in records if not r.control and (r.valid or r.refused)}
    return tuple(pair for pair in pairs if pair not in seen)
