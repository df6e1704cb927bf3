"""The gap of one contender, category by category: floating bars on one axis, from the baseline's total to its own."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Report, Waterfall, WaterfallBar
from profpipe.render.text import PER, Chip, amount, anchor, chip, per_what, position, share, signed_amount, visible

# Below this share of the larger total the axis is cut, or the bars of a small gap would be hairlines.
CUT_BELOW = 0.35
# Bars under this share of the largest one are summed into one; every category is in the hotspot table.
SMALL = 0.005


SMALLER = "smaller"
SPECIAL = {
    "moved": ("moved", "left one function and arrived in another: no cost of its own"),
    "unexplained": ("unexplained", "in no category, or between instruments"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """`start` and `width` are 0..1000 on the axis; `link` is where the bar above ended."""

    key: str
    label: str
    about: str
    baseline: str
    contender: str
    delta: str
    share: str
    css: str
    chip: Chip | None
    start: int
    width: int
    link: int


@dataclass(frozen=True, slots=True)
class WaterfallView:
    id: str
    metric: str
    metric_label: str
    source: str
    baseline: str
    contender: str
    contender_id: str
    hue: int
    sentence: str
    baseline_total: str
    contender_total: str
    gap: str
    axis: str
    baseline_width: int
    contender_width: int
    end: int
    bars: tuple[Bar, ...]
    first: bool


@dataclass(frozen=True, slots=True)
class WaterfallChoice:
    """One button of the selector."""

    key: str
    label: str
    hue: int


@dataclass(frozen=True, slots=True)
class Waterfalls:
    metrics: tuple[WaterfallChoice, ...]
    contenders: tuple[WaterfallChoice, ...]
    views: tuple[WaterfallView, ...]


def waterfalls(report: Report, hues: dict[str, int]) -> Waterfalls:
    first = _first(report)
    views = tuple(_view(report, w, hues, first=w is first) for w in report.waterfall)
    metrics = {view.metric: view.metric_label for view in views}
    contenders = {view.contender_id: (view.contender, view.hue) for view in views}
    return Waterfalls(
        tuple(WaterfallChoice(key, label, 0) for key, label in metrics.items()),
        tuple(WaterfallChoice(key, label, hue) for key, (label, hue) in contenders.items()),
        views,
    )


def fold_small(w: Waterfall) -> tuple[tuple[WaterfallBar, ...], tuple[str, ...]]:
    """(bars, categories summed into the bar `smaller`). Nothing is folded unless it saves at least two rows."""
    least = SMALL * max((abs(bar.delta) for bar in w.bars), default=0.0)
    small = [bar for bar in w.bars if abs(bar.delta) < least and bar.category not in SPECIAL]
    if len(small) < 3:
        return w.bars, ()
    kept = [bar for bar in w.bars if bar not in small]
    delta = sum(bar.delta for bar in small)
    shares = [bar.share_of_gap for bar in small if bar.share_of_gap is not None]
    folded = WaterfallBar(
        category=SMALLER,
        baseline=sum(bar.baseline for bar in small),
        contender=sum(bar.contender for bar in small),
        delta=delta,
        share_of_gap=sum(shares) if len(shares) == len(small) else None,
        verdict="no change",
    )
    place = next((i for i, bar in enumerate(kept) if bar.category in SPECIAL), len(kept))
    return (*kept[:place], folded, *kept[place:]), tuple(bar.category for bar in small)


def _first(report: Report) -> Waterfall | None:
    """The gap to look at first: of the first metric, the widest in either direction."""
    if not report.waterfall:
        return None
    metric = report.waterfall[0].metric
    return max((w for w in report.waterfall if w.metric == metric), key=lambda w: abs(w.gap))


def _ordered(bars: tuple[WaterfallBar, ...]) -> list[WaterfallBar]:
    """What adds first, the heaviest on top; then what gives back; `moved` and `unexplained` close the sum."""

    def place(bar: WaterfallBar) -> tuple[int, float]:
        last = {SMALLER: 2, "moved": 3, "unexplained": 4}.get(bar.category)
        return (last, 0.0) if last else (0, -bar.delta) if bar.delta >= 0 else (1, bar.delta)

    return sorted(bars, key=place)


def _view(report: Report, w: Waterfall, hues: dict[str, int], *, first: bool) -> WaterfallView:
    metric = next((m for m in report.metrics if m.key == w.metric), None)
    unit, label = (metric.unit, visible(metric.label)) if metric else ("1", visible(w.metric))
    higher = metric is not None and metric.better == "higher"
    labels = {v.id: visible(v.label) for v in report.variants}
    low, high = _axis(w)
    names = {c.key: (visible(c.label), visible(c.about)) for c in report.categories}
    shown, folded = fold_small(w)
    if folded:
        listed = ", ".join(names.get(key, (visible(key), ""))[0] for key in folded)
        names[SMALLER] = (f"{len(folded)} smaller", listed)
    bars, at = [], w.baseline_total
    for bar in _ordered(shown):
        bars.append(_bar(bar, at, (low, high), unit, names, higher))
        at += bar.delta
    baseline, contender = labels.get(w.baseline, visible(w.baseline)), labels.get(w.contender, visible(w.contender))
    verb = "more" if w.gap >= 0 else "less"
    noun, per = per_what(label)
    times = f" ({units.ratio(w.contender_total / w.baseline_total)})" if w.baseline_total else ""
    return WaterfallView(
        anchor("gap", w.metric, w.contender),
        anchor(w.metric),
        f"{noun} ({visible(metric.profiler)})" if metric else noun,
        f"{metric.instrument} by {visible(metric.profiler)}" if metric else "",
        baseline,
        contender,
        anchor(w.contender),
        hues.get(w.contender, 0),
        f"{contender} spends {amount(abs(w.gap), unit)} {noun} {per or PER} {verb} than {baseline}{times}.",
        amount(w.baseline_total, unit),
        amount(w.contender_total, unit),
        signed_amount(w.gap, unit),
        "" if low == 0 else f"The axis starts at {amount(low, unit)}, not at zero.",
        position(w.baseline_total, low, high),
        position(w.contender_total, low, high),
        position(at, low, high),
        tuple(bars),
        first,
    )


def _axis(w: Waterfall) -> tuple[float, float]:
    points, at = [w.baseline_total, w.contender_total], w.baseline_total
    for bar in _ordered(w.bars):
        at += bar.delta
        points.append(at)
    low, high = min(points), max(points)
    if high <= 0 or low <= 0:
        return min(low, 0.0), max(high, 0.0)
    if high - low >= CUT_BELOW * high:
        return 0.0, high
    return max(0.0, low - 0.25 * (high - low)), high


def _bar(
    bar: WaterfallBar,
    at: float,
    axis: tuple[float, float],
    unit: str,
    names: dict[str, tuple[str, str]],
    higher: bool,
) -> Bar:
    first, last = position(at, *axis), position(at + bar.delta, *axis)
    name, about = SPECIAL.get(bar.category) or names.get(bar.category, (visible(bar.category), ""))
    css = "w-flat" if bar.delta == 0 else "w-up" if (bar.delta > 0) != higher else "w-down"
    return Bar(
        bar.category,
        name,
        about,
        amount(bar.baseline, unit),
        amount(bar.contender, unit),
        signed_amount(bar.delta, unit),
        share(bar.share_of_gap),
        "w-other" if bar.category in {SMALLER, *SPECIAL} else css,
        None if bar.category in {SMALLER, *SPECIAL} else chip(bar.verdict, 2.0 if bar.delta > 0 else 0.5),
        min(first, last),
        max(abs(last - first), 2 if bar.delta else 0),
        first,
    )
