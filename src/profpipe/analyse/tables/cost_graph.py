"""Two variants of one matrix as one call graph: what each function and each call costs in both, per request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from profpipe.analyse.function_index import Index, Known
from profpipe.analyse.matrix import Matrix
from profpipe.analyse.names.dispatchers import is_dispatcher
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.same_calls import same_calls
from profpipe.analyse.tables.traced_calls import TracedCalls, traced_calls
from profpipe.model.cycles import components

Links = dict[int, dict[int, float]]
# Functions of Go's runtime that go on with another one on another stack: callers of all kinds meet in them.
SWITCHES = frozenset({"runtime.systemstack", "runtime.mcall", "runtime.goexit", "runtime.morestack"})
# Of so many runs of each variant, this part of the pairs must agree which of the two costs more.
ENOUGH_RUNS, PAIRS = 3, 0.9


@dataclass(frozen=True, slots=True)
class Costs:
    """One variant, one entry per row: medians over its runs, per request. NaN = unknown."""

    own: Floats
    total: Floats
    calls: Floats

    def without_row(self, source: int, target: int) -> None:
        """Move what is in one row to another, in place: `Costs` of a graph that is being made."""
        for column in (self.own, self.total, self.calls):
            column[target], column[source] = column[source], 0.0


@dataclass(frozen=True, slots=True)
class CostGraph:
    """`more` = what each call (caller -> callee) costs more at the contender; `counterparts` = row -> the row of the
    baseline's function whose place it takes; `apart` = rows whose totals differ in (almost) every pair of runs. Rows of
    source code (`of_source`) are steps; others are passed through, but nothing leads through a dispatcher. `traced` =
    what a traced profiler knows of a row. `handed` = own functions that only one variant calls from source code:
    something else runs them in the other. `cycle` = per row the number of its cycle of functions of source code that
    call each other, -1 outside of cycles.
    """

    functions: list[Known]
    before: Costs
    after: Costs
    more: Mapping[int, Mapping[int, float]]
    callers: Mapping[int, Mapping[int, float]]
    counterparts: Mapping[int, int]
    apart: frozenset[int]
    traced: Mapping[int, TracedCalls]
    handed: frozenset[int]
    cycle: Sequence[int]
    gap: float

    def delta(self, row: int) -> float:
        """What the function and all that it calls cost more; NaN where a total is not known."""
        return float(self.after.total[row] - self.before.total[row])

    def calls(self, row: int) -> tuple[float, float]:
        """Before and after, a coroutine counted once where a traced profiler knows it; NaN where not counted."""
        known = self.traced.get(row)
        return (float(self.before.calls[row]), float(self.after.calls[row])) if known is None else known.calls

    def known(self, row: int) -> Known:
        """The function of a row: where two take each other's place, the one that costs more."""
        old = self.counterparts.get(row)
        return self.functions[row if old is None or self.delta(row) > 0 else old]

    def of_source(self, row: int) -> bool:
        """Whether the function is of Python, Go, Java or JavaScript source, or a built-in that a profiler names.

        All of them have a file or module, except built-ins of JavaScript, which have neither file nor object.
        """
        return _of_source(self.functions[row])

    def recursive(self, one: int, other: int) -> bool:
        """Whether the two call each other, directly or not."""
        return self.cycle[one] >= 0 and self.cycle[one] == self.cycle[other]

    def dispatches(self, row: int) -> bool:
        """Whether the function runs what others have left for it, as an event loop does."""
        return is_dispatcher(self.functions[row].key.file, self.functions[row].key.name)


def _of_source(known: Known) -> bool:
    if known.key.language == "jvm":
        return bool(known.key.file)
    if known.key.language == "go":
        return bool(known.key.file) and known.key.name not in SWITCHES
    if known.key.language == "node":
        return bool(known.key.file) or (known.runtime == "native" and not known.object)
    if known.key.language != "python":
        return False
    return known.runtime == "python" or (not known.object and bool(known.key.file))


def cost_graph(  # long: one value of ten parts, each made by a function of its own
    matrix: Matrix,
    index: Index,
    baseline: str,
    contender: str,
    calls: Matrix | None = None,
    tracing: Matrix | None = None,
) -> CostGraph | None:
    """None where one of the two has no valid run.

    `calls` are counted by another instrument of the study, for functions of which this one knows no calls; `tracing` =
    what a traced profiler of Python functions saw of the same servers.
    """
    size = min(len(matrix.own), len(index.functions))
    sides = [_costs(matrix, variant, size) for variant in (baseline, contender)]
    before, after = sides
    if before is None or after is None:
        return None
    if calls is not None:
        _take_calls((before, after), calls, (baseline, contender))
    links = [_links(matrix.below.get(variant, {}), size) for variant in (baseline, contender)]
    traced = _traced(matrix, index, tracing, baseline, contender, before, after)
    handed = _handed(index.functions[:size], *links)
    counterparts = _counterparts(index.functions[:size], before, after, links)
    for row, old in counterparts.items():
        before.without_row(old, row)
        links[0] = _renamed(links[0], old, row)
    more = _difference(*links)
    callers: Links = {}
    for caller, callees in more.items():
        for callee, cost in callees.items():
            callers.setdefault(callee, {})[caller] = cost
    whole = [float(np.median(matrix.own[:, matrix.columns(v)].sum(axis=0))) for v in (baseline, contender)]
    return CostGraph(
        functions=index.functions[:size],
        before=before,
        after=after,
        more=more,
        callers=callers,
        counterparts=counterparts,
        apart=apart(
            *(matrix.total[:size, matrix.columns(v)] for v in (baseline, contender)), counterparts=counterparts
        ),
        traced=traced,
        handed=handed,
        cycle=_cycles(index.functions[:size], more),
        gap=whole[1] - whole[0],
    )


def _costs(matrix: Matrix, variant: str, size: int) -> Costs | None:
    columns = matrix.columns(variant)
    if not columns:
        return None
    own, total, calls = (np.median(part[:size, columns], axis=1) for part in (matrix.own, matrix.total, matrix.calls))
    uncounted = bool(
        np.isnan(matrix.calls[:, columns]).any()
    )  # a profile counts the calls of all functions, or of none
    return Costs(own=own, total=total, calls=np.full(size, np.nan) if uncounted else calls)


def apart(before: Floats, after: Floats, *, counterparts: Mapping[int, int]) -> frozenset[int]:
    """The rows that one variant's runs rank apart from the other's; all rows where there are too few runs to tell.

    `before` and `after` are F functions x runs. A function that samples hit more often by chance in some runs is no
    cause: of three runs each, all nine pairs must agree, which chance alone does in one of ten cases.
    """
    if min(before.shape[1], after.shape[1]) < ENOUGH_RUNS:
        return frozenset(range(len(before)))
    there = before.copy()
    for row, old in counterparts.items():
        there[row] = before[old]
    more = (after[:, :, None] > there[:, None, :]).mean(axis=(1, 2))
    less = (after[:, :, None] < there[:, None, :]).mean(axis=(1, 2))
    return frozenset(np.flatnonzero(np.maximum(more, less) >= PAIRS).tolist())


def _take_calls(sides: tuple[Costs, Costs], calls: Matrix, variants: tuple[str, str]) -> None:
    """Fill in calls that another instrument counted, in place. What it saw in neither variant stays unknown."""
    if not all(calls.columns(variant) for variant in variants):
        return
    size = min(len(calls.own), len(sides[0].calls))
    counted = [np.median(calls.own[:size, calls.columns(variant)], axis=1) for variant in variants]
    seen = (counted[0] > 0) | (counted[1] > 0)
    for side, column in zip(sides, counted, strict=True):
        side.calls[:size] = np.where(seen & ~(side.calls[:size] > 0), column, side.calls[:size])


def _traced(
    matrix: Matrix, index: Index, tracing: Matrix | None, baseline: str, contender: str, before: Costs, after: Costs
) -> Mapping[int, TracedCalls]:
    """What a traced profiler knows; its lines are written into the index."""
    if tracing is None or tracing.profiler == matrix.profiler:
        return {}
    python = [k.row for k in index.functions[: len(before.own)] if k.runtime == "python" and k.key.language == "python"]
    counted = [row for row in python if before.total[row] > 0 or after.total[row] > 0]
    found = traced_calls(index.functions, counted, tracing, baseline, contender)
    for row, known in found.items():
        index.functions[row].line = index.functions[row].line or known.line
    return found


def _handed(functions: list[Known], before: Links, after: Links) -> frozenset[int]:
    """Own functions that both variants run, and that source code but a dispatcher calls in one of them only."""
    callers = [_callers(side) for side in (before, after)]

    def source(row: int, side: int) -> bool:
        above = [functions[c] for c in callers[side].get(row, ())]
        return any(_of_source(k) and not is_dispatcher(k.key.file, k.key.name) for k in above)

    both = callers[0].keys() & callers[1].keys()
    return frozenset(r for r in both if functions[r].origin == "own" and source(r, 0) != source(r, 1))


def _links(below: Mapping[tuple[int, int], float], size: int) -> Links:
    out: Links = {}
    for (caller, callee), cost in below.items():
        if caller < size and callee < size and caller != callee:
            out.setdefault(caller, {})[callee] = cost
    return out


def _renamed(links: Links, old: int, new: int) -> Links:
    """The calls with one function under another number."""
    out: Links = {}
    for caller, callees in links.items():
        target = out.setdefault(new if caller == old else caller, {})
        for callee, cost in callees.items():
            target[new if callee == old else callee] = target.get(new if callee == old else callee, 0.0) + cost
    return out


def _difference(before: Links, after: Links) -> Links:
    out: Links = {}
    for caller in before.keys() | after.keys():
        old, new = before.get(caller, {}), after.get(caller, {})
        out[caller] = {callee: new.get(callee, 0.0) - old.get(callee, 0.0) for callee in old.keys() | new.keys()}
    return out


def _cycles(functions: list[Known], more: Links) -> Sequence[int]:
    """Per row its cycle of direct calls. Built-in code, which all share, would make one cycle of everything."""
    source = [_of_source(known) for known in functions]
    pairs = [(c, d) for c, callees in more.items() if source[c] for d in callees if source[d]]
    callers, callees = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    found: list[int] = components(callers, callees, len(functions)).tolist()
    return found


def _counterparts(functions: list[Known], before: Costs, after: Costs, links: list[Links]) -> dict[int, int]:
    """Contender's row -> baseline's row of functions that take each other's place.

    Two functions of which each variant has one: of the same name in another file, or called as often by the same
    caller and both the server's own, or of the same last name. Of two equally good ones neither is taken.
    """
    gone = _one_sided(before, after)
    new = _one_sided(after, before)
    found: dict[int, int] = {}
    by_name: dict[str, tuple[list[int], list[int]]] = {}
    for place, rows in enumerate((gone, new)):
        for row in rows:
            if functions[row].origin == "own":
                by_name.setdefault(functions[row].key.name, ([], []))[place].append(row)
    for old_rows, new_rows in by_name.values():
        if len(old_rows) == len(new_rows) == 1:
            found[new_rows[0]] = old_rows[0]
    callers = [_callers(side) for side in links]
    for row in sorted(new - found.keys()):
        fits = [old for old in gone - set(found.values()) if _takes_place(functions, before, after, callers, old, row)]
        if len(fits) == 1:
            found[row] = fits[0]
    return found


def _one_sided(here: Costs, there: Costs) -> set[int]:
    return set(np.flatnonzero((here.total > 0) & ~(there.total > 0) & ~(there.own > 0)).tolist())


def _callers(links: Links) -> dict[int, set[int]]:
    out: dict[int, set[int]] = {}
    for caller, callees in links.items():
        for callee in callees:
            out.setdefault(callee, set()).add(caller)
    return out


def _takes_place(
    functions: list[Known], before: Costs, after: Costs, callers: list[dict[int, set[int]]], old: int, new: int
) -> bool:
    if not callers[0].get(old, set()) & callers[1].get(new, set()):
        return False
    a, b = functions[old], functions[new]
    own = a.origin == b.origin == "own"
    if not own and a.key.name.rsplit(".", 1)[-1] != b.key.name.rsplit(".", 1)[-1]:
        return False
    return same_calls(float(before.calls[old]), float(after.calls[new]))
