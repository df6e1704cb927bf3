"""The reasons a study wants to decide between: how much of the gap each explains, and which one holds."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, sentence, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import Conclusion, Hypothesis, Waterfall
from profpipe.units import count

# A reason that explains half of the gap holds; one under a tenth of it is ruled out; between the two it has a part.
HOLDS = 0.5
RULED_OUT = 0.1


def hypotheses(facts: Facts) -> Iterator[Conclusion]:
    """For every contender that differs from the baseline in what is counted."""
    key, asked = facts.counted(), facts.report.study.hypotheses
    for contender in facts.contenders if asked and key else ():
        found = facts.waterfall(key or "", contender.id)
        if found is not None and facts.relevant(contender.id, key or "") is not None and found[0].gap:
            yield _decided(facts, contender.id, *found)


def _decided(facts: Facts, contender: str, fall: Waterfall, path: str) -> Conclusion:
    parts = sorted(((_explained(fall, h), h) for h in facts.report.study.hypotheses), key=lambda item: -item[0])
    best, first = parts[0]
    metric = facts.metric(fall.metric)
    label = metric.label if metric else fall.metric
    whole = abs(fall.gap)
    words = [
        f"{h.text} {_does(part)} of the gap ({count(abs(part) * whole)} {label}, the gap is {count(whole)}): "
        f"{_verdict(part, h is first)}"
        for part, h in parts
    ]
    against = f"{facts.label(contender)} against {facts.label(fall.baseline)}"
    none = "" if best >= HOLDS else " No hypothesis explains half of it."
    rows = [
        Figure(bar.share_of_gap or 0.0, f"{path}.bars.{i}.share_of_gap").row
        for _, h in parts
        for i, bar in enumerate(fall.bars)
        if bar.category in h.categories
    ]
    rows.append(Figure(fall.gap, f"{path}.gap").row)
    text = f"{against}: {sentence('; '.join(words))}.{none}"
    return conclusion("hypotheses", contender, text, kind="cause", weight=weight("hypotheses"), rows=rows)


def _explained(fall: Waterfall, hypothesis: Hypothesis) -> float:
    return sum(bar.share_of_gap or 0.0 for bar in fall.bars if bar.category in hypothesis.categories)


def _does(part: float) -> str:
    return f"explains {share(part)}" if part >= 0 else f"goes the other way by {share(part)}"


def _verdict(part: float, largest: bool) -> str:
    if part >= HOLDS and largest:
        return "this is the reason"
    if part >= HOLDS:
        return "this too"
    return "not the reason" if part < RULED_OUT else "a part of it"
