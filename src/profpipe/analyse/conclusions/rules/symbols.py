"""How much of the cost lies in code without a symbol: of a stripped program only exported functions have names."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, listed, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.analyse.names.demangle import NO_SYMBOL
from profpipe.model.report import Conclusion, FunctionRow, HotspotTable

# perf's name for a frame of which it knows the address alone.
UNKNOWN = "[unknown]"
# A smaller part hides no cause that a report would show.
MANY = 0.05


def no_symbols(facts: Facts) -> Iterator[Conclusion]:
    """For each instrument: the variants in which over MANY of the cost has no name, and the programs it lies in."""
    for i, table in enumerate(facts.report.hotspots):
        found = [(path, row) for path, row in _rows(table) if row.function.name.startswith((NO_SYMBOL, UNKNOWN))]
        parts = {v.id: sum(_share(row, v.id) for _, row in found) for v in facts.variants}
        many = {variant: part for variant, part in parts.items() if part > MANY}
        if not many:
            continue
        label = next(m.label for m in facts.report.metrics if m.key == table.metric)
        words = listed([f"{share(part)} of {facts.label(variant)}" for variant, part in many.items()])
        where = listed(sorted({row.function.object for _, row in found if row.function.object}))
        text = f"No symbols for {words} in {label}{f': {where}' if where else ''}. " + _TO_DO
        rows = [
            Figure(_share(row, variant), f"hotspots.{i}.{path}.cells.{variant}.share").row
            for path, row in found
            for variant in many
            if variant in row.cells
        ]
        yield conclusion("no-symbols", table.metric, text, kind="caution", weight=weight("no-symbols"), rows=rows[:8])


_TO_DO = "The debug symbols of that program, or a build that is not stripped, name the functions."


def _rows(table: HotspotTable) -> Iterator[tuple[str, FunctionRow]]:
    for i, category in enumerate(table.rows):
        for j, row in enumerate(category.functions):
            yield f"rows.{i}.functions.{j}", row


def _share(row: FunctionRow, variant: str) -> float:
    cell = row.cells.get(variant)
    return (cell.share or 0.0) if cell is not None else 0.0
