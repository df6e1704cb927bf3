"""Tables of two commits with one row per function, whatever it was called, and with what only changed place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from profpipe.analyse.aligned_rows import NOT_ALIGNED, AlignedRows, AlignedTable
from profpipe.analyse.commits.call_graph import Edges, Side, links_of, side_of
from profpipe.analyse.commits.match import Pair, Sides, matched
from profpipe.analyse.commits.moved_cost import Shift, net, shifts
from profpipe.analyse.function_index import Index
from profpipe.analyse.matrix import Matrix
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.model.report import Alignment, Certainty
from profpipe.units import CALLS, count, signed

# A split is likely where the new function costs what the old one lost, within what a call costs; else a hint.
SAME_COST = 0.1
# Under this, in units per request, what a row changed besides is not worth words.
TELLING_REST = 0.1


def align(found: Mapping[str, Sequence[Matrix]], index: Index, study: StudyData) -> dict[str, list[AlignedTable]]:
    """Every profiler's matrices with matched rows merged, and what that adds to their tables.

    Nothing changes unless the variants are one program: names of different programs do not mean the same. What
    counted instruments find, with calls and exact sizes, is taken over by the others.
    """
    if not study.one_program:
        return {profiler: [(m, NOT_ALIGNED) for m in tables] for profiler, tables in found.items()}
    out: dict[str, list[AlignedTable]] = {}
    known: dict[str, dict[tuple[str, ...], tuple[str, Pair]]] = {v: {} for v in study.contenders}
    edges: dict[str, Edges] = {}
    for profiler in sorted(found, key=lambda p: study.instruments[p] != "counted"):
        tables = found[profiler]
        if not tables:
            out[profiler] = []
            continue
        pairs = {v: _pairs(tables[0], index, study, v, edges, known[v]) for v in study.contenders}
        pairs = _agreeing(pairs, tables[0], study)
        merged = [merge_rows(m, [p for several in pairs.values() for p in several]) for m in tables]
        out[profiler] = [(m, _aligned_rows(m, index, study, pairs, edges)) for m in merged]
        for contender, several in pairs.items():
            known[contender] |= {_plain(index, p): (profiler, p) for p in reversed(several)}
        if not any(edges.values()):
            edges = dict(merged[0].edges)
    return {profiler: out[profiler] for profiler in found}


def _plain(index: Index, pair: Pair) -> tuple[str, ...]:
    a, b = index.functions[pair.before].key, index.functions[pair.after].key
    return a.object, a.name, b.object, b.name


def _sides(
    matrix: Matrix, index: Index, study: StudyData, contender: str, edges: Mapping[str, Edges]
) -> tuple[Side, Side] | None:
    before = side_of(matrix, study.baseline, links_of(matrix, study.baseline, index, edges))
    after = side_of(matrix, contender, links_of(matrix, contender, index, edges))
    return None if before is None or after is None else (before, after)


def _pairs(
    matrix: Matrix,
    index: Index,
    study: StudyData,
    contender: str,
    edges: Mapping[str, Edges],
    known: Mapping[tuple[str, ...], tuple[str, Pair]],
) -> tuple[Pair, ...]:
    found = _sides(matrix, index, study, contender, edges)
    if found is None:
        return ()
    cost = None if matrix.metric is CALLS else matrix.metric
    sides = Sides(index.functions, *found, cost, study.per)
    return matched(sides, _taken_over(sides, known))


def _taken_over(sides: Sides, known: Mapping[tuple[str, ...], tuple[str, Pair]]) -> list[Pair]:
    """Pairs that another profiler found, where this one has functions of these names on one side only, once each."""
    rows: list[dict[tuple[str, str], list[int]]] = [{}, {}]
    present = sides.before.present, sides.after.present
    for names, here, there in zip(rows, present, reversed(present), strict=True):
        for row in np.flatnonzero(here & ~there).tolist():
            key = sides.functions[row].key
            names.setdefault((key.object, key.name), []).append(row)
    out = []
    for (object_a, name_a, object_b, name_b), (profiler, pair) in known.items():
        before, after = rows[0].get((object_a, name_a), []), rows[1].get((object_b, name_b), [])
        if len(before) == len(after) == 1:
            certainty: Certainty = "likely" if pair.certainty == "measured" else pair.certainty
            out.append(Pair(before[0], after[0], certainty, f"found by {profiler}: {pair.why}"))
    return out


def _agreeing(pairs: Mapping[str, tuple[Pair, ...]], table: Matrix, study: StudyData) -> dict[str, tuple[Pair, ...]]:
    """Without pairs whose two rows some variant has side by side: there they are two functions, so everywhere."""
    seen = {v: table.own[:, table.columns(v)].max(axis=1, initial=0.0) for v in study.variants}
    names: dict[int, int] = {}
    out: dict[str, tuple[Pair, ...]] = {}
    for contender, several in pairs.items():
        kept = []
        for pair in several:
            together = any(rows[pair.before] > 0 and rows[pair.after] > 0 for rows in seen.values())
            # One baseline row can have one name only in all contenders, else a third row would hold a half of it.
            if not together and names.setdefault(pair.before, pair.after) == pair.after:
                kept.append(pair)
        out[contender] = tuple(kept)
    return out


def merge_rows(matrix: Matrix, pairs: Iterable[Pair]) -> Matrix:
    """The cost of each `before` row stands in its `after` row. Sums per run are kept."""
    into = {p.before: p.after for p in pairs}
    if not into:
        return matrix
    own, total, calls = matrix.own.copy(), matrix.total.copy(), matrix.calls.copy()
    for before, after in into.items():
        for column in range(len(matrix.runs)):
            if own[before, column] > 0 or np.nan_to_num(calls[before, column]) > 0:
                own[after, column] += own[before, column]
                total[after, column], calls[after, column] = total[before, column], calls[before, column]
        own[before] = total[before] = calls[before] = 0.0
    links: dict[str, dict[tuple[int, int], float]] = {}
    for variant, found in matrix.edges.items():
        moved = links.setdefault(variant, {})
        for (caller, callee), n in found.items():
            place = into.get(caller, caller), into.get(callee, callee)
            moved[place] = moved.get(place, 0.0) + n
    return replace(matrix, own=own, total=total, calls=calls, edges=links)


def _aligned_rows(
    matrix: Matrix,
    index: Index,
    study: StudyData,
    pairs: Mapping[str, tuple[Pair, ...]],
    edges: Mapping[str, Edges],
) -> AlignedRows:
    alignment: dict[str, dict[int, Alignment]] = {}
    moved: dict[str, Floats] = {}
    words: dict[str, dict[int, str]] = {}
    unmatched: dict[str, float] = {}
    for contender in study.contenders:
        found = _sides(matrix, index, study, contender, edges)
        if found is None:
            continue
        before, after = found
        alignment[contender] = {
            p.after: Alignment(before=index.functions[p.before].name, certainty=p.certainty, why=p.why)
            for p in pairs.get(contender, ())
        }
        unmatched[contender] = _unmatched(before, after, np.zeros(len(before.own)))
        if matrix.metric is CALLS:
            continue
        gone = shifts(before, after, float(before.own.sum()), exact=matrix.metric.exact)
        moved[contender] = net(gone, len(before.own))
        unmatched[contender] = _unmatched(before, after, moved[contender])
        rest = after.own - before.own - moved[contender]
        words[contender] = _words(gone, index, f"{matrix.metric.label} per {study.per}", rest)
        parts = _split_off(gone, index, f"{matrix.metric.label} per {study.per}", found)
        alignment[contender] = parts | alignment[contender]
    return AlignedRows(alignment, moved, words, unmatched)


def _unmatched(before: Side, after: Side, moved: Floats) -> float:
    one = before.present != after.present
    whole = float(before.own.sum() + after.own.sum())
    alone = float((before.own + after.own - np.abs(moved))[one].sum())
    return rounded(alone / whole, 6) if whole else 0.0


def _words(found: Sequence[Shift], index: Index, unit: str, rest: Floats) -> dict[int, str]:
    """Row -> what moved there or from there, the largest amounts first, and the `rest` of its change."""
    out: dict[int, list[tuple[float, str]]] = {}
    for shift in found:
        size = f"{count(shift.amount)} {unit}"
        source, place = (index.functions[r].key.name for r in (shift.source, shift.place))
        caller, callee = ("caller", "callee") if shift.calls else ("callee", "caller")
        out.setdefault(shift.source, []).append((shift.amount, f"{size} arrived in its {caller} “{place}”"))
        out.setdefault(shift.place, []).append((shift.amount, f"{size} came from its {callee} “{source}”"))
    said = {row: ", ".join(text for _, text in sorted(p, key=lambda p: (-p[0], p[1]))[:4]) for row, p in out.items()}
    besides = {row: f"; {signed(float(rest[row]))} besides" if abs(rest[row]) >= TELLING_REST else "" for row in said}
    return {row: f"moved: {text}{besides[row]}" for row, text in said.items()}


def _split_off(found: Sequence[Shift], index: Index, unit: str, sides: tuple[Side, Side]) -> dict[int, Alignment]:
    """New functions that took their cost from another: their rows say where it was before."""
    before, after = sides
    out: dict[int, Alignment] = {}
    for shift in found:
        if not shift.new or shift.place in out:
            continue
        own, lost = float(after.own[shift.place]), float(before.own[shift.source] - after.own[shift.source])
        source = index.functions[shift.source].name
        certainty: Certainty = "likely" if abs(own - lost) <= SAME_COST * max(own, lost) else "hint"
        text = (
            f"split off from “{source.name}”, or no longer inlined there: {count(own)} {unit} are new here, while "
            f"“{source.name}” has {count(lost)} fewer"
        )
        out[shift.place] = Alignment(before=source, certainty=certainty, why=text)
    return out
