"""Which categories explain the gap, by groups that tell one story, and which give some of it back."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, amount, conclusion, listed, sentence, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import MOVED, UNEXPLAINED, Conclusion, MetricInfo, Waterfall, WaterfallBar

# A group under a tenth of the gap is not named, nor a category under a fiftieth of it inside one.
GROUP_FLOOR = 0.10
CATEGORY_FLOOR = 0.02
MAX_GROUPS = 2
MAX_NAMES = 4
NOT_A_STORY = ("other", MOVED, UNEXPLAINED)

Group = tuple[float, list[tuple[int, WaterfallBar]]]


def gap(facts: Facts) -> Iterator[Conclusion]:
    """For every counted or sampled table in which contender and baseline differ beyond noise."""
    for metric in facts.report.metrics:
        if metric.instrument not in ("counted", "sampled") or metric.key.endswith(":syscalls"):
            continue
        for contender in facts.contenders:
            found = facts.waterfall(metric.key, contender.id)
            if found is not None and facts.relevant(contender.id, metric.key) is not None and found[0].gap:
                yield from _gap(facts, metric, contender.id, *found)


def groups(facts: Facts, fall: Waterfall) -> list[Group]:
    """(share of the gap of the categories worth naming, their bars), the largest share first."""
    by_group: dict[str, list[tuple[int, WaterfallBar]]] = {}
    for i, bar in enumerate(fall.bars):
        if bar.category not in NOT_A_STORY and bar.share_of_gap is not None:
            by_group.setdefault(facts.group(bar.category), []).append((i, bar))
    out = []
    for bars in by_group.values():
        whole = sum(b.share_of_gap or 0.0 for _, b in bars)
        same = [
            (i, b)
            for i, b in bars
            if (b.share_of_gap or 0.0) * whole > 0 and abs(b.share_of_gap or 0.0) >= CATEGORY_FLOOR
        ]
        same.sort(key=lambda item: -abs(item[1].share_of_gap or 0.0))
        named = same[:MAX_NAMES]
        if abs(whole) >= GROUP_FLOOR and named:
            out.append((sum(b.share_of_gap or 0.0 for _, b in named), named))
    return sorted(out, key=lambda item: -item[0])


def _gap(facts: Facts, metric: MetricInfo, contender: str, fall: Waterfall, path: str) -> Iterator[Conclusion]:
    found = groups(facts, fall)
    for_it = [g for g in found if g[0] > 0][:MAX_GROUPS]
    back = [g for g in reversed(found) if g[0] < 0][:MAX_GROUPS]
    if not for_it:
        return
    name, against = facts.label(contender), facts.label(fall.baseline)
    size = amount(abs(fall.gap), metric)
    what = f"the {size} that {name} spends more than {against}"
    if fall.gap < 0:
        what = f"the {size} that {name} saves against {against}"
    words = [f"{_names(facts, for_it[0])} {_verb('explain', facts, for_it[0])} {share(for_it[0][0])} of {what}"]
    words += [f"{_names(facts, g)} another {share(g[0])}" for g in for_it[1:]]
    text = sentence(", ".join(words))
    if back:
        text += "; " + " and ".join(f"{_names(facts, g)} {_verb('give', facts, g)} {share(g[0])} back" for g in back)
    bars = [bar for _, named in (*for_it, *back) for bar in named]
    rows = [Figure(fall.gap, f"{path}.gap").row]
    rows += [Figure(b.share_of_gap or 0.0, f"{path}.bars.{i}.share_of_gap").row for i, b in bars]
    heavy = weight("gap", abs(fall.gap) / max(fall.baseline_total, 1e-9))
    yield conclusion("gap", f"{contender}:{metric.key}", f"{text}.", kind="cause", weight=heavy, rows=rows)


def _names(facts: Facts, group: Group) -> str:
    return listed([facts.category(bar.category) for _, bar in group[1]])


def _verb(word: str, facts: Facts, group: Group) -> str:
    """`locks explain`, `allocation explains`: labels of several things end in s."""
    several = len(group[1]) > 1 or facts.category(group[1][0][1].category).endswith("s")
    return word if several else f"{word}s"
