"""What a pull request changes, in the one sentence that a reader takes away: how much, in which function, which line.

Where two commits are compared, this is the first line of comment, terminal and page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from profpipe import units
from profpipe.model.metric_keys import FIRST, MEMORY, P50, P99
from profpipe.model.report import Comparison, Dependency, Report, Variant
from profpipe.render.content.culprit import culprit, package_of
from profpipe.render.content.figures import Figure, figures
from profpipe.render.content.function_words import Culprit
from profpipe.render.text import amount, compared, cut

# From here on "three times as expensive" is read faster than "212 % more expensive".
FACTOR = 2.0
REQUEST = 80
# Packages of a bump that the sentence names.
PACKAGES = 3
BESIDES = (MEMORY, P50, P99)

# The parts of a sentence: plain words, the size that matters, a name of code, a place in the sources.
Part = tuple[Literal["words", "size", "code", "place"], str]
Sentence = tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What requests cost more or less, between exactly two commits. `figure` = the cost that shows it.

    `sentence` says it whole; `size` is its "9.6 % more expensive". `path` and `line` = where the changed line is,
    empty and None where none is known.
    """

    baseline: Variant
    contender: Variant
    figure: Figure
    size: str
    sentence: Sentence
    culprit: Culprit | None

    @property
    def path(self) -> str:
        return self.culprit.file if self.culprit is not None and self.culprit.changed else ""

    @property
    def line(self) -> int | None:
        return self.culprit.line if self.culprit is not None else None


def two_commits(report: Report) -> tuple[Variant, Variant] | None:
    """Baseline and contender where a report compares exactly two commits."""
    shown = [variant for variant in report.variants if variant.role != "control"]
    bases = [v for v in shown if v.role == "baseline"]
    if len(shown) != 2 or len(bases) != 1 or any(v.commit is None for v in shown):
        return None
    return bases[0], next(v for v in shown if v.role == "contender")


def change(report: Report, subject: str) -> Change | None:
    """The change of a report of two commits; None for other reports, and where the cost is neither better nor worse.

    `subject` = who made it, for example "This pull request".
    """
    pair = two_commits(report)
    decided = [] if pair is None else [item for item in _decided(report, pair[1]) if _is_cost(item[0])]
    if pair is None or not decided:
        return None
    figure, comparison = decided[0]
    found = culprit(report, pair[1], worse=comparison.verdict == "worse")
    said, size = _how_much(report, subject, figure, comparison)
    return Change(
        baseline=pair[0],
        contender=pair[1],
        figure=figure,
        size=size,
        sentence=(*said, *_where(report, pair[1], found)),
        culprit=found,
    )


def bar_rows(found: Change, base: str, head: str) -> list[tuple[str, str, float, str]]:
    """Both commits as rows of bars under these names; nothing where a figure is not known."""
    rows = []
    for label, variant in ((base, found.baseline), (head, found.contender)):
        middle = variant.figures[found.figure.key].median if found.figure.key in variant.figures else None
        if middle is None:
            return []
        ratio = compared(found.figure.against.get(variant.id))[0]
        rows.append((label, amount(middle, found.figure.unit), middle, ratio))
    return rows


def also(report: Report) -> tuple[str, ...]:
    """What else two commits differ in, a sentence each: memory and latency are costs of their own."""
    pair = two_commits(report)
    decided = _decided(report, pair[1]) if pair is not None else ()
    return tuple(_alone(figure, comparison) for figure, comparison in decided if figure.key in BESIDES)


def plain(sentence: Sentence) -> str:
    """The sentence without any markup."""
    return "".join(text for _, text in sentence)


def short(found: Change, report: Report) -> str:
    """The sentence without what one line of a status has no room for: what the function does more."""
    who = found.culprit
    line = "" if who is None or who.line is None else f":{who.line}"
    where = "" if who is None else f": {who.name}{f' in {who.file}{line}' if who.file else ''}"
    verb = "executes" if found.figure.key not in FIRST else "is"
    return f"{request_of(report) or 'a request'} {verb} {found.size}{where}"


def request_of(report: Report) -> str:
    return cut(report.study.request, REQUEST)


def _decided(report: Report, contender: Variant) -> Iterator[tuple[Figure, Comparison]]:
    """Costs that are better or worse, what matters most first. What is traced or sampled explains, and is none."""
    every = [f for f in figures(report) if contender.id in f.against and (_is_cost(f) or f.key in BESIDES)]
    every.sort(key=lambda figure: FIRST.index(figure.key) if figure.key in FIRST else len(FIRST))
    for figure in every:
        comparison = figure.against[contender.id]
        if comparison.verdict in ("better", "worse") and comparison.ratio is not None:
            yield figure, comparison


def _is_cost(figure: Figure) -> bool:
    return figure.key in FIRST or figure.key.endswith(":instructions")


def _how_much(report: Report, subject: str, figure: Figure, comparison: Comparison) -> tuple[Sentence, str]:
    """(the sentence up to its interval, the size in it)"""
    request = request_of(report)
    of: Part = ("code", request) if request else ("words", "a request")
    ratio = comparison.ratio or 1.0
    ends = f" ({_interval(comparison)})" if _interval(comparison) else ""
    verb, size = "", _cost_words(ratio)
    if figure.key not in FIRST:
        verb, size = "execute ", f"{_more(ratio, 'more', 'fewer')} instructions"
    return (("words", f"{subject} makes "), of, ("words", f" {verb}"), ("size", size), ("words", ends)), size


def _where(report: Report, contender: Variant, found: Culprit | None) -> Sentence:
    """The function, its place and its package, what it does more; without a function the package that differs."""
    alone = next((d.words for d in report.dependencies if d.contender == contender.id and d.alone), None)
    if found is None:
        return (("words", f": {alone} is all that differs." if alone else f"{_together(report, contender)}."),)
    place = f"{found.file}:{found.line}" if found.file and found.line is not None else found.file
    package = package_of(report, contender, found.file, found.name)
    parts: list[Part] = [("words", ": "), ("code", found.name)]
    if place:
        parts += [("words", " in "), ("place", place)]
    parts.append(("words", f" ({package.words})" if package is not None else ""))
    parts.append(("words", f" {found.did}" if found.did else " holds the changed line" if found.changed else ""))
    parts.append(("words", f"; {found.calls}." if found.calls else "."))
    if package is None and alone is not None:
        parts.append(("words", f" {alone} is all that differs."))
    return tuple(parts)


def changed_packages(report: Report, contender: Variant) -> list[Dependency]:
    """The packages that differ: first those in another version, then what these brought or no longer need."""
    found = [each for each in report.dependencies if each.contender == contender.id]
    return sorted(found, key=lambda each: None in (each.before, each.after))


def _together(report: Report, contender: Variant) -> str:
    """ ": Werkzeug 2.1.2 → 2.2.3 and MarkupSafe 3.0.4 (new) are all that differs", where one commit is compared with
    itself; empty where files differ too."""
    base = next((v.commit for v in report.variants if v.role == "baseline"), None)
    words = [d.words for d in changed_packages(report, contender)]
    if len(words) < 2 or base is None or contender.commit is None or base.commit != contender.commit.commit:
        return ""
    last = words[-1] if len(words) <= PACKAGES else f"{len(words) - PACKAGES + 1} more"
    return (
        f": {', '.join(words[: PACKAGES - 1] if len(words) > PACKAGES else words[:-1])} and {last} are all that differs"
    )


def _interval(comparison: Comparison) -> str:
    """ "1.13× to 1.19×"; empty where both ends read the same, as those of exact counts do."""
    low, high = comparison.low, comparison.high
    if low is None or high is None:
        return ""
    fine = comparison.paired
    first, last = units.ratio(low, precise=fine), units.ratio(high, precise=fine)
    return "" if first == last else f"{first} to {last}"


def _cost_words(ratio: float) -> str:
    if ratio >= FACTOR:
        return f"{units.count(ratio)} times as expensive"
    return f"{_percent(ratio)} {'more expensive' if ratio > 1 else 'cheaper'}"


def _more(ratio: float, more: str, less: str) -> str:
    return f"{units.count(ratio)} times the" if ratio >= FACTOR else f"{_percent(ratio)} {more if ratio > 1 else less}"


def _raised(ratio: float) -> str:
    return f"{units.count(ratio)} times as large" if ratio >= FACTOR else f"{_percent(ratio)} {_more_word(ratio)}"


def _more_word(ratio: float) -> str:
    return "higher" if ratio > 1 else "lower"


def _percent(ratio: float) -> str:
    """Whole per cents from ten on: the interval says how well they are known."""
    size = abs(ratio - 1)
    return units.percent(size, 0 if size >= 0.0995 else 1)


def _alone(figure: Figure, comparison: Comparison) -> str:
    ends = f" ({_interval(comparison)})" if _interval(comparison) else ""
    noun = figure.noun[:1].upper() + figure.noun[1:]
    return f"{noun} is {_raised(comparison.ratio or 1.0)}{ends}."
