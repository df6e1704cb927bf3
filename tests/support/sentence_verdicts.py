"""What verdicts say: who costs more, by how much, who costs least and most, and what is undecided."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tests.support.sentence_figures import CPU, NUMBER, Told, percent_reads, reads


def _ranking(told: Told) -> Iterator[str]:
    key = next(k for k in (CPU, told.counted(), *told.others()) if k and told.figure(told.baseline, k) is not None)
    shown = [v.id for v in told.report.variants if v.role != "control" and told.figure(v.id, key) is not None]
    shown.sort(key=lambda v: told.figure(v, key) or 0.0)
    if told.text.startswith("None of "):
        apart = [v for v in shown if v != told.baseline and told.compared(key, v).relevant]
        yield from (f"{v} can be told apart" for v in apart)
        return
    label = "|".join(sorted((re.escape(told.label(v)) for v in shown), key=len, reverse=True))
    names = rf"(?:{label})(?:(?:, | and )(?:{label}))*"
    found = re.fullmatch(
        rf"(?P<least>{names}) (?:costs? least|makes? the fewest)(?P<low>.*?); "
        rf"(?P<most>{names}) (?:costs? most|makes? the most)(?P<high>.*?) "
        rf"\((?P<ratio>{NUMBER})×\)\.",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    least, most = ([v for v in shown if re.search(_word(told, v), found[end])] for end in ("least", "most"))
    yield from _end(told, key, least, shown, found["low"])
    yield from _end(told, key, most[::-1], shown[::-1], found["high"])
    whole = (told.figure(shown[-1], key) or 0.0) / (told.figure(shown[0], key) or 1.0)
    if not reads(found["ratio"], whole):
        yield f"the ratio is {whole}"


def _word(told: Told, variant: str) -> str:
    return rf"(?:^|, | and ){re.escape(told.label(variant))}(?:$|, | and )"


def _end(told: Told, key: str, named: list[str], ordered: list[str], figures: str) -> Iterator[str]:
    """Those named are the first of `ordered`, with what they cost, and everyone else is told apart from the first."""
    if named != ordered[: len(named)] or not named:
        yield f"the order is {ordered}"
    for other in ordered[1:]:
        if (other in named) == _apart(told, key, ordered[0], other):
            yield f"{other} {'can' if other in named else 'cannot'} be told apart from {ordered[0]}"
    printed = re.findall(rf"{NUMBER}(?: (?:ns|µs|ms|s)\b)?", figures)
    values = sorted({told.figure(v, key) or 0.0 for v in (ordered[0], named[-1])} if named else set())
    if len(printed) < len(values) or not all(reads(p, v) for p, v in zip(printed, values, strict=False)):
        yield f"they cost {values}"


def _apart(told: Told, key: str, one: str, other: str) -> bool:
    if told.baseline in (one, other):
        return told.compared(key, other if one == told.baseline else one).relevant
    a, b = (next(v for v in told.report.variants if v.id == name).figures[key] for name in (one, other))
    if None in (a.low, a.high, b.low, b.high):
        return told.metric(key).exact and a.median != b.median
    return bool((a.high or 0.0) < (b.low or 0.0) or (b.high or 0.0) < (a.low or 0.0))


def _cost(told: Told) -> Iterator[str]:
    contender, c = told.contender, told.compared(told.key)
    other, before = told.figure(contender, told.key), told.figure(told.baseline, told.key)
    if "undecided" in told.text:
        if c.verdict != "cannot tell" and other is not None and before is not None:
            yield f"the verdict is {c.verdict}"
        return
    if "cost the same" in told.text and c.verdict != "no change":
        yield f"the verdict is {c.verdict}"
    against = re.escape(told.label(told.baseline))
    figures = re.search(
        rf"(?:{re.escape(told.label(contender))} (?:spends|makes)|%:|as much as {against}, \S+ %:|They spend|"
        rf"{against} spend) "
        rf"({NUMBER}\b.*?)(?:, {against} | and )({NUMBER}.*?)(?: \(|\.$|, compared|$)",
        told.text,
    )
    if other is None or before is None or figures is None:
        yield "it is not read"
        return
    if not (reads(figures[1], other) and reads(figures[2], before)):
        yield f"the medians are {other} and {before}"
    yield from _direction(told, c.ratio or 1.0, r"costs (?P<size>\S+ %) (?P<word>more|less) than", c.verdict)
    factor = re.search(rf"\(({NUMBER})×", told.text) or re.search(rf"costs ({NUMBER})× as much", told.text)
    if factor is not None and "interval" not in told.text[: factor.start()] and not reads(factor[1], c.ratio or 0.0):
        yield f"the ratio is {c.ratio}"
    if c.verdict in ("better", "worse") and not c.paired and (c.verdict == "worse") != (other > before):
        yield f"the verdict {c.verdict} has not the direction of the medians"


def _direction(told: Told, ratio: float, pattern: str, verdict: str) -> Iterator[str]:
    found = re.search(pattern, told.text)
    if found is None:
        return
    if (found["word"] == "more") != (ratio > 1) or verdict != ("worse" if ratio > 1 else "better"):
        yield f"the ratio is {ratio}, {verdict}"
    if not percent_reads(found["size"], ratio - 1):
        yield f"the size is {ratio - 1}"


def _beside_load(told: Told) -> Iterator[str]:
    c = told.compared("clean:cpu_beside_load")
    if "the same CPU time" in told.text and c.verdict != "no change":
        yield f"the verdict is {c.verdict}"
    yield from _direction(told, c.ratio or 1.0, r"takes (?P<size>\S+ %) (?P<word>more|less) CPU time", c.verdict)


VERDICTS: Mapping[str, Callable[[Told], Iterator[str]]] = {
    "ranking": _ranking,
    "cost": _cost,
    "beside-load": _beside_load,
}
