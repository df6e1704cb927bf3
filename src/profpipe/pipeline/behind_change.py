"""What lies behind a change of level in the history: functions, commits and packages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from profpipe.model.history import Behind, ChangePoint, MovedFunction, Point, Trend
from profpipe.store.history.trends import FunctionCost, History

# Reports on each side whose functions are compared.
REPORTS = 8
MOST_FUNCTIONS = 3
# A function with less than this of the largest difference is not named beside it.
BESIDE_LARGEST = 0.1


def explained(trend: Trend, history: History, repo: Path) -> Trend:
    """The trend with what is behind each of its changes, as far as the history and the repository know."""
    if not trend.changes:
        return trend
    places = [0, *(change.index for change in trend.changes), len(trend.points)]
    changes = tuple(
        replace(change, behind=_behind(trend, change, history, repo, start, end))
        for change, start, end in zip(trend.changes, places, places[2:], strict=False)
    )
    return replace(trend, changes=changes)


def _behind(trend: Trend, change: ChangePoint, history: History, repo: Path, start: int, end: int) -> Behind:
    from profpipe.commits.between import commits_between, packages_between

    before, after = trend.points[start : change.index], trend.points[change.index : end]
    found = Behind()
    if trend.key.function is None:
        entries = [[point.entry for point in side] for side in (before[-REPORTS:], after[:REPORTS])]
        metric, functions = moved(trend.key.metric, *(history.costs(trend.key, side) for side in entries))
        found = replace(found, metric=metric, functions=functions)
    old, new = _commit(reversed(before)), _commit(after[:1])
    if old is None or new is None or old == new:
        return found
    commits, more = commits_between(repo, old, new)
    return replace(found, commits=commits, more=more, packages=packages_between(repo, old, new))


def _commit(points: Iterable[Point]) -> str | None:
    """The commit of the nearest report that has one."""
    return next((point.commit for point in points if point.commit is not None), None)


def moved(
    metric: str, before: Sequence[FunctionCost], after: Sequence[FunctionCost]
) -> tuple[str, tuple[MovedFunction, ...]]:
    """The functions whose own cost changed most, and the metric that they are counted in.

    That metric is `metric` where it is known of functions; else an exact one, else any. Only functions that changed in
    the direction of all together are named, one of an interpreter only where there is no other.
    """
    from profpipe.analyse.names.source_paths import origin

    both = {cost.metric: cost.exact for cost in before}.keys() & {cost.metric for cost in after}
    exact = {cost.metric for cost in (*before, *after) if cost.exact}
    chosen = min(both, key=lambda key: (key != metric, key not in exact, key), default="")
    rows = _rows(chosen, before, after)
    readable = [
        r
        for r in rows
        if origin(r.function.name, r.function.file, r.function.object, _runtime(r), frozenset()) != "interpreter"
    ]
    net = sum(row.delta for row in rows)
    rows = sorted((row for row in readable or rows if row.delta * net > 0), key=lambda row: (-abs(row.delta), row.id))
    named = [row for row in rows[:MOST_FUNCTIONS] if abs(row.delta) >= BESIDE_LARGEST * abs(rows[0].delta)]
    return chosen, tuple(named)


def _runtime(row: MovedFunction) -> str:
    return "native" if row.function.object else "python"


def _rows(metric: str, before: Sequence[FunctionCost], after: Sequence[FunctionCost]) -> list[MovedFunction]:
    sides = []
    for side in (before, after):
        values: dict[str, list[float]] = {}
        for cost in side:
            if cost.metric == metric:
                values.setdefault(cost.id, []).append(cost.value)
        sides.append({id_: median(found) for id_, found in values.items()})
    known = {cost.id: cost for cost in (*before, *after) if cost.metric == metric}
    return [
        MovedFunction(id_, cost.function, cost.unit, sides[0].get(id_), sides[1].get(id_))
        for id_, cost in known.items()
    ]
