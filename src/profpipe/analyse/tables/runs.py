"""Every run of a study as a row of the report, and those that are no sample, with their reason."""

from __future__ import annotations

from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.analyse.tables.variants import CONTROL_SUFFIX
from profpipe.analyse.valid_runs import refusal
from profpipe.model.report import Invalid, RunRow


def run_rows(study: StudyData) -> tuple[RunRow, ...]:
    return tuple(_run_row(run) for run in study.runs)


def _run_row(run: RunData) -> RunRow:
    r, usage = run.record, run.record.usage
    foreign = None
    if usage is not None and usage.foreign_cpu_s is not None and usage.window_s > 0:
        foreign = rounded(usage.foreign_cpu_s / usage.window_s, 4)
    return RunRow(
        variant=r.variant + (CONTROL_SUFFIX if r.control else ""),
        profiler=r.profiler,
        round=r.round,
        order=r.order,
        valid=r.valid,
        why=r.reason,
        served=r.load.served if r.load else None,
        seconds=rounded(r.load.seconds, 6) if r.load else None,
        rate=rounded(r.load.rate, 6) if r.load and r.load.rate is not None else None,
        foreign_cpu=foreign,
        compiler=None if usage is None or usage.compiler_share is None else rounded(usage.compiler_share, 4),
        ended=0 if usage is None else usage.ended,
        warnings=(*r.warnings, *(r.load.doubts if r.load else ())),
    )


def invalid_runs(study: StudyData) -> tuple[Invalid, ...]:
    """Failed runs and captures that are no sample, with the phase and the last lines of the log."""
    out = []
    for run in study.runs:
        r = run.record
        reason = r.reason if study.instruments[r.profiler] == "clean" else refusal(run, study.per)
        if reason is not None:
            out.append(
                Invalid(
                    variant=r.variant,
                    profiler=r.profiler,
                    round=r.round,
                    phase=r.phase or "parse",
                    reason=reason,
                    log_tail=r.log_tail,
                )
            )
    return tuple(out)
