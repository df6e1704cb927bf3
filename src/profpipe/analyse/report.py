"""Profiles of many runs -> the Report: every number of the page, and nothing that the page has to compute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from profpipe.analyse.aligned_rows import AlignedRows
from profpipe.analyse.commits.changed_functions import NO_LINES, ExecutedLines, with_changed_lines
from profpipe.analyse.commits.merge import align
from profpipe.analyse.conclusions.conclude import conclude
from profpipe.analyse.matrix import Index, Matrix, matrices, refusal
from profpipe.analyse.names.categories import Categories, categories
from profpipe.analyse.statistics.alpha import Levels, RowLevel
from profpipe.analyse.statistics.rule import rule_for
from profpipe.analyse.statistics.series import rounded, valid
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.analyse.tables import figures as fig
from profpipe.analyse.tables.flame_graph import classic_list, good_runs, variant_flame
from profpipe.analyse.tables.hotspots import hotspot_table, switching
from profpipe.analyse.tables.measured_figures import Measured, clean_figures, control, profiler_figures
from profpipe.analyse.tables.verdicts import against, row_levels, spend
from profpipe.analyse.tables.waterfall import waterfall
from profpipe.model.report import (
    CategoryInfo,
    ClassicList,
    Flame,
    HotspotTable,
    Hypothesis,
    Invalid,
    Limit,
    Report,
    RunRow,
    StudyInfo,
    Variant,
    Waterfall,
)
from profpipe.model.run import LoadResult

CONTROL_SUFFIX = "+control"


def build_report(data: StudyData) -> Report:
    """The report of a study. Deterministic: the same runs, in any order, give the same report.

    Runs that are invalid, partial or without a count of requests are listed in `invalid` and are no sample anywhere.
    """
    data = _ordered(data)
    rules = categories(data.categories)
    index = Index(rules)
    profilers = [p for p in data.instruments if data.instruments[p] != "clean"]
    found = {p: matrices(data, p, index) for p in profilers}
    aligned = align(found, index, data)
    measured = [*clean_figures(data), *(m for p in profilers for m in profiler_figures(data, p, found[p]))]
    spent = spend(data, measured, found)
    variants = tuple(_variant(data, v, measured, spent) for v in data.variants)
    tables = tuple(
        table
        for p in profilers
        for matrix, placed in aligned[p]
        if (table := _table(matrix, index, data, row_levels(data, matrix, variants, spent), placed)) is not None
    )
    # A second use of a profiler answers a question of its own: its figures and table stand, the first has the pictures.
    flames, folded = _flames(data, [p for p in profilers if not data.again(p)])
    report = Report(
        profpipe=data.profpipe,
        created=data.created,
        study=_study(data),
        environment=dict(data.environment),
        variants=(*variants, *_control_variant(data, measured)),
        metrics=tuple(m.info for m in measured),
        categories=_categories(rules, tables),
        hotspots=tables,
        waterfall=_waterfalls(data, tables, variants),
        control=control(data, measured, spent),
        calibration=data.calibration,
        invalid=_invalid(data),
        limits=(*_limits(data), *_own_limits(data, found, index), *folded),
        classic=_classic(data),
        flames=flames,
        runs=tuple(_run_row(r) for r in data.runs),
    )
    return report.model_copy(update={"conclusions": conclude(report)})


def with_changes(
    report: Report, contender: str, diff_text: str, ran: ExecutedLines = NO_LINES, root: str = ""
) -> Report:
    """The report with the changed lines of `contender` in its function rows, and its conclusions computed again.

    `diff_text` is `git diff BASELINE CONTENDER`, any number of context lines; `root` the target's folder in the
    repository. Raises CommitError for what is no diff. Without line data (`ran`) nothing is more than likely.
    """
    changed = with_changed_lines(report, contender, diff_text, ran, root)
    return changed.model_copy(update={"conclusions": conclude(changed)})


def _table(
    matrix: Matrix, index: Index, data: StudyData, strict: Mapping[str, RowLevel], placed: AlignedRows
) -> HotspotTable | None:
    rule = rule_for(data.instruments[matrix.profiler], metric=matrix.metric.key)
    return hotspot_table(matrix, index, data, rule, strict, placed)


def _classic(data: StudyData) -> tuple[ClassicList, ...]:
    counted = [p for p, kind in data.instruments.items() if kind == "counted" and not data.again(p)]
    found = [classic_list(data, v, p) for p in counted for v in data.variants]
    return tuple(c for c in found if c is not None)


def _ordered(data: StudyData) -> StudyData:
    """Runs by variant, profiler and round, so that the order they came in leaves no trace."""
    place = {v: i for i, v in enumerate(data.variants)}
    tools = {p: i for i, p in enumerate(data.instruments)}
    known = [r for r in data.runs if r.record.variant in place and r.record.profiler in tools]

    def key(run: RunData) -> tuple[int, int, bool, int, int]:
        r = run.record
        return place[r.variant], tools.get(r.profiler, -1), r.control, r.round, r.order

    return replace(data, runs=tuple(sorted(known, key=key)))


def _variant(data: StudyData, variant: str, measured: Sequence[Measured], spent: Levels) -> Variant:
    runs = [r for r in data.runs if r.record.variant == variant and not r.record.control]
    good = [r for r in runs if r.record.valid]
    return Variant(
        id=variant,
        label=data.label(variant),
        role="baseline" if variant == data.baseline else "contender",
        command=next((r.record.command for r in runs), ()),
        language=data.languages.get(variant, ""),
        valid=bool(good),
        why=None if good else next((r.record.reason for r in runs if r.record.reason), "it has no run"),
        figures={m.info.key: m.series[variant] for m in measured},
        against_baseline={} if variant == data.baseline else against(data, variant, measured, spent),
        latency=fig.latency(data, variant),
        throughput=fig.throughput(data, variant),
        disturbance={
            p: s
            for p, kind in data.instruments.items()
            if kind != "clean" and (s := fig.throughput(data, variant, p)).median is not None
        },
        notes=_notes(runs),
        commit=data.commits.get(variant),
    )


def _notes(runs: Sequence[RunData]) -> tuple[str, ...]:
    """Doubts of the load generator about clean runs, and lost rounds; what differs in its figures alone is said once.

    A profiled run's speed and latency are shown nowhere, so that nobody need doubt them.
    """
    out: dict[str, None] = {}
    said: set[str] = set()
    for run in runs:
        r = run.record
        loads = (r.load, r.throughput, r.latency) if r.profiler == fig.CLEAN else ()
        for doubt in (text for load in loads if load is not None and _shown(load) for text in load.doubts):
            kind = re.sub(r"[\d.,]+", "", doubt)
            if kind not in said:
                said.add(kind)
                out[doubt] = None
    lost = sum(not r.record.valid for r in runs)
    if lost:
        out[f"{lost} of {len(runs)} runs are invalid"] = None
    return tuple(out)


def _shown(load: LoadResult) -> bool:
    """Whether the doubts of a load are about a figure of the report: a closed loop's latency is none."""
    return load.loop != "closed" or load.doubted != ("latency",)


def _control_variant(data: StudyData, measured: Sequence[Measured]) -> tuple[Variant, ...]:
    has = {m.info.key: m.control for m in measured if len(valid(m.control))}
    if not has:
        return ()
    return (
        Variant(
            id=data.baseline + CONTROL_SUFFIX,
            label=f"{data.label(data.baseline)}, measured again",
            role="control",
            language=data.languages.get(data.baseline, ""),
            figures=has,
            throughput=fig.throughput(data, data.baseline, control=True),
        ),
    )


def _study(data: StudyData) -> StudyInfo:
    return StudyInfo(
        id=data.study,
        question=data.question,
        baseline=data.baseline,
        contenders=data.contenders,
        left_out=data.left_out,
        rounds=data.rounds,
        load=data.load,
        placement=data.placement,
        command=data.command,
        hypotheses=tuple(Hypothesis(text=text, categories=keys) for text, keys in data.hypotheses),
        planned_runs=data.planned_runs,
        sequential=data.sequential,
        alpha=data.alpha,
    )


def _categories(rules: Categories, tables: Sequence[HotspotTable]) -> tuple[CategoryInfo, ...]:
    """Those that occur, in the order of the rules' file."""
    used = {row.category for table in tables for row in table.rows}
    return tuple(
        CategoryInfo(key=c.key, label=c.label, about=c.about, group=c.group) for c in rules.categories if c.key in used
    )


def _waterfalls(data: StudyData, tables: Sequence[HotspotTable], variants: Sequence[Variant]) -> tuple[Waterfall, ...]:
    by_id = {v.id: v for v in variants}
    out = []
    for table in tables:
        if data.again(table.metric.partition(":")[0]):
            continue
        for contender in data.contenders:
            found = waterfall(table, data.baseline, contender, by_id[contender].against_baseline.get(table.metric))
            if found is not None:
                out.append(found)
    return tuple(out)


def _invalid(data: StudyData) -> tuple[Invalid, ...]:
    """Failed runs and captures that are no sample, with the phase and the last lines of the log."""
    out = []
    for run in data.runs:
        r = run.record
        clean = data.instruments.get(r.profiler) == "clean"
        reason = r.reason if clean else refusal(run, data.per)
        if reason is None:
            continue
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


def _limits(data: StudyData) -> tuple[Limit, ...]:
    return tuple(Limit(profiler=p, text=text, variants=variants) for p, text, variants in data.limits)


def _own_limits(data: StudyData, found: Mapping[str, Sequence[Matrix]], index: Index) -> tuple[Limit, ...]:
    """What analysis itself finds out about its sources: call graphs that stack switches make false."""
    out = []
    for profiler, tables in found.items():
        wrong = sorted({v for matrix in tables for v in switching(matrix, index, data)}, key=data.variants.index)
        if wrong and data.instruments[profiler] == "counted":
            text = (
                "Call graph unreliable: stackful coroutines. Switching stacks in user space gives false totals and "
                "callers; self values are right."
            )
            out.append(Limit(profiler=profiler, text=text, variants=tuple(wrong)))
    return tuple(out)


def _flames(data: StudyData, profilers: Sequence[str]) -> tuple[tuple[Flame, ...], tuple[Limit, ...]]:
    flames, limits = [], []
    for profiler in profilers:
        for variant in data.variants:
            drawn = variant_flame(data, variant, profiler) if good_runs(data, variant, profiler) else None
            if drawn is None:
                continue
            flames.append(drawn[0])
            if drawn[1]:
                text = f"{drawn[1]:,} of the smallest boxes of the flame graph are folded into the box they stood on."
                limits.append(Limit(profiler=profiler, text=text, variants=(variant,)))
    return tuple(flames), tuple(limits)


def _run_row(run: RunData) -> RunRow:
    r, usage = run.record, run.record.usage
    foreign = None
    if usage is not None and usage.foreign_cpu_s is not None and usage.window_s > 0:
        foreign = rounded(usage.foreign_cpu_s / usage.window_s, 4)
    doubts = r.load.doubts if r.load else ()
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
        warnings=(*r.warnings, *doubts),
    )
