"""Every figure of a report as a series per variant, the control's with it, and the rule that judges it.

Ordinary figures come from runs without a profiler (model/metric_keys.py), the others are totals of a profiler's
metrics. All have one shape, so that what follows treats them alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from profpipe.analyse.matrix import Matrix, total_series
from profpipe.analyse.per_request import per_request, served
from profpipe.analyse.statistics.rule import Rule, rule_for
from profpipe.analyse.statistics.series import series
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.analyse.tables.readings import Reading, Value, pooled_kernel_share, rate, readings
from profpipe.analyse.tables.starts import Ratios, ratios_of, start_series
from profpipe.analyse.valid_runs import refusal
from profpipe.model.metric_keys import BY_START, CLEAN, EVERY, KERNEL_SHARE, OF_SLICES, ORDINARY, FigureKind
from profpipe.model.profile import Profile
from profpipe.model.report import MetricInfo, Series
from profpipe.units import CALLS, Instrument, Metric

# Time between entry and return of a system call: it counts sleeping in epoll_wait, so it is no cost.
NO_COST = ("sys_time_ns", "inuse_objects", "inuse_space")


@dataclass(frozen=True, slots=True)
class MeasuredFigure:
    """One figure with its series of every variant and of the control.

    `judged` = contenders get a verdict in it; `of_load` = the load generator saw it (see FigureKind). `ratios` = those
    of starts, where it was measured by slices: they decide then, and values of the series are of starts.
    """

    info: MetricInfo
    rule: Rule
    series: Mapping[str, Series]
    control: Series
    judged: bool = True
    of_load: bool = False
    ratios: Ratios | None = None

    @property
    def key(self) -> str:
        return self.info.key


def measured_figures(study: StudyData, matrices: Mapping[str, Sequence[Matrix]]) -> tuple[MeasuredFigure, ...]:
    """All figures of a study: the ordinary ones, then those of each profiler in the study's order."""
    found = ordinary_figures(study)
    for profiler, tables in matrices.items():
        found += profiler_figures(study, profiler, tables)
    return tuple(found)


def runs_of(study: StudyData, variant: str, profiler: str, *, control: bool = False) -> dict[int, RunData]:
    """Round -> run."""
    return {
        r.record.round: r
        for r in study.runs
        if r.record.variant == variant and r.record.profiler == profiler and r.record.control == control
    }


def _by_round(study: StudyData, profiler: str, runs: Mapping[int, RunData], read: Reading) -> list[Value]:
    """One value per round of the profiler, whether the variant ran in it or not."""
    numbers = sorted({r.record.round for r in study.runs if r.record.profiler == profiler})
    return [read(runs[n].record) if n in runs else (None, "the run is missing") for n in numbers]


def _series(values: Sequence[Value]) -> Series:
    known = any(value is not None for value, _ in values)
    return series([value for value, _ in values], None if known else next((why for _, why in values if why), None))


def ordinary_figures(study: StudyData) -> list[MeasuredFigure]:
    """The figures without a profiler, of runs or of starts; empty where the study has neither.

    Those without any value are left out, but for what a report always shows.
    """
    sliced = study.record.slices is not None
    if not sliced and not any(r.record.profiler == CLEAN for r in study.runs):
        return []
    read = readings(study)
    found = []
    for kind in EVERY if sliced else ORDINARY:
        if kind.one_program and (sliced or not study.one_program):
            continue
        by_start = sliced and (kind in OF_SLICES or kind.key in BY_START)
        found.append(_by_start(study, kind) if by_start else _ordinary(study, kind, read[kind.key]))
    always = {kind.key for kind in ORDINARY if kind.always}
    return [m for m in found if m.key in always or any(s.median is not None for s in m.series.values())]


def _by_start(study: StudyData, kind: FigureKind) -> MeasuredFigure:
    assert study.record.slices is not None
    control = study.record.slices.control
    return MeasuredFigure(
        info=_ordinary_info(kind),
        rule=rule_for("clean", kind.better),
        series={v: start_series(study, v, kind.key) for v in study.variants},
        control=start_series(study, control, kind.key),
        judged=kind.judged,
        ratios=ratios_of(study, kind.key, control) if kind.judged else None,
    )


def _ordinary_info(kind: FigureKind) -> MetricInfo:
    return MetricInfo(
        key=kind.key,
        label=kind.label,
        unit=kind.unit,
        instrument="clean",
        profiler=CLEAN,
        better=kind.better,
        about=kind.about,
    )


def _ordinary(study: StudyData, kind: FigureKind, read: Reading) -> MeasuredFigure:
    control = _ordinary_series(study, study.baseline, kind, read, control=True) if kind.in_control else Series()
    return MeasuredFigure(
        info=_ordinary_info(kind),
        rule=rule_for("clean", kind.better),
        series={v: _ordinary_series(study, v, kind, read) for v in study.variants},
        control=control,
        judged=kind.judged,
        of_load=kind.of_load,
    )


def _ordinary_series(
    study: StudyData, variant: str, kind: FigureKind, read: Reading, *, control: bool = False
) -> Series:
    runs = runs_of(study, variant, CLEAN, control=control)
    if kind.key == KERNEL_SHARE and (pooled := pooled_kernel_share(list(runs.values()))) is not None:
        return pooled
    values = _by_round(study, CLEAN, runs, read)
    return _series(_measured_rounds(values) if kind.of_load else values)


def _measured_rounds(values: list[Value]) -> list[Value]:
    """A load that only the first rounds run has no invalid rounds after them."""
    known = [i for i, (value, _) in enumerate(values) if value is not None]
    return values[: known[-1] + 1] if known else values


def rate_under(study: StudyData, variant: str, profiler: str) -> Series:
    """Requests a second while a profiler watched: what watching costs."""
    runs = runs_of(study, variant, profiler)
    return _series(_measured_rounds(_by_round(study, profiler, runs, partial(rate, apart=False))))


def profiler_figures(study: StudyData, profiler: str, tables: Sequence[Matrix]) -> list[MeasuredFigure]:
    """The figures of one profiler: calls first for a traced one, then the totals of its metrics."""
    kind = study.instruments[profiler]
    profiles = [
        p for r in study.runs if r.record.profiler == profiler and refusal(r, study.per) is None for p in r.profiles
    ]
    out = []
    for matrix in tables:
        if kind == "traced" and matrix.metric.key == CALLS.key:
            info = _info(study, profiler, CALLS, kind, label=f"calls per {study.per}")
            totals = {v: total_series(matrix, v) for v in study.variants}
            control = total_series(matrix, study.baseline, control=True)
            out.append(MeasuredFigure(info, rule_for(kind), totals, control))
    for metric in profiler_metrics(profiles, kind):
        out.append(
            MeasuredFigure(
                info=_info(study, profiler, metric, kind),
                rule=rule_for(kind, metric=metric.key),
                series={v: _total(study, v, profiler, metric) for v in study.variants},
                control=_total(study, study.baseline, profiler, metric, control=True),
                # Time that a simulated processor spends in the kernel is no cost of the server's: shown, not judged.
                judged=kind == "sampled" or metric.unit == "1",
            )
        )
    return out


def profiler_metrics(profiles: Sequence[Profile], instrument: Instrument) -> tuple[Metric, ...]:
    """The metrics of a profiler that become figures: all that is counted, the first of what is sampled or traced."""
    if not profiles:
        return ()
    if instrument != "counted":
        return profiles[0].metrics[:1]
    return tuple(m for m in profiles[0].metrics if m.key not in NO_COST)


def _total(study: StudyData, variant: str, profiler: str, metric: Metric, *, control: bool = False) -> Series:
    """A profiler's total per request over its rounds."""
    runs = runs_of(study, variant, profiler, control=control)
    if not runs:
        return series([], f"{profiler} did not measure this variant")
    numbers = sorted({r.record.round for r in study.runs if r.record.profiler == profiler})
    return _series([_total_of(study, runs.get(number), metric) for number in numbers])


def _total_of(study: StudyData, run: RunData | None, metric: Metric) -> Value:
    if run is None:
        return None, "the run is missing"
    reason = refusal(run, study.per)
    if reason is not None:
        return None, reason
    sums = [p.self_sum(metric.key) for p in run.profiles if any(m.key == metric.key for m in p.metrics)]
    return (per_request(float(sum(sums)), served(study, [run])) if sums else None), None


def _info(study: StudyData, profiler: str, metric: Metric, kind: Instrument, label: str = "") -> MetricInfo:
    """`label` names calls, which a tracer counts as well as the metrics of its profiles."""
    per, again, calls = study.per, study.again(profiler), bool(label)
    label = label or metric.label
    label = f"{label.removesuffix(f' per {per}')} by {profiler}" if again else label
    about = "" if calls else metric.about
    if kind == "traced" and not calls:
        about = "diluted by the tracer's own cost: never ranked, never compared"
    return MetricInfo(
        key=f"{profiler}:{metric.key}",
        label=label if f"per {per}" in label else f"{label} per {per}",
        unit=metric.unit,
        instrument=kind,
        profiler=profiler,
        exact=metric.exact,
        ranked=kind != "traced",
        about=about,
        again=again,
    )
