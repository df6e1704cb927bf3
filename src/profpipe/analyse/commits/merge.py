"""Tables of two commits with one row per function, also where it was renamed, and with the cost that only moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from profpipe.analyse.aligned_rows import NOT_ALIGNED, AlignedRows, AlignedTable
from profpipe.analyse.commits.call_graph import CommitGraphs, Edges, VariantGraph, variant_edges, variant_graph
from profpipe.analyse.commits.match import Pair, matched
from profpipe.analyse.commits.moved_cost import Shift, net, shifts
from profpipe.analyse.function_index import Index
from profpipe.analyse.matrix import Matrix
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.model.report import Alignment, Certainty
from profpipe.units import CALLS, Metric, amount, signed

# A split is "likely" where the new function costs what the old one lost, within what a call costs; else a "hint".
SAME_COST = 0.1
# A remaining change below this, in units per request, is not mentioned.
TELLING_REST = 0.1


def align(found: Mapping[str, Sequence[Matrix]], index: Index, study: StudyData) -> dict[str, list[AlignedTable]]:
    """Every profiler's matrices with matched rows merged, and the columns that this adds to their tables.

    Nothing changes unless the variants are one program: equal names in different programs mean nothing. Counted
    instruments, which know calls and exact sizes, match first; the others take over their pairs.
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


def _graphs(
    matrix: Matrix, index: Index, study: StudyData, contender: str, edges: Mapping[str, Edges]
) -> tuple[VariantGraph, VariantGraph] | None:
    before = variant_graph(matrix, study.baseline, variant_edges(matrix, study.baseline, index, edges))
    after = variant_graph(matrix, contender, variant_edges(matrix, contender, index, edges))
    return None if before is None or after is None else (before, after)


def _pairs(
    matrix: Matrix,
    index: Index,
    study: StudyData,
    contender: str,
    edges: Mapping[str, Edges],
    known: Mapping[tuple[str, ...], tuple[str, Pair]],
) -> tuple[Pair, ...]:
    found = _graphs(matrix, index, study, contender, edges)
    if found is None:
        return ()
    cost = None if matrix.metric is CALLS else matrix.metric
    before, after = found
    graphs = CommitGraphs(functions=index.functions, before=before, after=after, metric=cost, per=study.per)
    return matched(graphs, _taken_over(graphs, known))


def _taken_over(graphs: CommitGraphs, known: Mapping[tuple[str, ...], tuple[str, Pair]]) -> list[Pair]:
    """Pairs that another profiler found, where each of the two names is here at one commit only, and there once."""
    rows: list[dict[tuple[str, str], list[int]]] = [{}, {}]
    present = graphs.before.present, graphs.after.present
    for names, here, there in zip(rows, present, reversed(present), strict=True):
        for row in np.flatnonzero(here & ~there).tolist():
            key = graphs.functions[row].key
            names.setdefault((key.object, key.name), []).append(row)
    out = []
    for (object_a, name_a, object_b, name_b), (profiler, pair) in known.items():
        before, after = rows[0].get((object_a, name_a), []), rows[1].get((object_b, name_b), [])
        if len(before) == len(after) == 1:
            certainty: Certainty = "likely" if pair.certainty == "measured" else pair.certainty
            out.append(Pair(before[0], after[0], certainty, f"found by {profiler}: {pair.why}"))
    return out


def _agreeing(pairs: Mapping[str, tuple[Pair, ...]], table: Matrix, study: StudyData) -> dict[str, tuple[Pair, ...]]:
    """The pairs without those whose two rows occur together in some variant, where they are two functions."""
    seen = {v: table.own[:, table.columns(v)].max(axis=1, initial=0.0) for v in study.variants}
    names: dict[int, int] = {}
    out: dict[str, tuple[Pair, ...]] = {}
    for contender, several in pairs.items():
        kept = []
        for pair in several:
            together = any(rows[pair.before] > 0 and rows[pair.after] > 0 for rows in seen.values())
            # A baseline row has the same name in all contenders, or a third row would hold a part of it.
            if not together and names.setdefault(pair.before, pair.after) == pair.after:
                kept.append(pair)
        out[contender] = tuple(kept)
    return out


def merge_rows(matrix: Matrix, pairs: Iterable[Pair]) -> Matrix:
    """The matrix with the cost of each `before` row added to its `after` row. Sums per run are kept."""
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
    edges, below = (_renamed(links, into) for links in (matrix.edges, matrix.below))
    return replace(matrix, own=own, total=total, calls=calls, edges=edges, below=below)


def _renamed(links: Mapping[str, Edges], into: Mapping[int, int]) -> dict[str, dict[tuple[int, int], float]]:
    out: dict[str, dict[tuple[int, int], float]] = {}
    for variant, found in links.items():
        moved = out.setdefault(variant, {})
        for (caller, callee), n in found.items():
            edge = into.get(caller, caller), into.get(callee, callee)
            moved[edge] = moved.get(edge, 0.0) + n
    return out


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
        found = _graphs(matrix, index, study, contender, edges)
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
        words[contender] = _words(gone, index, Costs(matrix.metric, study.per), rest)
        parts = _split_off(gone, index, Costs(matrix.metric, study.per), found)
        alignment[contender] = parts | alignment[contender]
    return AlignedRows(alignment, moved, words, unmatched)


def _unmatched(before: VariantGraph, after: VariantGraph, moved: Floats) -> float:
    one_sided = before.present != after.present
    whole = float(before.own.sum() + after.own.sum())
    unmatched = float((before.own + after.own - np.abs(moved))[one_sided].sum())
    return rounded(unmatched / whole, 6) if whole else 0.0


@dataclass(frozen=True, slots=True)
class Costs:
    """How a cost of one metric is written: with its unit, since "948 CPU time" is no amount."""

    metric: Metric
    per: str

    def text(self, value: float) -> str:
        of = "" if self.metric.unit == "1" else "of "
        return f"{amount(value, self.metric.unit)} {of}{self.metric.label} per {self.per}"


def _words(found: Sequence[Shift], index: Index, costs: Costs, rest: Floats) -> dict[int, str]:
    """Row -> the cost that moved to it or from it, in words, largest amounts first, and the `rest` of its change."""
    out: dict[int, list[tuple[float, str]]] = {}
    for shift in found:
        size = costs.text(shift.amount)
        source, target = (index.functions[r].key.name for r in (shift.source, shift.target))
        caller, callee = ("caller", "callee") if shift.calls else ("callee", "caller")
        out.setdefault(shift.source, []).append((shift.amount, f"{size} arrived in its {caller} “{target}”"))
        out.setdefault(shift.target, []).append((shift.amount, f"{size} came from its {callee} “{source}”"))
    moves = {row: ", ".join(text for _, text in sorted(p, key=lambda p: (-p[0], p[1]))[:4]) for row, p in out.items()}
    others = {row: f"; {signed(float(rest[row]))} besides" if abs(rest[row]) >= TELLING_REST else "" for row in moves}
    return {row: f"moved: {text}{others[row]}" for row, text in moves.items()}


def _split_off(
    found: Sequence[Shift], index: Index, costs: Costs, graphs: tuple[VariantGraph, VariantGraph]
) -> dict[int, Alignment]:
    """New functions whose cost came from another one, with the function that had it before."""
    before, after = graphs
    out: dict[int, Alignment] = {}
    for shift in found:
        if not shift.new or shift.target in out:
            continue
        own, lost = float(after.own[shift.target]), float(before.own[shift.source] - after.own[shift.source])
        source = index.functions[shift.source].name
        fewer = "fewer" if costs.metric.unit == "1" else "less"
        certainty: Certainty = "likely" if abs(own - lost) <= SAME_COST * max(own, lost) else "hint"
        text = (
            f"split off from “{source.name}”, or no longer inlined there: {costs.text(own)} are new here, while "
            f"“{source.name}” has {amount(lost, costs.metric.unit)} {fewer}"
        )
        out[shift.target] = Alignment(before=source, certainty=certainty, why=text)
    return out
