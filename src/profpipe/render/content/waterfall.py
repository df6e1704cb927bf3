"""The gap of one contender, category by category, in the order it is read: what adds, what gives back, what closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Report, Waterfall, WaterfallBar
from profpipe.render.content.variants import labels
from profpipe.render.text import PER, Chip, amount, chip, per_what, share, signed_amount

# Bars under this share of the largest one are summed into one; every category is in the hotspot table.
SMALL = 0.005
SMALLER = "smaller"
MOVED = "moved between a function and its callers or callees, not a cost of its own"
SPECIAL = {"moved": ("moved", MOVED), "unexplained": ("unexplained", "in no category, or between instruments")}


@dataclass(frozen=True, slots=True, kw_only=True)
class BarText:
    """One category's part. `value` = its delta as a number; `grows` = it is a cost (or a loss) of the contender."""

    key: str
    label: str
    about: str
    baseline: str
    contender: str
    delta: str
    share: str
    value: float
    grows: bool
    chip: Chip | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterfallText:
    """`noun` = the metric without what it is per; `source` = what measured it."""

    metric: str
    noun: str
    unit: str
    profiler: str
    source: str
    baseline: str
    contender: str
    contender_id: str
    sentence: str
    baseline_total: str
    contender_total: str
    gap: str
    bars: tuple[BarText, ...]


def first_waterfall(report: Report) -> Waterfall | None:
    """The gap to look at first: of the first metric, the widest in either direction."""
    if not report.waterfall:
        return None
    metric = report.waterfall[0].metric
    return max((w for w in report.waterfall if w.metric == metric), key=lambda w: abs(w.gap))


def waterfall_text(report: Report, w: Waterfall) -> WaterfallText:
    metric = next((m for m in report.metrics if m.key == w.metric), None)
    unit, label = (metric.unit, metric.label) if metric else ("1", w.metric)
    higher = metric is not None and metric.better == "higher"
    names = {c.key: (c.label, c.about) for c in report.categories}
    shown, folded = fold_small(w)
    if folded:
        listed = ", ".join(names.get(key, (key, ""))[0] for key in folded)
        names[SMALLER] = (f"{len(folded)} smaller", listed)
    who = labels(report)
    baseline, contender = who.get(w.baseline, w.baseline), who.get(w.contender, w.contender)
    noun, per = per_what(label)
    verb = "more" if w.gap >= 0 else "less"
    times = f" ({units.ratio(w.contender_total / w.baseline_total)})" if w.baseline_total else ""
    return WaterfallText(
        metric=w.metric,
        noun=noun,
        unit=unit,
        profiler=metric.profiler if metric else "",
        source=f"{metric.instrument} by {metric.profiler}" if metric else "",
        baseline=baseline,
        contender=contender,
        contender_id=w.contender,
        sentence=f"{contender} spends {amount(abs(w.gap), unit)} {noun} {per or PER} {verb} than {baseline}{times}.",
        baseline_total=amount(w.baseline_total, unit),
        contender_total=amount(w.contender_total, unit),
        gap=signed_amount(w.gap, unit),
        bars=tuple(_bar(bar, unit, names, higher=higher) for bar in ordered(shown)),
    )


def fold_small(w: Waterfall) -> tuple[tuple[WaterfallBar, ...], tuple[str, ...]]:
    """(bars, categories summed into the bar `smaller`). Nothing is folded unless it saves at least two rows."""
    least = SMALL * max((abs(bar.delta) for bar in w.bars), default=0.0)
    small = [bar for bar in w.bars if abs(bar.delta) < least and bar.category not in SPECIAL]
    if len(small) < 3:
        return w.bars, ()
    kept = [bar for bar in w.bars if bar not in small]
    shares = [bar.share_of_gap for bar in small if bar.share_of_gap is not None]
    folded = WaterfallBar(
        category=SMALLER,
        baseline=sum(bar.baseline for bar in small),
        contender=sum(bar.contender for bar in small),
        delta=sum(bar.delta for bar in small),
        share_of_gap=sum(shares) if len(shares) == len(small) else None,
        verdict="no change",
    )
    place = next((i for i, bar in enumerate(kept) if bar.category in SPECIAL), len(kept))
    return (*kept[:place], folded, *kept[place:]), tuple(bar.category for bar in small)


def ordered(bars: tuple[WaterfallBar, ...]) -> list[WaterfallBar]:
    """What adds first, the largest on top; then what gives back; `moved` and `unexplained` close the sum."""

    def place(bar: WaterfallBar) -> tuple[int, float]:
        last = {SMALLER: 2, "moved": 3, "unexplained": 4}.get(bar.category)
        return (last, 0.0) if last else (0, -bar.delta) if bar.delta >= 0 else (1, bar.delta)

    return sorted(bars, key=place)


def _bar(bar: WaterfallBar, unit: str, names: Mapping[str, tuple[str, str]], *, higher: bool) -> BarText:
    name, about = SPECIAL.get(bar.category) or names.get(bar.category, (bar.category, ""))
    plain = bar.category in {SMALLER, *SPECIAL}
    return BarText(
        key=bar.category,
        label=name,
        about=about,
        baseline=amount(bar.baseline, unit),
        contender=amount(bar.contender, unit),
        delta=signed_amount(bar.delta, unit),
        share=share(bar.share_of_gap),
        value=bar.delta,
        grows=(bar.delta > 0) != higher,
        chip=None if plain else chip(bar.verdict, 2.0 if bar.delta > 0 else 0.5),
    )
