"""Where the gap comes from: floating bars on one axis, from the baseline's total to the contender's."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import Report, Waterfall
from profpipe.render.content.variants import heads
from profpipe.render.content.waterfall import (
    SMALLER,
    SPECIAL,
    BarText,
    WaterfallText,
    first_waterfall,
    ordered,
    waterfall_text,
)
from profpipe.render.page.interface import Section
from profpipe.render.text import amount, anchor, position

# Below this share of the larger total the axis is cut, or the bars of a small gap would be hairlines.
CUT_BELOW = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`start` and `width` are 0..1000 on the axis; `link` is where the bar above ended."""

    text: BarText
    css: str
    start: int
    width: int
    link: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterfallView:
    """`metric` and `contender` are the keys of its two buttons; `first` = the one that is shown at first."""

    id: str
    metric: str
    metric_label: str
    contender: str
    hue: int
    text: WaterfallText
    axis: str
    baseline_width: int
    contender_width: int
    end: int
    bars: tuple[Bar, ...]
    first: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One button of the selector."""

    key: str
    label: str
    hue: int = 0


@dataclass(frozen=True, slots=True)
class GapView:
    metrics: tuple[Choice, ...]
    contenders: tuple[Choice, ...]
    waterfalls: tuple[WaterfallView, ...]


def gap_view(report: Report) -> GapView | None:
    """None where no metric explains a gap."""
    if not report.waterfall:
        return None
    first, hues = first_waterfall(report), {head.id: head.hue for head in heads(report)}
    views = tuple(_view(report, w, hues, first=w is first) for w in report.waterfall)
    metrics = {view.metric: view.metric_label for view in views}
    contenders = {view.contender: (view.text.contender, view.hue) for view in views}
    return GapView(
        tuple(Choice(key, label) for key, label in metrics.items()),
        tuple(Choice(key, label, hue) for key, (label, hue) in contenders.items()),
        views,
    )


def _view(report: Report, w: Waterfall, hues: dict[str, int], *, first: bool) -> WaterfallView:
    text = waterfall_text(report, w)
    low, high = _axis(w)
    bars, at = [], w.baseline_total
    for bar in text.bars:
        bars.append(_bar(bar, at, (low, high)))
        at += bar.value
    return WaterfallView(
        id=anchor("gap", w.metric, w.contender),
        metric=anchor(w.metric),
        metric_label=f"{text.noun} ({text.profiler})" if text.profiler else text.noun,
        contender=anchor(w.contender),
        hue=hues.get(w.contender, 0),
        text=text,
        axis="" if low == 0 else f"The axis starts at {amount(low, text.unit)}, not at zero.",
        baseline_width=position(w.baseline_total, low, high),
        contender_width=position(w.contender_total, low, high),
        end=position(at, low, high),
        bars=tuple(bars),
        first=first,
    )


def _axis(w: Waterfall) -> tuple[float, float]:
    points, at = [w.baseline_total, w.contender_total], w.baseline_total
    for bar in ordered(w.bars):
        at += bar.delta
        points.append(at)
    low, high = min(points), max(points)
    if high <= 0 or low <= 0:
        return min(low, 0.0), max(high, 0.0)
    if high - low >= CUT_BELOW * high:
        return 0.0, high
    return max(0.0, low - 0.25 * (high - low)), high


def _bar(bar: BarText, at: float, axis: tuple[float, float]) -> Bar:
    first, last = position(at, *axis), position(at + bar.value, *axis)
    css = "w-flat" if bar.value == 0 else "w-up" if bar.grows else "w-down"
    return Bar(
        text=bar,
        css="w-other" if bar.key in {SMALLER, *SPECIAL} else css,
        start=min(first, last),
        width=max(abs(last - first), 2 if bar.value else 0),
        link=first,
    )


SECTION = Section(key="gap", title="Gap", template="_gap.html.j2", view=gap_view, shows=("waterfall",))
