"""One row per variant: every headline figure with its ratio, its verdict and a strip of all its rounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from profpipe.model.report import Comparison, Report, Series, Variant
from profpipe.render.page.commits import CommitView, commit_view
from profpipe.render.text import (
    Chip,
    Gap,
    Note,
    Notes,
    amount,
    compared,
    floor_words,
    interval,
    per_what,
    position,
    spread,
    visible,
)


@dataclass(frozen=True, slots=True)
class Strip:
    """All rounds of one figure on the axis of its column: positions 0..1000. `reference` is the baseline's median."""

    dots: tuple[int, ...]
    low: int | None
    width: int
    median: int | None
    reference: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell: either `text` or `gap`."""

    text: str
    gap: Gap | None
    interval: str
    spread: str
    ratio: str
    ratio_interval: str
    chip: Chip | None
    strip: Strip | None
    floor: str


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    label: str
    per: str
    source: str
    better: str
    about: str
    axis_low: str
    axis_high: str


@dataclass(frozen=True, slots=True)
class VariantHead:
    """`hue` is the variant's place among the variants: its colour, always beside its label."""

    id: str
    label: str
    role: str
    hue: int
    language: str
    valid: bool
    why: str
    command: str
    notes: tuple[str, ...]
    commit: CommitView | None


@dataclass(frozen=True, slots=True)
class VariantRow:
    head: VariantHead
    cells: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class VariantTable:
    """`missing` = (figure, reason) of columns that no variant has a value in: said once, not drawn."""

    columns: tuple[Column, ...]
    rows: tuple[VariantRow, ...]
    notes: tuple[Note, ...]
    missing: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column comes from: how to find its series and its comparison in a variant."""

    key: str
    label: str
    unit: str
    higher: bool
    source: str
    about: str
    series: Mapping[str, Series]
    against: Mapping[str, Comparison]


LATENCY = {"p50_us": "p50 latency", "p90_us": "p90 latency", "p99_us": "p99 latency", "max_us": "slowest"}
# The kernel's time under a simulator is nobody's cost: it stands last.
_LAST = ("sys_cpu_ns",)
# The order readers look in: speed first, then what a request costs, then where.
_ORDER = ("cpu_us", "cpu", "instructions", "syscalls", "kernel", "switches", "rss", "memory")


def head(variant: Variant, hue: int) -> VariantHead:
    return VariantHead(
        variant.id,
        visible(variant.label),
        variant.role,
        hue,
        visible(variant.language),
        variant.valid,
        visible(variant.why or ""),
        visible(" ".join(variant.command), limit=2000),
        tuple(visible(note) for note in variant.notes),
        commit_view(variant.commit),
    )


def heads(report: Report, *, control: bool = True) -> tuple[VariantHead, ...]:
    """Every variant in the order of the report; hue 0 is the baseline's and its control's."""
    found, next_hue = [], 1
    for variant in report.variants:
        own = variant.role != "contender"
        if variant.role != "control" or control:
            found.append(head(variant, 0 if own else next_hue))
        next_hue += 0 if own else 1
    return tuple(found)


def variant_table(report: Report) -> VariantTable:
    notes = Notes()
    every = sources(report)
    shown = [source for source in every if any(s.median is not None for s in source.series.values())]
    missing = [
        (per_what(source.label)[0], next((visible(s.why) for s in source.series.values() if s.why), "not measured"))
        for source in every
        if source not in shown
    ]
    cells = [_cells(source, report.variants, notes) for source in shown]
    rows = tuple(
        VariantRow(head_, tuple(column[index] for column in cells)) for index, head_ in enumerate(heads(report))
    )
    return VariantTable(tuple(_column(source) for source in shown), rows, notes.all(), tuple(missing))


def sources(report: Report) -> list[Source]:
    """The columns of the table in the order readers look in, those without any value too."""
    found = []
    rates = {v.id: v.throughput for v in report.variants if v.throughput != Series()}
    if rates:
        found.append(_source(report, ("throughput", "clean:throughput"), "requests/s", "1", True, "", rates))
    for key in sorted({key for v in report.variants for key in v.latency}, key=lambda key: (len(key), key)):
        values = {v.id: v.latency[key] for v in report.variants if key in v.latency}
        names = (key, f"latency:{key}", f"clean:{key}")
        found.append(_source(report, names, LATENCY.get(key, visible(key)), "us", False, "", values))
    known = {metric.key: metric for metric in report.metrics}
    extra = [key for v in report.variants for key in v.figures if key not in known]
    last = {metric.key for metric in report.metrics if metric.instrument == "traced" or metric.again}
    for key in sorted([*known, *dict.fromkeys(extra)], key=lambda key: (key in last, _rank(key))):
        values = {v.id: v.figures[key] for v in report.variants if key in v.figures}
        if not values:
            continue
        metric = known.get(key)
        if metric is None:
            found.append(_source(report, (key,), visible(key), "1", False, "", values))
        else:
            about = visible(metric.about)
            higher = metric.better == "higher"
            by = "" if metric.instrument == "clean" else visible(metric.profiler)
            found.append(_source(report, (key,), visible(metric.label), metric.unit, higher, about, values, by))
    return found


def _rank(key: str) -> int:
    if key.endswith(_LAST):
        return len(_ORDER) + 1
    place = [index for index, word in enumerate(_ORDER) if word in key.partition(":")[2]]
    return place[0] if place else len(_ORDER)


def _source(
    report: Report,
    names: tuple[str, ...],
    label: str,
    unit: str,
    higher: bool,
    about: str,
    series: Mapping[str, Series],
    by: str = "",
) -> Source:
    against = {
        v.id: v.against_baseline[name]
        for v in report.variants
        for name in reversed(names)
        if name in v.against_baseline
    }
    return Source(names[0], label, unit, higher, by, about, series, against)


def _column(source: Source) -> Column:
    low, high = _axis(source.series.values())
    noun, per = per_what(source.label)
    return Column(
        source.key,
        noun,
        per,
        source.source,
        "higher is better" if source.higher else "lower is better",
        source.about,
        "0" if low == 0 else amount(low, source.unit),
        amount(high, source.unit),
    )


def _axis(all_series: Iterable[Series]) -> tuple[float, float]:
    """From zero when the figures differ by more than a factor, else cut to where they are; always printed."""
    values = [v for s in all_series for v in (*s.values, s.median, s.low, s.high) if v is not None]
    if not values:
        return 0.0, 0.0
    low, high = min(values), max(values)
    return (0.0 if 0 <= low < 0.6 * high else low), high


def _cells(source: Source, variants: tuple[Variant, ...], notes: Notes) -> list[Figure]:
    axis = _axis(source.series.values())
    base = next((source.series[v.id].median for v in variants if v.role == "baseline" and v.id in source.series), None)
    reference = None if base is None else position(base, *axis)
    return [_figure(source, variant, axis, reference, notes) for variant in variants]


def _figure(source: Source, variant: Variant, axis: tuple[float, float], reference: int | None, notes: Notes) -> Figure:
    series = source.series.get(variant.id, Series())
    comparison = source.against.get(variant.id)
    ratio, ends, verdict = compared(comparison)
    floor = floor_words(comparison)
    if series.median is None:
        return Figure("", notes.gap(series.why or variant.why), "", "", ratio, ends, verdict, None, floor)
    return Figure(
        amount(series.median, source.unit),
        None,
        interval(series.low, series.high, source.unit),
        spread(series),
        ratio,
        ends,
        verdict,
        _strip(series, axis, reference),
        floor,
    )


def _strip(series: Series, axis: tuple[float, float], reference: int | None) -> Strip | None:
    known = [value for value in series.values if value is not None]
    if not known and series.median is None:
        return None
    low = None if series.low is None or series.high is None else position(series.low, *axis)
    width = 0 if low is None or series.high is None else position(series.high, *axis) - low
    median = None if series.median is None else position(series.median, *axis)
    return Strip(tuple(position(value, *axis) for value in known), low, width, median, reference)
