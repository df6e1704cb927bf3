"""Functions of two commits that are the same function: renamed, moved to another file, or with other types.

A wrong match hides a regression behind the saving of another function. A match therefore needs a name or a file in
common, and the same place in the call graph or the same size besides. Of two equally good candidates neither is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from profpipe.analyse.commits.call_graph import CommitGraphs
from profpipe.analyse.commits.evidence import (
    SAME_CALLS,
    Kind,
    MatchedRows,
    calls_apart,
    different_name,
    evidence_of,
    reasons,
    same_name,
    within,
)
from profpipe.analyse.function_index import Known
from profpipe.analyse.names.source_paths import base_name
from profpipe.analyse.names.stems import stem_of
from profpipe.model.report import Certainty

# Of more one-sided functions in one file only the most expensive are looked at: pairs grow with the square.
MAX_GROUP = 200
MAX_PASSES = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """Rows of one function: `before` at the baseline, `after` at the contender."""

    before: int
    after: int
    certainty: Certainty
    why: str


def one_sided(graphs: CommitGraphs) -> tuple[list[int], list[int]]:
    """Rows that only the baseline has, and rows that only the contender has, the most expensive first."""
    gone = np.flatnonzero(graphs.before.present & ~graphs.after.present)
    new = np.flatnonzero(graphs.after.present & ~graphs.before.present)
    return (
        sorted(gone.tolist(), key=lambda r: (-graphs.before.own[r], r)),
        sorted(new.tolist(), key=lambda r: (-graphs.after.own[r], r)),
    )


def matched(graphs: CommitGraphs, known: Iterable[Pair] = ()) -> tuple[Pair, ...]:
    """Pairs of rows that are the same function, `known` ones first. No row is in two pairs.

    Each pass uses the pairs of the passes before: once two callers are matched, what they call can be matched by them.
    """
    known = tuple(known)
    found = list(known)
    gone, new = one_sided(graphs)
    both = np.flatnonzero(graphs.before.present & graphs.after.present).tolist()
    rows = _matched_rows(both, found)
    for _ in range(MAX_PASSES):
        taken = {p.before for p in found}, {p.after for p in found}
        left, right = [r for r in gone if r not in taken[0]], [r for r in new if r not in taken[1]]
        fresh = _unambiguous(
            judged
            for before, after, unique in _candidates(graphs.functions, left, right)
            if (judged := _judge(graphs, before, after, rows, unique=unique)) is not None
        )
        if not fresh:
            break
        found += fresh
        rows = _matched_rows(both, found)
    return tuple(_confirmed(graphs, found, both, frozenset(p.before for p in known)))


def _matched_rows(both: Sequence[int], found: Sequence[Pair]) -> MatchedRows:
    forward = {r: r for r in both} | {p.before: p.after for p in found}
    return MatchedRows(forward, frozenset(forward.values()))


def _confirmed(graphs: CommitGraphs, found: list[Pair], both: Sequence[int], known: frozenset[int]) -> list[Pair]:
    """The pairs without those that rested on callees which then were not matched."""
    while True:
        rows = _matched_rows(both, found)
        kept = [p for p in found if p.before in known or _judge(graphs, p.before, p.after, rows, strict=True)]
        if len(kept) == len(found):
            return found
        found = kept


def _judge(
    graphs: CommitGraphs, before: int, after: int, rows: MatchedRows, *, unique: bool = True, strict: bool = False
) -> tuple[int, Pair] | None:
    """(rank, pair) if the two are the same function, else None; rank 0 is the surest.

    `unique` = no other pair of candidates has either of them; `strict` = unmatched callees are evidence against it.
    """
    a, b = graphs.functions[before].key, graphs.functions[after].key
    kind: Kind = "moved" if a.name == b.name else "types" if stem_of(a.name) == stem_of(b.name) else "renamed"
    if kind == "renamed" and not within(calls_apart(graphs, before, after), SAME_CALLS):
        return None  # checked first: of 100 x 100 functions of a file nearly all end here
    evidence = evidence_of(graphs, before, after, rows, strict=strict)
    if kind == "renamed":
        verdict = different_name(evidence)
    else:
        verdict = same_name(evidence, unique=unique, folder=_only_folder_differs(graphs, before, after))
    if verdict is None:
        return None
    rank, certainty = verdict
    return rank, Pair(before, after, certainty, reasons(graphs, kind, before, after, evidence))


def _candidates(functions: Sequence[Known], gone: Sequence[int], new: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
    """(before, after, whether no other pair of candidates has either of them), every pair once."""
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
    """What two functions must share to be candidates of this kind; None if the function cannot be one.

    Only the program's own functions can have been renamed. A library is the same at both commits: where a program calls
    `strnlen` instead of `strlen`, that is a change.
    """
    key = function.key
    if key.name.startswith("("):
        return None
    match kind:
        case "moved":
            return key.language, key.object, key.name
        case "types":
            return key.language, key.object, stem_of(key.name)
        case _:
            return None if key.object or function.library or not key.file else (key.language, key.file)


def _unambiguous(judged: Iterable[tuple[int, Pair]]) -> list[Pair]:
    """The pairs of the best rank whose two functions are in no other pair of that rank."""
    by_rank: dict[int, list[Pair]] = {}
    for rank, pair in judged:
        by_rank.setdefault(rank, []).append(pair)
    for rank in sorted(by_rank):
        pairs = by_rank[rank]
        left, right = Counter(p.before for p in pairs), Counter(p.after for p in pairs)
        unique = [p for p in pairs if left[p.before] == right[p.after] == 1]
        if unique:
            return unique
    return []


def _only_folder_differs(graphs: CommitGraphs, before: int, after: int) -> bool:
    """Whether two functions differ only in the folder of their file, as in two checkouts."""
    a, b = graphs.functions[before].key, graphs.functions[after].key
    return a.name == b.name and bool(a.file) and base_name(a.file) == base_name(b.file)
