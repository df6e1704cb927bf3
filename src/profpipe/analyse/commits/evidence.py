"""What shows that a function of one commit is one of the other: its size, its calls, its neighbours and its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profpipe.analyse.commits.call_graph import CommitGraphs
from profpipe.analyse.names.stems import likeness, stem_of
from profpipe.model.report import Certainty
from profpipe.units import count, percent

# Counts of one function repeat within 0.3 % between builds that did not touch it; calls per request within 1 %.
SAME_SIZE = 0.003
SAME_CALLS = 0.01
LIKE_SIZE = 0.25
HALF = 0.5
# Share of calls per request that two functions have in common with the same callers (or callees).
SAME_LINKS, LIKE_LINKS = 0.9, 0.5
LIKE_NAME = 0.6
# From this size on an equal count is evidence; functions of a few instructions are equal by chance.
TELLING_SIZE = 30.0

Kind = Literal["moved", "types", "renamed"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two functions have in common, None where unknown.

    `size` and `calls` are relative differences: 0 = no difference. `callers` and `callees` = the share of the calls
    that are from, or to, the same functions. `alike` = the share of words that the names have in common. `telling` =
    the functions are so large that an equal size is not by chance.
    """

    size: float | None
    calls: float | None
    callers: float | None
    callees: float | None
    alike: float
    telling: bool


@dataclass(frozen=True, slots=True)
class MatchedRows:
    """Rows matched between the two commits: before -> after, and every row that is an `after`."""

    forward: Mapping[int, int]
    after: frozenset[int]

    def of(self, row: int, pair: tuple[int, int]) -> int:
        """The match of a row, with `pair` taken as matched; without one a negative number, unique to the row."""
        return pair[1] if row == pair[0] else self.forward.get(row, -1 - row)


def calls_apart(graphs: CommitGraphs, before: int, after: int) -> float | None:
    """The relative difference of the calls per request; None where unknown."""
    return _apart(float(graphs.before.calls[before]), float(graphs.after.calls[after]))


def evidence_of(graphs: CommitGraphs, before: int, after: int, matched: MatchedRows, *, strict: bool) -> Evidence:
    """What row `before` and row `after` have in common; `strict` = unmatched callees count as different ones."""
    a, b = graphs.before, graphs.after
    own = float(a.own[before]), float(b.own[after])
    pair = before, after
    callees = a.callees.get(before, {}), b.callees.get(after, {})
    if not strict:
        callees = _without_unmatched(*callees, matched, pair)
    return Evidence(
        size=_apart(*own) if graphs.metric is not None else None,
        calls=calls_apart(graphs, before, after),
        callers=_shared(a.callers.get(before, {}), b.callers.get(after, {}), matched, pair),
        callees=_shared(*callees, matched, pair),
        alike=likeness(graphs.functions[before].key.name, graphs.functions[after].key.name),
        telling=min(own) >= TELLING_SIZE * max(float(np.nan_to_num(a.calls[before])), 1.0),
    )


def _apart(a: float, b: float) -> float | None:
    """|a - b| as a share of the larger one; None unless both are known and above 0."""
    return abs(a - b) / max(a, b) if a > 0 and b > 0 else None


def _shared(
    before: Mapping[int, float], after: Mapping[int, float], matched: MatchedRows, pair: tuple[int, int]
) -> float | None:
    """The share of the calls that are with the same functions; None when neither function has an edge."""
    if not before and not after:
        return None
    translated = {matched.of(row, pair): calls for row, calls in before.items()}
    rows = translated.keys() | after.keys()
    least = sum(min(translated.get(r, 0.0), after.get(r, 0.0)) for r in rows)
    most = sum(max(translated.get(r, 0.0), after.get(r, 0.0)) for r in rows)
    return least / most if most > 0 else None


def _without_unmatched(
    before: Mapping[int, float], after: Mapping[int, float], matched: MatchedRows, pair: tuple[int, int]
) -> tuple[Mapping[int, float], Mapping[int, float]]:
    """Callees without the unmatched ones, if both functions have as many of these and call them as often.

    Such callees may turn out to be the same functions; other unmatched callees are evidence against the pair.
    """
    left = {r: calls for r, calls in before.items() if r in matched.forward or r == pair[0]}
    right = {r: calls for r, calls in after.items() if r in matched.after or r == pair[1]}
    rest = [sorted(c for r, c in links.items() if r not in kept) for links, kept in ((before, left), (after, right))]
    alike = len(rest[0]) == len(rest[1]) and all(
        within(_apart(x, y), SAME_CALLS) for x, y in zip(rest[0], rest[1], strict=True)
    )
    return (left, right) if alike else (before, after)


def within(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


def _over(value: float | None, limit: float) -> bool:
    return value is not None and value >= limit


def same_name(e: Evidence, *, unique: bool, folder: bool) -> tuple[int, Certainty] | None:
    """(rank, certainty) of two functions of one name or path in different places, or None. Rank 0 is the surest."""
    if within(e.size, SAME_SIZE) and within(e.calls, SAME_CALLS) and _over(e.callers, SAME_LINKS):
        return 0, "measured"
    if folder and unique:
        return 0, "likely"
    if _over(e.callers, LIKE_LINKS) or _over(e.callees, LIKE_LINKS):
        return 1, "likely"
    if within(e.calls, SAME_CALLS) and within(e.size, LIKE_SIZE):
        return 1, "likely"
    blind = e.calls is None and e.callers is None and e.callees is None
    return (2, "likely") if blind and unique and within(e.size, LIKE_SIZE) else None


def different_name(e: Evidence) -> tuple[int, Certainty] | None:
    """(rank, certainty) of two functions with different names in one file, or None.

    They must have the same place in the call graph and be alike in size or name.
    """
    if not within(e.calls, SAME_CALLS) or not _over(e.callers, SAME_LINKS):
        return None
    leaf = e.callees is None
    if within(e.size, SAME_SIZE) and (leaf or _over(e.callees, SAME_LINKS)):
        if e.alike >= LIKE_NAME or (not leaf and e.telling):
            return 0, "measured"
        if e.telling:
            return 1, "likely"
    if e.alike >= LIKE_NAME and (leaf or _over(e.callees, LIKE_LINKS)):
        return 1, "likely"
    return (2, "likely") if e.telling and _over(e.callees, SAME_LINKS) and within(e.size, HALF) else None


def reasons(graphs: CommitGraphs, kind: Kind, before: int, after: int, e: Evidence) -> str:
    """Why the two are taken for the same function, in words: the kind of the match, then the figures."""
    a, b = graphs.functions[before].key, graphs.functions[after].key
    parts = [
        {
            "moved": f"moved: the same name in {a.file or 'no known file'} before and {b.file or 'no known file'} now",
            "types": f"the same path, “{stem_of(b.name)}”, with other types or parameters",
            "renamed": f"renamed: “{a.name}” before, both in {a.file}",
        }[kind]
    ]
    if e.callers is not None:
        parts.append(f"{percent(e.callers, 0)} of its calls come from the same callers")
    if e.callees is not None:
        parts.append(f"{percent(e.callees, 0)} of the calls it makes go to the same functions")
    if e.calls is not None:
        parts.append(_numbers(graphs.before.calls[before], graphs.after.calls[after], f"calls per {graphs.per}"))
    if e.size is not None and graphs.metric is not None:
        words = f"{graphs.metric.label} per {graphs.per}"
        parts.append(_numbers(graphs.before.own[before], graphs.after.own[after], words))
    return "; ".join(parts)


def _numbers(before: float, after: float, words: str) -> str:
    a, b = count(float(before)), count(float(after))
    return f"{a} {words} on both sides" if a == b else f"{a} {words} before, {b} now"
