"""Profiles of many runs -> the Report: every number of the page, and nothing that the page has to compute."""

from __future__ import annotations

from collections.abc import Sequence

from profpipe.analyse.commits.changed_functions import NO_LINES, ExecutedLines, with_changed_lines
from profpipe.analyse.commits.merge import align
from profpipe.analyse.conclusions.conclude import conclude
from profpipe.analyse.function_index import Index
from profpipe.analyse.matrix import all_matrices
from profpipe.analyse.names.categories import categories
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.tables.causes import causes
from profpipe.analyse.tables.every_table import Tables, every_table
from profpipe.analyse.tables.figures import MeasuredFigure, measured_figures
from profpipe.analyse.tables.habits import habit_calls
from profpipe.analyse.tables.load_audit import audit_of
from profpipe.analyse.tables.routes import route_table
from profpipe.analyse.tables.runs import invalid_runs, run_rows
from profpipe.analyse.tables.services import service_tables
from profpipe.analyse.tables.starts import slices_info
from profpipe.analyse.tables.variants import report_variants
from profpipe.analyse.tables.verdicts import Verdicts, judge
from profpipe.model.report import Report, StudyInfo

PER_REQUEST = "per request"


def build_report(study: StudyData) -> Report:
    """The report of a study. Deterministic: the same runs, in any order, give the same report.

    Runs that are invalid, partial or without a count of requests are listed in `invalid` and are no sample anywhere.
    """
    study = study.in_order()
    index = Index(categories(study.category_rules), study.record.import_names)
    matrices = all_matrices(study, index)
    aligned = align(matrices, index, study)
    figures = measured_figures(study, matrices)
    verdicts = judge(study, figures, matrices)
    merged = {profiler: tuple(matrix for matrix, _ in found) for profiler, found in aligned.items()}
    # Before the tables: a profiler's times, read here, can know lines that others do not.
    found = causes(study, index, merged)
    tables = every_table(study, index, aligned, verdicts)
    report = _report(study, figures, verdicts, tables)
    return concluded(report.model_copy(update={"causes": found, "habits": habit_calls(study, index, merged)}))


def concluded(report: Report) -> Report:
    """The report with its conclusions, computed from nothing but the report."""
    return _per_unit(report.model_copy(update={"conclusions": conclude(report)}))


def _per_unit(report: Report) -> Report:
    """Labels and sentences per what the load counts, where that is no request: "CPU time per SET"."""
    per = f"per {report.study.unit}"
    if per == PER_REQUEST:
        return report
    metrics = tuple(m.model_copy(update={"label": m.label.replace(PER_REQUEST, per)}) for m in report.metrics)
    said = tuple(c.model_copy(update={"text": c.text.replace(PER_REQUEST, per)}) for c in report.conclusions)
    return report.model_copy(update={"metrics": metrics, "conclusions": said})


def with_changes(
    report: Report, contender: str, diff_text: str, ran: ExecutedLines = NO_LINES, root: str = ""
) -> Report:
    """The report with the changed lines of `contender` in its function rows, and its conclusions computed again.

    `diff_text` is `git diff BASELINE CONTENDER`, any number of context lines; `root` the target's folder in the
    repository. Raises CommitError for what is no diff. Without line data (`ran`) nothing is more than likely.
    """
    return concluded(with_changed_lines(report, contender, diff_text, ran, root))


def _report(study: StudyData, figures: Sequence[MeasuredFigure], verdicts: Verdicts, tables: Tables) -> Report:
    return Report(
        profpipe=study.record.profpipe,
        created=study.record.created,
        study=_study(study),
        environment=dict(study.record.environment),
        variants=report_variants(study, figures, verdicts),
        metrics=tuple(m.info for m in figures),
        categories=tables.categories,
        hotspots=tables.hotspots,
        waterfall=tables.waterfalls,
        control=verdicts.control,
        calibration=study.calibration,
        dependencies=study.record.dependencies,
        invalid=invalid_runs(study),
        limits=(*study.record.limits, *tables.limits),
        classic=tables.classic,
        flames=tables.flames,
        runs=run_rows(study),
        routes=route_table(study),
        services=service_tables(study),
        audit=audit_of(study),
    )


def _study(study: StudyData) -> StudyInfo:
    record = study.record
    return StudyInfo(
        id=record.study,
        question=record.question,
        baseline=study.baseline,
        contenders=study.contenders,
        left_out=record.left_out,
        hypotheses=record.hypotheses,
        rounds=record.rounds,
        load=record.load,
        request=record.request,
        unit=record.unit,
        placement=record.placement,
        command=record.command,
        planned_runs=record.planned_runs or None,
        sequential=record.sequential,
        slices=slices_info(study),
        trial=record.trial,
        alpha=study.alpha,
    )
