"""Functions of two commits that are one under two names: renamed, moved to another file, instantiated otherwise.

A wrong match hides a regression behind the saving of a stranger, so that a match needs a name or a file in common and
its place in the call graph or its size besides; where two candidates are as good, neither is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profpipe.analyse.commits.call_graph import Side
from profpipe.analyse.function_index import Known
from profpipe.analyse.names.source_paths import base_name
from profpipe.analyse.names.stems import likeness, stem_of
from profpipe.model.report import Certainty
from profpipe.units import Metric, count, percent

# Counts of one function repeat within 0.3 % between builds that did not touch it; calls per request within 1 %.
SAME_SIZE = 0.003
SAME_CALLS = 0.01
LIKE_SIZE = 0.25
HALF = 0.5
# Share of calls per request that two functions have in common with the same callers (or callees).
SAME_LINKS, LIKE_LINKS = 0.9, 0.5
LIKE_NAME = 0.6
# An equal count is evidence from here on: functions of a few instructions are equal by chance.
TELLING_SIZE = 30.0
# With more one-sided functions in one file only the dearest are looked at: pairs grow with the square.
MAX_GROUP = 200
MAX_PASSES = 20

Kind = Literal["moved", "types", "renamed"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Rows of one function: `before` at the baseline, `after` at the contender."""

    before: int
    after: int
    certainty: Certainty
    why: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a comparison and what their numbers are. `metric` is None where size is no cost (traced calls)."""

    functions: Sequence[Known]
    before: Side
    after: Side
    metric: Metric | None
    per: str = "request"


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What two functions have in common; None = not known. size, calls: relative difference; the rest: 0 to 1."""

    size: float | None
    calls: float | None
    callers: float | None
    callees: float | None
    alike: float
    telling: bool


@dataclass(frozen=True, slots=True)
class _Same:
    """Rows known to be one: before -> after, and all that stand after."""

    forward: Mapping[int, int]
    arrived: frozenset[int]

    def of(self, row: int, pair: tuple[int, int]) -> int:
        """The row of the other side, the pair in question taken for one; a negative number when it has none."""
        return pair[1] if row == pair[0] else self.forward.get(row, -1 - row)


def one_sided(sides: Sides) -> tuple[list[int], list[int]]:
    """Rows that only the baseline has, rows that only the contender has, the dearest first."""
    gone = np.flatnonzero(sides.before.present & ~sides.after.present)
    new = np.flatnonzero(sides.after.present & ~sides.before.present)
    return (
        sorted(gone.tolist(), key=lambda r: (-sides.before.own[r], r)),
        sorted(new.tolist(), key=lambda r: (-sides.after.own[r], r)),
    )


def matched(sides: Sides, known: Iterable[Pair] = ()) -> tuple[Pair, ...]:
    """Pairs of rows that are one function, `known` ones first. No row is in two pairs.

    Each pass uses what the last one found: a function is known by its callers once these are known by theirs.
    """
    known = tuple(known)
    found = list(known)
    gone, new = one_sided(sides)
    both = np.flatnonzero(sides.before.present & sides.after.present).tolist()
    same = _known_same(both, found)
    for _ in range(MAX_PASSES):
        taken = {p.before for p in found}, {p.after for p in found}
        left, right = [r for r in gone if r not in taken[0]], [r for r in new if r not in taken[1]]
        fresh = _settled(
            judged
            for before, after, alone in _candidates(sides.functions, left, right)
            if (judged := _judged(sides, before, after, same, alone=alone)) is not None
        )
        if not fresh:
            break
        found += fresh
        same = _known_same(both, found)
    return tuple(_confirmed(sides, found, both, frozenset(p.before for p in known)))


def _known_same(both: Sequence[int], found: Sequence[Pair]) -> _Same:
    forward = {r: r for r in both} | {p.before: p.after for p in found}
    return _Same(forward, frozenset(forward.values()))


def _confirmed(sides: Sides, found: list[Pair], both: Sequence[int], known: frozenset[int]) -> list[Pair]:
    """Without pairs that were believed for the sake of callees which then were not matched."""
    while True:
        same = _known_same(both, found)
        kept = [p for p in found if p.before in known or _judged(sides, p.before, p.after, same, strict=True)]
        if len(kept) == len(found):
            return found
        found = kept


def _judged(
    sides: Sides, before: int, after: int, same: _Same, *, alone: bool = True, strict: bool = False
) -> tuple[int, Pair] | None:
    """Rank (the lower the surer) and pair, when the two are one function; `strict`: no callee may be unmatched."""
    a, b = sides.functions[before].key, sides.functions[after].key
    kind: Kind = "moved" if a.name == b.name else "types" if stem_of(a.name) == stem_of(b.name) else "renamed"
    if kind == "renamed" and not _within(_calls_apart(sides, before, after), SAME_CALLS):
        return None  # before the rest is looked at: of 100 x 100 functions of a file nearly all end here
    evidence = _evidence(sides, before, after, same, strict=strict)
    verdict = _renamed(evidence) if kind == "renamed" else _same_name(evidence, alone, _folder(sides, before, after))
    if verdict is None:
        return None
    rank, certainty = verdict
    return rank, Pair(before, after, certainty, _why(sides, kind, before, after, evidence))


def _candidates(functions: Sequence[Known], gone: Sequence[int], new: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
    """(before, after, whether no other pair shares with either of them what these two share)."""
    done: set[tuple[int, int]] = set()
    kinds: tuple[Kind, ...] = ("moved", "types", "renamed")
    for kind in kinds:
        groups: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}
        for side, rows in enumerate((gone, new)):
            for row in rows:
                key = _group(kind, functions[row])
                if key is not None:
                    groups.setdefault(key, ([], []))[side].append(row)
        for left, right in groups.values():
            for before in left[:MAX_GROUP]:
                for after in right[:MAX_GROUP]:
                    if (before, after) not in done:
                        done.add((before, after))
                        yield before, after, len(left) == len(right) == 1


def _group(kind: Kind, function: Known) -> tuple[str, ...] | None:
    """What functions must share to be a candidate of this kind; None when the function can be none.

    Only the program's own functions are renamed: a library is the same at both commits, and where a program calls
    another of its functions instead (`strnlen` for `strlen`), that is a change.
    """
    key = function.key
    if key.name.startswith("("):
        return None
    match kind:
        case "moved":
            return key.family, key.object, key.name
        case "types":
            return key.family, key.object, stem_of(key.name)
        case _:
            return None if key.object or function.library or not key.file else (key.family, key.file)


def _calls_apart(sides: Sides, before: int, after: int) -> float | None:
    return _apart(float(sides.before.calls[before]), float(sides.after.calls[after]))


def _evidence(sides: Sides, before: int, after: int, same: _Same, *, strict: bool) -> _Evidence:
    a, b = sides.before, sides.after
    own = float(a.own[before]), float(b.own[after])
    pair = before, after
    callees = a.callees.get(before, {}), b.callees.get(after, {})
    if not strict:
        callees = _unmatched_apart(*callees, same, pair)
    return _Evidence(
        _apart(*own) if sides.metric is not None else None,
        _calls_apart(sides, before, after),
        _shared(a.callers.get(before, {}), b.callers.get(after, {}), same, pair),
        _shared(*callees, same, pair),
        likeness(sides.functions[before].key.name, sides.functions[after].key.name),
        min(own) >= TELLING_SIZE * max(float(np.nan_to_num(a.calls[before])), 1.0),
    )


def _apart(a: float, b: float) -> float | None:
    """|a - b| as a share of the larger; None unless both are known and there."""
    return abs(a - b) / max(a, b) if a > 0 and b > 0 else None


def _shared(
    before: Mapping[int, float], after: Mapping[int, float], same: _Same, pair: tuple[int, int]
) -> float | None:
    """Calls in common with the same functions over all calls; None when neither side has an edge."""
    if not before and not after:
        return None
    renamed = {same.of(row, pair): calls for row, calls in before.items()}
    rows = renamed.keys() | after.keys()
    least = sum(min(renamed.get(r, 0.0), after.get(r, 0.0)) for r in rows)
    most = sum(max(renamed.get(r, 0.0), after.get(r, 0.0)) for r in rows)
    return least / most if most > 0 else None


def _unmatched_apart(
    before: Mapping[int, float], after: Mapping[int, float], same: _Same, pair: tuple[int, int]
) -> tuple[Mapping[int, float], Mapping[int, float]]:
    """Callees without those not matched yet, where as many are called as often on both sides: they may be the same."""
    left = {r: calls for r, calls in before.items() if r in same.forward or r == pair[0]}
    right = {r: calls for r, calls in after.items() if r in same.arrived or r == pair[1]}
    rest = [sorted(c for r, c in links.items() if r not in kept) for links, kept in ((before, left), (after, right))]
    alike = len(rest[0]) == len(rest[1]) and all(
        _within(_apart(x, y), SAME_CALLS) for x, y in zip(rest[0], rest[1], strict=True)
    )
    return (left, right) if alike else (before, after)


def _within(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


def _over(value: float | None, limit: float) -> bool:
    return value is not None and value >= limit


def _same_name(e: _Evidence, alone: bool, folder: bool) -> tuple[int, Certainty] | None:
    """A function of the same name (or path) elsewhere: rank, the lower the surer, and certainty."""
    if _within(e.size, SAME_SIZE) and _within(e.calls, SAME_CALLS) and _over(e.callers, SAME_LINKS):
        return 0, "measured"
    if folder and alone:
        return 0, "likely"
    if _over(e.callers, LIKE_LINKS) or _over(e.callees, LIKE_LINKS):
        return 1, "likely"
    if _within(e.calls, SAME_CALLS) and _within(e.size, LIKE_SIZE):
        return 1, "likely"
    blind = e.calls is None and e.callers is None and e.callees is None
    return (2, "likely") if blind and alone and _within(e.size, LIKE_SIZE) else None


def _renamed(e: _Evidence) -> tuple[int, Certainty] | None:
    """Another name in the same file: it must stand at the same place in the call graph, and be alike besides."""
    if not _within(e.calls, SAME_CALLS) or not _over(e.callers, SAME_LINKS):
        return None
    leaf = e.callees is None
    if _within(e.size, SAME_SIZE) and (leaf or _over(e.callees, SAME_LINKS)):
        if e.alike >= LIKE_NAME or (not leaf and e.telling):
            return 0, "measured"
        if e.telling:
            return 1, "likely"
    if e.alike >= LIKE_NAME and (leaf or _over(e.callees, LIKE_LINKS)):
        return 1, "likely"
    return (2, "likely") if e.telling and _over(e.callees, SAME_LINKS) and _within(e.size, HALF) else None


def _settled(judged: Iterable[tuple[int, Pair]]) -> list[Pair]:
    """Pairs of the best rank there is whose two functions are in no other pair of that rank."""
    by_rank: dict[int, list[Pair]] = {}
    for rank, pair in judged:
        by_rank.setdefault(rank, []).append(pair)
    for rank in sorted(by_rank):
        pairs = by_rank[rank]
        left, right = Counter(p.before for p in pairs), Counter(p.after for p in pairs)
        alone = [p for p in pairs if left[p.before] == right[p.after] == 1]
        if alone:
            return alone
    return []


def _folder(sides: Sides, before: int, after: int) -> bool:
    """Whether two functions differ in the folder of their file alone, as two checkouts do."""
    a, b = sides.functions[before].key, sides.functions[after].key
    return a.name == b.name and bool(a.file) and base_name(a.file) == base_name(b.file)


def _why(sides: Sides, kind: Kind, before: int, after: int, e: _Evidence) -> str:
    a, b = sides.functions[before].key, sides.functions[after].key
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
        parts.append(_numbers(sides.before.calls[before], sides.after.calls[after], f"calls per {sides.per}"))
    if e.size is not None and sides.metric is not None:
        words = f"{sides.metric.label} per {sides.per}"
        parts.append(_numbers(sides.before.own[before], sides.after.own[after], words))
    return "; ".join(parts)


def _numbers(before: float, after: float, words: str) -> str:
    a, b = count(float(before)), count(float(after))
    return f"{a} {words} on both sides" if a == b else f"{a} {words} before, {b} now"
