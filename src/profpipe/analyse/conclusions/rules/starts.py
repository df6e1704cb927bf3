"""What the reader of figures over starts must keep in mind: few starts, luck of a start, work outside the slices."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, listed, plain, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.metric_keys import BETWEEN, CPU
from profpipe.model.report import Conclusion, Evidence, Variant
from profpipe.units import percent, ratio

# The first look of a study that has the time for it: fewer starts have wide intervals.
FEW_STARTS = 8
# A server without timers uses under 0.1 % of a processor while nothing is asked of it.
POLLS = 0.005
# CPU time between slices over that in them, from which on the latter is not the whole cost.
PUT_OFF = 0.05
# The mean of slices over their median, from which on cost comes in bursts that a median leaves out.
BURSTS = 1.10


def few_starts(facts: Facts) -> Iterator[Conclusion]:
    """So few that an interval is wide, and that one start can move it."""
    slices = facts.report.study.slices
    if slices is None or slices.starts >= FEW_STARTS:
        return
    many = "one start" if slices.starts == 1 else f"{slices.starts} starts"
    text = (
        f"CPU time rests on {many} of every variant. Intervals narrow from {FEW_STARTS} starts on: a longer --budget "
        "gives them."
    )
    rows = [Evidence(path="study.slices.starts", value=slices.starts)]
    yield conclusion("few-starts", "", text, kind="caution", weight=weight("few-starts"), rows=rows)


def random_layouts(facts: Facts) -> Iterator[Conclusion]:
    """The system did not let layouts be drawn, so that each variant had luck of its own."""
    slices = facts.report.study.slices
    if slices is None or slices.fixed_layouts is not False:
        return
    text = (
        "This system does not let a program choose where its memory lies (containers often refuse it). Variants of one "
        "start had layouts of their own, so that more starts are needed, and the same seed does not repeat them."
    )
    rows = [Evidence(path="study.slices.fixed_layouts", value=False)]
    yield conclusion("random-layouts", "", text, kind="caution", weight=weight("random-layouts"), rows=rows)


def lost_starts(facts: Facts) -> Iterator[Conclusion]:
    """Starts that no variant has figures of, by the variant that lost them; and variants that lost too many."""
    slices = facts.report.study.slices
    if slices is None:
        return
    for i, left in enumerate(slices.left_out):
        rows = [Evidence(path=f"study.slices.left_out.{i}.reason", value=left.reason)]
        text = f"{facts.label(left.target)} was left out of the starts: {left.reason}."
        yield conclusion(
            "left-out", f"slices:{left.target}", text, kind="caution", weight=weight("left-out"), rows=rows
        )
    by_variant: dict[str, list[int]] = {}
    for i, item in enumerate(slices.lost):
        by_variant.setdefault(item.variant or "", []).append(i)
    for variant, places in by_variant.items():
        first = slices.lost[places[0]]
        who = f" because of {facts.label(variant)}" if variant else ""
        many = f"{len(places)} of {slices.starts + len(slices.lost)} starts"
        text = (
            f"{many} {'is' if len(places) == 1 else 'are'} lost for all variants{who} ({first.phase}: {first.reason})."
        )
        rows = [Evidence(path=f"study.slices.lost.{i}.reason", value=slices.lost[i].reason) for i in places[:8]]
        yield conclusion("lost", f"start:{variant}", text, kind="caution", weight=weight("lost"), rows=rows)


def lottery(facts: Facts) -> Iterator[Conclusion]:
    """Luck of a start that is larger than a difference: one start of each variant may show the opposite."""
    metric = facts.metric(CPU)
    if metric is None:
        return
    for contender in facts.contenders:
        found = facts.relevant(contender.id, CPU)
        if found is None or not found.paired or not found.ratio:
            continue
        size = abs(found.ratio - 1)
        wide = [v for v in (contender, facts.baseline) if _range(v) > size]
        if not wide:
            continue
        words = [
            f"{v.label} costs {plain(v.lottery[CPU].low, metric)} to {plain(v.lottery[CPU].high, metric)}" for v in wide
        ]
        text = (
            f"{listed(words)} from start to start, which is more than the {percent(size)} between {contender.label} "
            f"and {facts.baseline.label}. One start of each may show the opposite; these figures rest on many."
        )
        at = [f"variants.{facts.place(v.id)}.lottery.{CPU}" for v in wide]
        rows = [Figure(value, f"{path}.{end}").row for v, path in zip(wide, at, strict=True) for end, value in _ends(v)]
        rows.append(Figure(found.ratio, f"variants.{facts.place(contender.id)}.against_baseline.{CPU}.ratio").row)
        yield conclusion("lottery", contender.id, text, kind="caution", weight=weight("lottery"), rows=rows)


def _range(variant: Variant) -> float:
    """How far the starts of a variant are apart, relative to the cheapest."""
    found = variant.lottery.get(CPU)
    return 0.0 if found is None or found.low <= 0 else found.high / found.low - 1


def _ends(variant: Variant) -> list[tuple[str, float]]:
    return [("low", variant.lottery[CPU].low), ("high", variant.lottery[CPU].high)]


def put_off(facts: Facts) -> Iterator[Conclusion]:
    """CPU time that a server uses after its slices: work that CPU time per request, measured in slices, leaves out."""
    base = _with_put_off(facts, facts.baseline)
    for variant in facts.variants:
        found = facts.figure(variant.id, BETWEEN)
        inside = facts.figure(variant.id, CPU)
        if found is None or inside is None or inside.value <= 0 or found.value / inside.value < PUT_OFF:
            continue
        text = (
            f"{variant.label} uses {share(found.value / inside.value)} more CPU time than its figure says, between its "
            "slices: work that it puts off, such as collecting garbage"
        )
        whole = _with_put_off(facts, variant)
        if variant.id != facts.baseline.id and base and whole:
            text += f". With it on both sides it costs {ratio(whole / base)} of {facts.baseline.label}"
        rows = [found.row, inside.row]
        yield conclusion("put-off", variant.id, f"{text}.", kind="caution", weight=weight("put-off"), rows=rows)


def _with_put_off(facts: Facts, variant: Variant) -> float | None:
    inside, outside = facts.figure(variant.id, CPU), facts.figure(variant.id, BETWEEN)
    return None if inside is None or outside is None else inside.value + outside.value


def bursts(facts: Facts) -> Iterator[Conclusion]:
    """Cost that comes in bursts: the median of slices, which the figure is, does not see it."""
    for variant in facts.variants:
        found = variant.lottery.get(CPU)
        if found is None or found.mean_over_median is None or found.mean_over_median < BURSTS:
            continue
        text = (
            f"{variant.label} costs {share(found.mean_over_median - 1)} more in the mean of its slices than in their "
            "median, which the figure is. Its cost comes in bursts, or another program disturbed some slices."
        )
        path = f"variants.{facts.place(variant.id)}.lottery.{CPU}.mean_over_median"
        rows = [Figure(found.mean_over_median, path).row]
        yield conclusion("bursts", variant.id, text, kind="caution", weight=weight("bursts"), rows=rows)


def idle(facts: Facts) -> Iterator[Conclusion]:
    """Servers that use a processor while nothing is asked of them."""
    busy = [v for v in facts.variants if v.idle_cpu is not None and v.idle_cpu >= POLLS]
    if not busy:
        return
    words = [f"{v.label} {percent(v.idle_cpu or 0.0)}" for v in busy]
    text = f"CPU time without any request, of one processor: {listed(words)}. Something polls or runs on a timer."
    rows = [Figure(v.idle_cpu or 0.0, f"variants.{facts.place(v.id)}.idle_cpu").row for v in busy]
    yield conclusion("idle", "", text, kind="caution", weight=weight("idle"), rows=rows)
