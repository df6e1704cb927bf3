"""The first screen: the figure the verdict rests on, as a large ratio and as one bar per variant; the gate's answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from profpipe.model.report import Comparison, Conclusion, Report, Series
from profpipe.render.page.variants import Source, VariantHead, heads, sources
from profpipe.render.text import (
    PER,
    Chip,
    Gap,
    Note,
    Notes,
    amount,
    compared,
    floor_words,
    per_what,
    position,
    visible,
)

GATE_HITS = 6


@dataclass(frozen=True, slots=True)
class HeadlineBar:
    head: VariantHead
    text: str
    gap: Gap | None
    ratio: str
    chip: Chip | None
    width: int


@dataclass(frozen=True, slots=True)
class Figure:
    """The one number a reader takes away: `ratio` of `contender` to `baseline`, its interval and what was too small."""

    ratio: str
    chip: Chip | None
    words: str
    interval: str
    floor: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The first picture of the page: one bar per variant of the figure the verdict is about, from zero."""

    label: str
    better: str
    key: str
    figure: Figure | None
    bars: tuple[HeadlineBar, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class GateView:
    """What was asked to fail on. `hits` are in words; `more` counts those that are not listed."""

    failed: bool
    asked: str
    hits: tuple[str, ...]
    more: str


def headline(report: Report) -> Headline | None:
    """Bars of the figure the verdict rests on; else of what the waterfall explains, or the first shared figure."""
    every = {source.key: source for source in sources(report)}
    verdict = _verdict(report)
    paths = " ".join(row.path for row in verdict.rows) if verdict else ""
    wanted = [key for key in every if ":" in key and key in paths]
    wanted += [*(w.metric for w in report.waterfall), *sorted(every, key=lambda key: ":" not in key)]
    for key in wanted:
        source = every.get(key)
        if source is not None and sum(s.median is not None for s in source.series.values()) > 1:
            return _headline(report, source, verdict)
    return None


def _verdict(report: Report) -> Conclusion | None:
    return max((c for c in report.conclusions if c.kind == "verdict"), key=lambda c: c.weight, default=None)


def _headline(report: Report, source: Source, verdict: Conclusion | None) -> Headline:
    notes = Notes()
    top = max(s.median for s in source.series.values() if s.median is not None)
    bars = []
    shown = [v for v in report.variants if v.role != "control"]
    for head_, variant in zip(heads(report, control=False), shown, strict=True):
        series = source.series.get(variant.id, Series())
        ratio, _, chip = compared(source.against.get(variant.id))
        if series.median is None:
            gap = notes.gap(series.why or variant.why)
            bars.append(HeadlineBar(head_, "", gap, ratio, chip, 0))
        else:
            text = amount(series.median, source.unit)
            bars.append(HeadlineBar(head_, text, None, ratio, chip, position(series.median, 0.0, top)))
    label = source.label if source.key == "throughput" or per_what(source.label)[1] else f"{source.label} {PER}"
    better = "higher is better" if source.higher else "lower is better"
    figure = _figure(report, source, label, verdict)
    return Headline(label, better, source.key, figure, tuple(bars), notes.all())


def _figure(report: Report, source: Source, label: str, verdict: Conclusion | None) -> Figure | None:
    """Of the contender the verdict speaks of first; else of the one furthest from the baseline."""
    known = {
        v.id: (v, source.against[v.id])
        for v in report.variants
        if v.role == "contender" and v.id in source.against and source.against[v.id].ratio is not None
    }
    baseline = next((v for v in report.variants if v.role == "baseline"), None)
    if not known or baseline is None:
        return None
    named = [v for v in (_named(report, row.path) for row in verdict.rows) if v in known] if verdict else []
    variant, comparison = known[named[0]] if named else max(known.values(), key=lambda item: _distance(item[1]))
    ratio, interval, chip = compared(comparison)
    words = f"{label}: {visible(variant.label)} against {visible(baseline.label)}"
    return Figure(ratio, chip, words, interval, floor_words(comparison))


def _named(report: Report, path: str) -> str:
    found = re.match(r"variants[.[](\d+)", path)
    place = int(found.group(1)) if found else len(report.variants)
    return report.variants[place].id if place < len(report.variants) else ""


def _distance(comparison: Comparison) -> float:
    ratio = comparison.ratio or 1.0
    return max(ratio, 1 / ratio) if ratio > 0 else 0.0


def gate_view(report: Report) -> GateView | None:
    gate = report.gate
    if gate is None:
        return None
    hits = tuple(visible(hit) for hit in gate.hits[:GATE_HITS])
    rest = len(gate.hits) - len(hits)
    return GateView(
        gate.failed,
        ", ".join(visible(text) for text in gate.asked),
        hits,
        f"{rest} more" if rest else "",
    )
