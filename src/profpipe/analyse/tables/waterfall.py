"""The gap of one contender to the baseline, by category, in parts that add up to it exactly."""

from __future__ import annotations

from collections.abc import Mapping

from profpipe.model.report import (
    MOVED,
    UNEXPLAINED,
    CategoryRow,
    Cell,
    Comparison,
    FunctionRow,
    HotspotTable,
    Waterfall,
    WaterfallBar,
    on_grid,
)

# (category, self per request)
Cost = tuple[str, float]


def waterfall(table: HotspotTable, baseline: str, contender: str, comparison: Comparison | None) -> Waterfall | None:
    """Bars by category, the largest change first, then `moved` and `unexplained` where they are not 0.

    Totals are medians over rounds and so are the bars; what the medians do not add up to is `unexplained`. Shares of
    the gap are given only where the two totals differ beyond noise: a share of nothing is no figure. None when a
    total is unknown.
    """
    before, after = table.total[baseline].median, table.total[contender].median
    if before is None or after is None:
        return None
    bars = _bars(table, baseline, contender)
    before, after = _near(before, sum(b.baseline for b in bars)), _near(after, sum(b.contender for b in bars))
    rest = before - sum(b.baseline for b in bars), after - sum(b.contender for b in bars)
    if any(rest):
        bars.append(_plain(UNEXPLAINED, *rest))
    gap = after - before
    differs = comparison is not None and comparison.relevant and gap != 0
    return Waterfall(
        metric=table.metric,
        baseline=baseline,
        contender=contender,
        baseline_total=before,
        contender_total=after,
        gap=gap,
        bars=tuple(_with_share(bar, gap) for bar in bars) if differs else tuple(bars),
    )


def _bars(table: HotspotTable, baseline: str, contender: str) -> list[WaterfallBar]:
    """Categories without what only changed place, then the bar of that."""
    moved = _moved(table, baseline, contender)
    every = [_bar(row, baseline, contender) for row in table.rows]
    bars = [_without(bar, moved.get(bar.category, (0.0, 0.0))) for bar in every]
    bars = sorted((b for b in bars if b.baseline or b.contender), key=lambda b: (-abs(b.delta), b.category))
    total = [sum(part) for part in zip(*moved.values(), strict=True)]
    return [*bars, _plain(MOVED, total[0], total[1])] if any(total) else bars


def _with_share(bar: WaterfallBar, gap: float) -> WaterfallBar:
    return bar.model_copy(update={"share_of_gap": round(bar.delta / gap, 6)})


def _near(total: float, bars: float) -> float:
    """The sum of the bars where it is the total but for the digits that figures are rounded to."""
    return bars if abs(total - bars) <= 1e-6 * abs(total) else on_grid(total)


def _plain(category: str, before: float, after: float) -> WaterfallBar:
    return WaterfallBar(category=category, baseline=before, contender=after, delta=after - before)


def _bar(row: CategoryRow, baseline: str, contender: str) -> WaterfallBar:
    before, after = row.cells.get(baseline), row.cells.get(contender)
    bar = _plain(
        row.category,
        on_grid((before.self if before else None) or 0.0),
        on_grid((after.self if after else None) or 0.0),
    )
    return bar.model_copy(update={"verdict": (after.verdict if after else None) or "cannot tell"})


def _without(bar: WaterfallBar, part: tuple[float, float]) -> WaterfallBar:
    before, after = bar.baseline - part[0], bar.contender - part[1]
    return bar.model_copy(update={"baseline": before, "contender": after, "delta": after - before})


def _moved(table: HotspotTable, baseline: str, contender: str) -> Mapping[str, tuple[float, float]]:
    """Category -> (baseline, contender) cost of functions of one name that left one category and arrived in another.

    The same name under another file or object is the same work in another place (a function that moved to another
    module, a copy linked in statically): its net change stays where it arrived, the part that only changed place is
    taken out of both. Within one category nothing has to be taken out: the bar already holds the net.
    """
    out = _between_callers(table, contender)
    left, arrived = _one_sided(table, baseline, contender)
    for name in sorted(left.keys() & arrived.keys()):
        (source, before), (place, after) = left[name], arrived[name]
        if source == place:
            continue
        part = on_grid(min(before, after))
        out[source] = (out.get(source, (0.0, 0.0))[0] + part, out.get(source, (0.0, 0.0))[1])
        out[place] = (out.get(place, (0.0, 0.0))[0], out.get(place, (0.0, 0.0))[1] + part)
    return out


def _one_sided(table: HotspotTable, baseline: str, contender: str) -> tuple[dict[str, Cost], dict[str, Cost]]:
    """Functions that only the baseline has, and those that only the contender has, by name."""
    left: dict[str, Cost] = {}
    arrived: dict[str, Cost] = {}
    for row in table.rows:
        for function in row.functions:
            if _part(function.cells.get(contender)):
                continue
            before, after = _own(function, baseline), _own(function, contender)
            if before > 0 and after == 0:
                left[function.function.name] = (row.category, before)
            elif after > 0 and before == 0:
                arrived[function.function.name] = (row.category, after)
    return left, arrived


def _between_callers(table: HotspotTable, contender: str) -> dict[str, tuple[float, float]]:
    """Category -> (baseline, contender) cost that crossed between a function and its caller or callee (`Cell.moved`).

    A category that gave more than it got had that part at the baseline, one that got more has it now. Both add up to
    the same over all categories, so that the `moved` bar has no gap of its own.
    """
    parts = {row.category: on_grid(_part(row.cells.get(contender))) for row in table.rows}
    return {c: (max(-part, 0.0), max(part, 0.0)) for c, part in parts.items() if part}


def _part(cell: Cell | None) -> float:
    return (cell.moved if cell else None) or 0.0


def _own(function: FunctionRow, variant: str) -> float:
    cell = function.cells.get(variant)
    return (cell.self if cell else None) or 0.0
