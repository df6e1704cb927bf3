"""The figures of a report: which there are, in the order readers look in, and each variant's as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profpipe.model.metric_keys import CPU, OF_LOAD
from profpipe.model.report import Comparison, Report, Series, Variant
from profpipe.render.content.slices import by_start, lottery_parts, lottery_words
from profpipe.render.text import PER, Chip, Gap, Notes, amount, compared, detectable_words, interval, per_what, spread

# What comes last: a closed loop hides waiting, and a simulator's own time in the kernel is no cost of the server.
_LAST = ("between_us", "loop_p50_us", "loop_p99_us", "sys_cpu_ns")
# The order readers look in: speed first, then what a request costs, then where.
_ORDER = (
    "throughput",
    "p50_us",
    "p90_us",
    "p99_us",
    "max_us",
    "cpu_us",
    "cpu",
    "wall_us",
    "instructions",
    "syscalls",
    "kernel",
    "switches",
    "rss",
    "memory",
    "loop_p50_us",
    "loop_p99_us",
    "between_us",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure over all variants. `profiler` is empty for what was measured without one.

    `series` and `against` = variant -> its rounds, and its comparison with the baseline. `resolution` = what "no
    change" is smaller than, where the figure was measured by slices: its values are those of starts; else None.
    """

    key: str
    label: str
    unit: str
    higher: bool = False
    profiler: str = ""
    about: str = ""
    series: Mapping[str, Series]
    against: Mapping[str, Comparison]
    resolution: float | None = None

    @property
    def noun(self) -> str:
        """ "CPU time" of "CPU time per request"."""
        return per_what(self.label)[0]

    @property
    def per(self) -> str:
        """ "per request"; empty where the label does not say."""
        return per_what(self.label)[1]

    @property
    def better(self) -> str:
        return "higher is better" if self.higher else "lower is better"

    @property
    def measured(self) -> bool:
        """Some variant has a value of it."""
        return any(series.median is not None for series in self.series.values())

    @property
    def full_name(self) -> str:
        """With what it is per and who measured it: "instructions per request (callgrind)"."""
        by = f" ({self.profiler})" if self.profiler and self.profiler not in self.noun else ""
        return f"{self.noun} {self.per}".strip() + by


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureText:
    """One figure of one variant: either `text` or `gap`. `lottery` = its range over starts, `parts` what that is of."""

    text: str = ""
    gap: Gap | None = None
    interval: str = ""
    spread: str = ""
    ratio: str
    ratio_interval: str
    chip: Chip | None
    detectable: str
    lottery: str = ""
    parts: str = ""


def figures(report: Report) -> tuple[Figure, ...]:
    """Every figure of the report in the order readers look in, those without any value too."""
    known = {metric.key: metric for metric in report.metrics}
    extra = [key for v in report.variants for key in v.figures if key not in known]
    last = {metric.key for metric in report.metrics if metric.instrument == "traced" or metric.again}
    found = []
    # What was measured best comes first, and is all that a phone shows without scrolling.
    sure = {CPU} if by_start(report, CPU) else set()
    for key in sorted([*known, *dict.fromkeys(extra)], key=lambda key: (key in last, key not in sure, _rank(key))):
        values = {v.id: v.figures[key] for v in report.variants if key in v.figures}
        metric = known.get(key)
        against = {v.id: v.against_baseline[key] for v in report.variants if key in v.against_baseline}
        slices = report.study.slices if by_start(report, key) else None
        if not values:
            continue
        if metric is None:
            found.append(Figure(key=key, label=key, unit="1", series=values, against=against))
            continue
        found.append(
            Figure(
                key=key,
                label=metric.label,
                unit=metric.unit,
                higher=metric.better == "higher",
                profiler="" if metric.instrument == "clean" else metric.profiler,
                about=metric.about,
                series=values,
                against=against,
                resolution=None if slices is None else slices.resolution,
            )
        )
    return tuple(found)


def _rank(key: str) -> int:
    if key.endswith(_LAST):
        return len(_ORDER) + 1
    named = [word for word in _ORDER if word in key.partition(":")[2]]
    # The longest: "p50_us" is part of "loop_p50_us".
    return _ORDER.index(max(named, key=len)) if named else len(_ORDER)


def figure_text(figure: Figure, variant: Variant, notes: Notes) -> FigureText:
    """`notes` collects why a figure is unknown."""
    series = figure.series.get(variant.id, Series())
    comparison = figure.against.get(variant.id)
    ratio, ends, chip = compared(comparison)
    detectable = detectable_words(comparison, figure.resolution)
    lottery = variant.lottery.get(figure.key)
    if series.median is None:
        gap = notes.gap(series.why or variant.why)
        return FigureText(gap=gap, ratio=ratio, ratio_interval=ends, chip=chip, detectable=detectable)
    return FigureText(
        text=amount(series.median, figure.unit),
        interval=interval(series.low, series.high, figure.unit),
        spread=spread(series, "round" if figure.resolution is None else "start"),
        ratio=ratio,
        ratio_interval=ends,
        chip=chip,
        detectable=detectable,
        lottery=lottery_words(lottery, figure.unit),
        parts=lottery_parts(lottery),
    )


def missing(every: Sequence[Figure]) -> tuple[tuple[str, str], ...]:
    """(figure, reason) of those that no variant has a value of."""
    return tuple(
        (figure.noun, next((series.why for series in figure.series.values() if series.why), "not measured"))
        for figure in every
        if not figure.measured
    )


def label_per(figure: Figure) -> str:
    """The label with what it is per, which a cost always says."""
    return figure.label if figure.key in OF_LOAD or figure.per else f"{figure.label} {PER}"
