"""The variants of a report: their figures, verdicts, doubts and commits, and the control."""

from __future__ import annotations

import re
from collections.abc import Sequence

from profpipe.analyse.statistics.series import valid
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.analyse.tables.figures import MeasuredFigure, rate_under
from profpipe.analyse.tables.starts import idle_cpu, lotteries
from profpipe.analyse.tables.verdicts import Verdicts
from profpipe.model.metric_keys import CLEAN
from profpipe.model.report import Variant
from profpipe.model.run import LoadResult

CONTROL_SUFFIX = "+control"


def report_variants(study: StudyData, figures: Sequence[MeasuredFigure], verdicts: Verdicts) -> tuple[Variant, ...]:
    """Baseline, contenders, and the control where it has a figure."""
    return (*(_variant(study, v, figures, verdicts) for v in study.variants), *_control(study, figures))


def _variant(study: StudyData, variant: str, figures: Sequence[MeasuredFigure], verdicts: Verdicts) -> Variant:
    runs = [r for r in study.runs if r.record.variant == variant and not r.record.control]
    good = [r for r in runs if r.record.valid]
    return Variant(
        id=variant,
        label=study.label(variant),
        role="baseline" if variant == study.baseline else "contender",
        command=next((r.record.command for r in runs), ()),
        language=study.facts(variant).language,
        valid=bool(good),
        why=None if good else next((r.record.reason for r in runs if r.record.reason), "it has no run"),
        lottery=lotteries(study, variant),
        idle_cpu=idle_cpu(study.starts, variant),
        figures={m.key: m.series[variant] for m in figures},
        against_baseline=dict(verdicts.against.get(variant, {})),
        disturbance={p: s for p in study.profilers if (s := rate_under(study, variant, p)).median is not None},
        notes=_notes(runs),
        commit=study.record.commits.get(variant),
    )


def _control(study: StudyData, figures: Sequence[MeasuredFigure]) -> tuple[Variant, ...]:
    has, slices = {m.key: m.control for m in figures if len(valid(m.control))}, study.record.slices
    if not has:
        return ()
    return (
        Variant(
            id=study.baseline + CONTROL_SUFFIX,
            label=f"{study.label(study.baseline)}, measured again",
            role="control",
            language=study.facts(study.baseline).language,
            figures=has,
            lottery={} if slices is None else lotteries(study, slices.control),
            idle_cpu=None if slices is None else idle_cpu(study.starts, slices.control),
        ),
    )


def _notes(runs: Sequence[RunData]) -> tuple[str, ...]:
    """Doubts of the load generator about clean runs, and lost rounds. Doubts that differ only in a number appear once.

    A profiled run's speed and latency are shown nowhere, so no doubt about them is.
    """
    out: dict[str, None] = {}
    seen: set[str] = set()
    for run in runs:
        r = run.record
        loads = (r.load, r.throughput, r.latency) if r.profiler == CLEAN else ()
        for doubt in (text for load in loads if load is not None and _shown(load) for text in load.doubts):
            kind = re.sub(r"[\d.,]+", "", doubt)
            if kind not in seen:
                seen.add(kind)
                out[doubt] = None
    lost = sum(not r.record.valid for r in runs)
    if lost:
        out[f"invalid runs: {lost} of {len(runs)}"] = None
    return tuple(out)


def _shown(load: LoadResult) -> bool:
    """Whether the doubts of a load are about a figure of the report: a closed loop's latency is none."""
    return load.loop != "closed" or load.doubted != ("latency",)
