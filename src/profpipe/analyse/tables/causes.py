"""Where two variants differ, as ways through the call graph: own code, what it calls, the deepest that holds it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from profpipe.analyse.function_index import Index
from profpipe.analyse.matrix import Matrix, timed_matrix
from profpipe.analyse.names.dispatchers import hands_over
from profpipe.analyse.statistics.same_calls import SAME_CALLS, same_calls
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.tables.cause_calls import Tracing, traced_matrices, tracing_of
from profpipe.analyse.tables.cause_ends import held, with_part
from profpipe.analyse.tables.cost_graph import CostGraph, Costs, cost_graph
from profpipe.model.report import Cause, CauseCall, CauseStep, FunctionName, StepCost
from profpipe.units import CALLS, SYSCALLS

# The first cause holds half of the gap, or a quarter where none holds half; each other one at least a seventh.
FIRST = (0.5, 0.25, 0.15)
OTHERS = 0.15
# More than the whole gap: other functions give the rest back. Beyond this the two variants have little in common.
MOST = 1.6
# A callee that holds this much of its caller's difference is where the difference is.
HOLDS = 0.65
# A function is the cause by its calls where they make this much of its difference.
BY_CALLS = 0.2
# Calls that cost less of the gap than this are not followed.
FAINT = 0.01
# Allocated bytes explain a difference of CPU time only where they differ by this part of the baseline's.
MATERIAL = 0.05
# Built-in functions count for their caller; they are looked for where it holds this part of its difference itself.
ITSELF = 0.3
MAX_CAUSES = 3
MAX_STEPS = 40


def causes(study: StudyData, index: Index, tables: Mapping[str, Sequence[Matrix]]) -> tuple[Cause, ...]:
    """The causes of every contender, by the best instrument that knows functions of source code with their callees.

    Counted instructions first, then samples, then allocations, the time of a traced profiler, calls alone. Samples may
    not tell the variants apart, so what was allocated or called follows them.
    """
    matrices = [m for p in study.profilers if (m := _matrix(study, index, p, tables.get(p, ()))) is not None]
    matrices.sort(key=lambda matrix: _rank(study, matrix))
    calls = next((m for m in matrices if m.metric is CALLS), None)
    traced = traced_matrices(study, index, tables)
    found: list[Cause] = []
    for contender in study.contenders:
        tracing = traced and tracing_of(index.functions, *traced, study.baseline, contender)
        sampled = False
        for matrix in matrices:
            kind = study.instruments[matrix.profiler]
            if sampled and kind == "traced":
                continue
            graph = cost_graph(matrix, index, study.baseline, contender, calls, traced and traced[0])
            drawn = _of_graph(graph, matrix, contender, tracing) if graph is not None else []
            found += drawn
            if drawn and kind != "sampled":
                break
            sampled = sampled or bool(drawn)
    return tuple(found)


def _rank(study: StudyData, matrix: Matrix) -> int:
    """0 for what says most of CPU time. Allocations and calls are exact, but no cost that a user pays for."""
    if matrix.metric.unit == "B":
        return 2
    if matrix.metric is CALLS:
        return 4
    return {"counted": 0, "sampled": 1}.get(study.instruments[matrix.profiler], 3)


def _matrix(study: StudyData, index: Index, profiler: str, tables: Sequence[Matrix]) -> Matrix | None:
    if study.again(profiler):
        return None
    if study.instruments[profiler] == "traced":
        return timed_matrix(study, profiler, index)
    return next((m for m in tables if m.metric is not SYSCALLS), None)


def _of_graph(graph: CostGraph, matrix: Matrix, contender: str, tracing: Tracing | None) -> list[Cause]:
    if not graph.gap or (matrix.metric.unit == "B" and abs(graph.gap) < MATERIAL * float(np.sum(graph.before.own))):
        return []
    shares = {
        row: graph.delta(row) / graph.gap
        for row in range(len(graph.functions))
        if graph.of_source(row) and not graph.dispatches(row) and not math.isnan(graph.delta(row))
    }
    found: list[Cause] = []
    entries: set[int] = set()  # a way that enters where another one did is a part of that cause
    for place in range(MAX_CAUSES):
        leaf = _leaf(graph, shares, FIRST if place == 0 else (OTHERS,))
        if leaf is None:
            break
        way = _way(graph, shares, leaf)
        entry = way[_entry(graph, way)]
        if entry not in entries:
            shown = with_part(graph, held(graph, way, entry), entry)
            cause = _cause(graph, matrix, contender, shown, shown.index(entry))
            more = {} if tracing is None else _calls(graph, tracing, shown, cause.own)
            found.append(cause.model_copy(update=more))
        entries.add(entry)
        _take_out(graph, shares, way)
    # What own code does comes before what the runtime does beside it, such as collecting the garbage.
    return sorted(found, key=lambda cause: cause.own is None)


def _leaf(graph: CostGraph, shares: Mapping[int, float], floors: Sequence[float]) -> int | None:
    """The deepest function that holds a part of the gap, of those that hold enough of it."""
    for floor in floors:
        enough = {row for row, share in shares.items() if floor <= share <= MOST and row in graph.apart}
        ends = [row for row in enough if not _continues(graph, shares, row, enough)]
        if ends:
            return min(ends, key=lambda row: (max(graph.before.total[row], graph.after.total[row]), row))
    return None


def _continues(graph: CostGraph, shares: Mapping[int, float], row: int, enough: set[int]) -> bool:
    """Whether one function that it calls, through built-in code or not, holds most of its part.

    Functions that call each other hold the same: what counts is what they call besides.
    """
    need = HOLDS * shares[row]
    seen, ready = {row}, [row]
    while ready:
        for callee, cost in graph.more.get(ready.pop(), {}).items():
            if callee in seen or cost / graph.gap < need:
                continue
            inside = graph.recursive(row, callee)
            if not inside and callee in enough and shares[callee] >= need:
                return True
            seen.add(callee)
            if inside or (not graph.of_source(callee) and not graph.dispatches(callee)):
                ready.append(callee)
    return False


def _way(graph: CostGraph, shares: Mapping[int, float], leaf: int) -> list[int]:
    """The functions of source code from the outermost caller down to the leaf, by the costliest caller of each."""
    way, seen, at = [leaf], {leaf}, leaf
    while len(seen) < MAX_STEPS:
        caller = _caller(graph, shares, at, seen, shares[way[-1]])
        if caller is None:
            break
        at = caller
        seen.add(at)
        if graph.of_source(at):
            way.append(at)
    return way[::-1]


def _caller(graph: CostGraph, shares: Mapping[int, float], at: int, seen: set[int], part: float) -> int | None:
    """The costliest caller of a function; None where none is known, or a dispatcher runs most of the function.

    Built-in code that Python functions share is called by all of them: only one that holds most of `part`, the share of
    the last step, is the caller of what runs below it.
    """
    parts = {
        c: cost / graph.gap for c, cost in graph.callers.get(at, {}).items() if c not in seen and cost / graph.gap > 0
    }
    if sum(cost for c, cost in parts.items() if graph.dispatches(c)) >= HOLDS * sum(parts.values()):
        return None
    least = 0.0 if graph.of_source(at) else HOLDS * part
    fits = [c for c in parts if not graph.dispatches(c) and (not graph.of_source(c) or shares.get(c, 0.0) > least)]
    return max(fits, key=lambda c: (not graph.recursive(at, c), parts[c], -c), default=None)


def _cause(graph: CostGraph, matrix: Matrix, contender: str, way: list[int], entry: int) -> Cause:
    own = next((i for i in range(entry, -1, -1) if graph.known(way[i]).origin == "own"), None)
    if own == entry and entry:
        # The entry is the server's own: its caller is told too, where that is own code as well.
        own = next((i for i in range(entry - 1, -1, -1) if graph.known(way[i]).origin == "own"), entry)
    first = min(max(entry - 1, 0), entry if own is None else own)
    return Cause(
        metric=matrix.key,
        contender=contender,
        gap=rounded(graph.gap, 6),
        exact=matrix.metric.exact,
        label=matrix.metric.label,
        unit="ns" if matrix.metric.unit == "ns" else "us" if matrix.metric.unit == "us" else "1",
        steps=tuple(_step(graph, row) for row in way[first:]),
        entry=entry - first,
        own=None if own is None else own - first,
        runs=_runs(graph, way[entry:]),
    )


def _runs(graph: CostGraph, steps: Sequence[int]) -> FunctionName | None:
    """The server's own function that one of these steps calls more or less often, or that a pool of threads runs."""
    sign = 1 if graph.gap > 0 else -1
    called = {
        callee: sign * cost
        for row in steps
        for callee, cost in graph.more.get(row, {}).items()
        if graph.known(callee).origin == "own" and callee not in steps and not same_calls(*graph.calls(callee))
    }
    if not any(cost > 0 for cost in called.values()):
        keys = (graph.functions[row].key for row in steps)
        called = dict.fromkeys(graph.handed, 1.0) if any(hands_over(key.file, key.name) for key in keys) else {}
    row = max(called, key=lambda row: (called[row], graph.after.total[row], -row), default=None)
    return None if row is None or called[row] <= 0 else graph.known(row).name


def _calls(graph: CostGraph, tracing: Tracing, way: Sequence[int], own: int | None) -> dict[str, tuple[CauseCall, ...]]:
    """What a traced profiler adds: the built-in functions of a last step that costs it itself, own code elsewhere."""
    leaf, found = way[-1], {}
    if abs(graph.after.own[leaf] - graph.before.own[leaf]) >= ITSELF * abs(graph.delta(leaf)):
        rows = graph.traced[leaf].rows if leaf in graph.traced else (leaf,)
        found["built_ins"] = tracing.built_ins(rows, graph.gap > 0)
    if own is None:
        found["own_calls"] = tracing.own_calls()
    return found


def _entry(graph: CostGraph, way: list[int]) -> int:
    """The first function whose number of calls makes its difference; else the first below own code; else the last.

    A function that is called as often per call of the step above it as before is not called more often for a reason of
    its own: a coroutine that waits more often, and all that it awaits, are resumed more often.
    """
    own = [i for i, row in enumerate(way) if graph.known(row).origin == "own"]
    for i, row in enumerate(way):
        if _more_calls(graph, row) < BY_CALLS or (i and _follows(graph, way[i - 1], row)):
            continue
        if i or row in graph.traced or not own:
            return i
    return min(own[-1] + 1, len(way) - 1) if own else len(way) - 1


def _follows(graph: CostGraph, caller: int, row: int) -> bool:
    """Whether a function runs equally often per call of its caller in both variants, as one profiler counts them."""
    each = [
        float(side.calls[row] / side.calls[caller]) if side.calls[caller] else math.nan
        for side in (graph.before, graph.after)
    ]
    return math.isclose(*each, rel_tol=SAME_CALLS)


def _more_calls(graph: CostGraph, row: int) -> float:
    """The part of a function's difference that comes from being called more or less often; 0 where it is not known."""
    calls = graph.calls(row)
    if same_calls(*calls) or not graph.delta(row):
        return 0.0
    if not min(calls):
        return 1.0
    price = graph.before.total[row] / calls[0] + graph.after.total[row] / calls[1]
    return float((calls[1] - calls[0]) * price / 2 / graph.delta(row))


def _step(graph: CostGraph, row: int) -> CauseStep:
    known = graph.known(row)
    costs = zip((graph.before, graph.after), graph.calls(row), strict=True)
    before, after = (_cost(side, row, calls) for side, calls in costs)
    return CauseStep(function=known.name, category=known.category, before=before, after=after)


def _cost(side: Costs, row: int, calls: float) -> StepCost:
    return StepCost(
        calls=None if math.isnan(calls) else rounded(calls, 6),
        self=rounded(float(side.own[row]), 6),
        total=rounded(float(side.total[row]), 6),
    )


def _take_out(graph: CostGraph, shares: dict[int, float], way: list[int]) -> None:
    """What this cause explains is no longer its callers'; and what it calls is no cause of its own."""
    part = shares[way[-1]]
    for row in {way[-1]} | set(way) | _reached(graph, graph.callers, way[-1], part / 2):
        if row in shares:
            shares[row] -= part
    for row in _reached(graph, graph.more, way[-1], FAINT):
        shares.pop(row, None)


def _reached(graph: CostGraph, links: Mapping[int, Mapping[int, float]], start: int, least: float) -> set[int]:
    """The functions that calls lead to, each of them at least this share of the gap."""
    seen, ready = {start}, [start]
    while ready:
        for row, cost in links.get(ready.pop(), {}).items():
            if row not in seen and cost / graph.gap >= least:
                seen.add(row)
                ready.append(row)
    return seen
