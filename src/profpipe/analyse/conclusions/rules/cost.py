"""Who costs more: the ranking of all, and each contender against the baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from profpipe.analyse.conclusions.facts import Facts, Figure, amount, conclusion, listed, plain
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.metric_keys import BESIDE_LOAD, CPU
from profpipe.model.report import Comparison, Conclusion, MetricInfo, Variant
from profpipe.units import count, percent, ratio

Ranked = Sequence[tuple[Variant, Figure]]

# A difference over this is called a factor: "costs 3.35× as much as".
FACTOR = 1.5


def ranking(facts: Facts) -> Iterator[Conclusion]:
    """The variants that cost least and most, of more than two. By CPU time, else by what is counted."""
    key = _main(facts)
    metric = facts.metric(key) if key else None
    if key is None or metric is None:
        return
    found = [(v, figure) for v in facts.variants if (figure := facts.figure(v.id, key)) is not None]
    if len(found) < 3:
        return
    found.sort(key=lambda item: item[1].value)
    factor = ratio(found[-1][1].value / found[0][1].value)
    text = f"{_end(facts, found, metric, 'least')}; {_end(facts, found[::-1], metric, 'most')} ({factor})."
    unsure = [v.label for v, _ in found if v.role == "contender" and facts.relevant(v.id, key) is None]
    if len(unsure) == len(facts.contenders):
        text = f"None of {listed(unsure)} can be told apart from {facts.baseline.label} in {metric.label}."
    yield conclusion("ranking", "", text, kind="verdict", weight=weight("ranking"), rows=[f.row for _, f in found])


def _end(facts: Facts, found: Ranked, metric: MetricInfo, word: str) -> str:
    """One end of the ranking, that of the first variant, with all that cannot be told apart from it."""
    first, value = found[0]
    same = [item for item in found if item[0] is first or not _apart(facts, metric, first, item[0])]
    show = amount if word == "least" else plain
    verb, place = ("cost", word) if not _calls(metric) else ("make", f"the {'fewest' if word == 'least' else word}")
    if len(same) == 1:
        return f"{first.label} {verb}s {place}, {show(value.value, metric)}"
    low, high = sorted((value.value, same[-1][1].value))
    return (
        f"{listed([v.label for v, _ in same])} {verb} {place}, {plain(low, metric)} to {show(high, metric)}, "
        "and cannot be told apart"
    )


def _calls(metric: MetricInfo) -> bool:
    return metric.label.startswith("calls")


def _apart(facts: Facts, metric: MetricInfo, one: Variant, other: Variant) -> bool:
    """Whether the verdict says so, where one is the baseline; else whether the intervals of both have a gap."""
    for variant, against in ((one, other), (other, one)):
        if variant.id == facts.baseline.id:
            return facts.relevant(against.id, metric.key) is not None
    a, b = one.figures[metric.key], other.figures[metric.key]
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return metric.exact and a.median != b.median
    return a.high < b.low or b.high < a.low


def cost(facts: Facts) -> Iterator[Conclusion]:
    """Each contender against the baseline: by CPU time of clean runs, and by what is counted; else by what there is."""
    keys = [k for k in (CPU, facts.counted()) if k is not None and facts.metric(k) is not None]
    keys = keys or [key for key in (_only(facts),) if key is not None]
    for key, name in zip(keys, ("cost/first figure", "cost/second figure"), strict=False):
        metric = facts.metric(key)
        assert metric is not None
        for contender in facts.contenders:
            yield from _cost(facts, contender, key, metric, name)


def beside_load(facts: Facts) -> Iterator[Conclusion]:
    """CPU time relative to the load generator's, where it is decided: it often is where CPU time alone is not."""
    for contender in facts.contenders:
        found = facts.compared(contender.id, BESIDE_LOAD)
        if found is None:
            continue
        c, path = found
        if c.verdict == "cannot tell" or c.ratio is None:
            continue
        decided = facts.relevant(contender.id, CPU) is not None
        heavy = weight("beside-load/agrees" if c.verdict == "no change" or decided else "beside-load/decides")
        figures = [f for v in (contender, facts.baseline) if (f := facts.figure(v.id, BESIDE_LOAD)) is not None]
        rows = [f.row for f in figures] + [Figure(c.ratio, f"{path}.ratio").row]
        if c.detectable is not None:
            rows.append(Figure(c.detectable, f"{path}.detectable").row)
        text = _beside(contender.label, facts.baseline.label, c)
        yield conclusion("beside-load", contender.id, text, kind="verdict", weight=heavy, rows=rows)


def _beside(name: str, against: str, c: Comparison) -> str:
    how = "relative to the load generator's"
    if c.verdict == "no change" or c.ratio is None:
        return f"{name} and {against} take the same CPU time per request within {percent(c.detectable or 0.0)}, {how}."
    size, more = percent(abs(c.ratio - 1)), "more" if c.ratio > 1 else "less"
    interval = f" (95 % interval {ratio(c.low)} to {ratio(c.high)})" if c.low and c.high else ""
    return f"{name} takes {size} {more} CPU time per request than {against}, {how}{interval}."


def _main(facts: Facts) -> str | None:
    known = [k for k in (CPU, facts.counted()) if k is not None and facts.figure(facts.baseline.id, k) is not None]
    return known[0] if known else _only(facts)


def _only(facts: Facts) -> str | None:
    """Of a study without CPU time and without instructions: what was sampled, else what was traced."""
    for instrument in ("sampled", "traced"):
        for metric in facts.report.metrics:
            if metric.instrument == instrument and facts.figure(facts.baseline.id, metric.key) is not None:
                return metric.key
    return None


def _cost(facts: Facts, contender: Variant, key: str, metric: MetricInfo, place: str) -> Iterator[Conclusion]:
    found = facts.compared(contender.id, key)
    if found is None:
        return
    c, path = found
    base, other = facts.figure(facts.baseline.id, key), facts.figure(contender.id, key)
    name, against = contender.label, facts.baseline.label
    if base is None or other is None or c.verdict == "cannot tell":
        what = amount(other.value, metric) if other else metric.label
        why = f": {c.why}" if c.why else ""
        text = f"Whether {name} costs more or less than {against} in {metric.label} is undecided{why}."
        if base is not None and other is not None:
            text = f"{name} shows {what}, {against} {plain(base.value, metric)}; which is more is undecided{why}."
        rows = [f.row for f in (other, base) if f is not None]
        yield conclusion(
            "cost",
            f"{contender.id}:{key}",
            text,
            kind="verdict",
            weight=weight("cost/undecided"),
            rows=rows,
            certainty="hint",
        )
        return
    rows = [other.row, base.row, Figure(c.ratio or 0.0, f"{path}.ratio").row]
    text = _verdict(name, against, other.value, base.value, metric, c)
    if c.detectable is not None:
        rows.append(Figure(c.detectable, f"{path}.detectable").row)
    heavy = weight(place, abs(math.log2(c.ratio)) if c.ratio else 1.0)
    yield conclusion("cost", f"{contender.id}:{key}", text, kind="verdict", weight=heavy, rows=rows)


def _verdict(name: str, against: str, other: float, base: float, metric: MetricInfo, c: Comparison) -> str:
    if c.paired:
        return _over_starts(name, against, other, base, metric, c)
    if c.verdict == "no change":
        return (
            f"{name} and {against} cost the same within {percent(c.detectable or 0.0)}: {amount(other, metric)} "
            f"and {plain(base, metric)}."
        )
    notes = [ratio(c.ratio)] if c.ratio is not None else []
    if not metric.exact and c.low is not None and c.high is not None:
        notes.append(f"95 % interval {count(c.low)} to {count(c.high)}")
    if not metric.exact and c.detectable is not None:
        notes.append(f"detectable from {percent(c.detectable)}")
    facts = f" ({'; '.join(notes)})" if notes else ""
    verb = "makes" if _calls(metric) else "spends"
    return f"{name} {verb} {amount(other, metric)}, {against} {plain(base, metric)}{facts}."


def _over_starts(name: str, against: str, other: float, base: float, metric: MetricInfo, c: Comparison) -> str:
    """The ratio is that of pairs, so that it need not be the ratio of the two medians that are printed with it."""
    both = f"{amount(other, metric)} and {plain(base, metric)}"
    if c.ratio is None or c.low is None or c.high is None:
        return f"{name} and {against} spend {both}."
    within = percent((c.high / c.low) ** 0.5 - 1)
    if c.verdict == "no change":
        most = percent(max(c.high - 1, 1 - c.low))
        return f"{name} and {against} cost the same: a change, if any, is smaller than {most}. They spend {both}."
    size, word = percent(abs(c.ratio - 1)), "more" if c.ratio > 1 else "less"
    how = f"{size} {word} than" if 1 / FACTOR <= c.ratio <= FACTOR else f"{ratio(c.ratio)} as much as"
    return (
        f"{name} costs {how} {against}, ±{within}: {both}, compared start by start (95 % interval "
        f"{ratio(c.low, precise=True)} to {ratio(c.high, precise=True)})."
    )
