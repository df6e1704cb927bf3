"""Every figure of a report as a series per variant, the control's with it, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profpipe.analyse.matrix import Matrix, refusal
from profpipe.analyse.statistics.alpha import Levels
from profpipe.analyse.statistics.compare_figures import compare
from profpipe.analyse.statistics.noise import Noise, noise_of
from profpipe.analyse.statistics.rule import Rule, rule_for
from profpipe.analyse.statistics.series import rounded, valid
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.tables import figures as fig
from profpipe.analyse.tables.hotspots import total_series
from profpipe.model.report import Control, MetricInfo, Series
from profpipe.units import Instrument

TRACED_CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of the report with its series of every variant and of the control."""

    info: MetricInfo
    rule: Rule
    series: Mapping[str, Series]
    control: Series
    judged: bool = True


def clean_figures(data: StudyData) -> list[Measured]:
    if not any(r.record.profiler == fig.CLEAN for r in data.runs):
        return []
    out = []
    for figure in fig.CLEAN_FIGURES:
        if figure.one_program and not data.one_program:
            continue
        info = MetricInfo(
            key=f"clean:{figure.key}",
            label=figure.label,
            unit=figure.unit,
            instrument="clean",
            profiler=fig.CLEAN,
            about=figure.about,
        )
        out.append(
            Measured(
                info,
                rule_for("clean"),
                {v: fig.clean_series(data, v, figure) for v in data.variants},
                fig.clean_series(data, data.baseline, figure, control=True),
                info.key not in fig.NOT_JUDGED,
            )
        )
    always = ("clean:cpu_us", "clean:kernel_share")
    return [m for m in out if m.info.key in always or any(s.median is not None for s in m.series.values())]


def profiler_figures(data: StudyData, profiler: str, tables: Sequence[Matrix]) -> list[Measured]:
    """The figures of one profiler: calls first for a traced one, then the totals of its metrics."""
    kind = data.instruments[profiler]
    profiles = [
        p for r in data.runs if r.record.profiler == profiler and refusal(r, data.per) is None for p in r.profiles
    ]
    out = []
    rule = rule_for(kind)
    for matrix in tables:
        if matrix.metric.key == TRACED_CALLS and kind == "traced":
            info = _info(profiler, "calls", f"calls per {data.per}", "1", kind, True, data)
            series = {v: total_series(matrix, v) for v in data.variants}
            out.append(Measured(info, rule, series, total_series(matrix, data.baseline, control=True)))
    for metric in fig.profiler_metrics(profiles, kind):
        info = _info(profiler, metric.key, metric.label, metric.unit, kind, metric.exact, data, metric.about)
        # Time that a simulated processor spends in the kernel is no cost of the server's: shown, never judged.
        judged = kind == "sampled" or metric.unit == "1"
        out.append(
            Measured(
                info,
                rule_for(kind, metric=metric.key),
                {v: fig.profiler_series(data, v, profiler, metric) for v in data.variants},
                fig.profiler_series(data, data.baseline, profiler, metric, control=True),
                judged,
            )
        )
    return out


def _info(
    profiler: str, key: str, label: str, unit: str, kind: Instrument, exact: bool, data: StudyData, about: str = ""
) -> MetricInfo:
    per, again = data.per, data.again(profiler)
    label = f"{label.removesuffix(f' per {per}')} by {profiler}" if again else label
    traced_time = kind == "traced" and key != TRACED_CALLS
    if traced_time:
        about = "diluted by the tracer's own cost: never ranked, never compared"
    if kind == "counted" and key == "syscalls":
        about = "reading the clock is counted too: valgrind hides the vDSO, without it that is no system call"
    return MetricInfo(
        key=f"{profiler}:{key}",
        label=label if f"per {per}" in label else f"{label} per {per}",
        unit=unit,
        instrument=kind,
        profiler=profiler,
        exact=exact,
        ranked=kind != "traced",
        about=about,
        again=again,
    )


def noise(m: Measured, data: StudyData) -> Noise:
    """The A/A noise of a figure: of this study's control, and of a calibration where that is wider or alone."""
    calibrated = data.calibration.sd.get(m.info.key) if data.calibration is not None else None
    return noise_of(m.series[data.baseline], m.control, calibrated)


def control(data: StudyData, measured: Sequence[Measured], levels: Levels) -> Control:
    """The baseline against itself. Judged with the rule's own floor: its own noise must not excuse it."""
    has = [m for m in measured if m.judged and len(valid(m.control))]
    if not has:
        ran = any(r.record.control for r in data.runs)
        return Control(why="no control run is valid" if ran else "the study measured no control")
    sd = {m.info.key: noise(m, data).sd for m in has}
    return Control(
        figures={
            m.info.key: compare(m.series[data.baseline], m.control, m.rule, level=levels.of(m.info.key)) for m in has
        },
        sd={key: rounded(value, 4) for key, value in sd.items() if value is not None},
    )
