"""What `profpipe parse` prints: the hotspots of one capture.

Nothing of a report is imported, for that would take longer than reading a capture of a megabyte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from profpipe import units
from profpipe.characters import visible
from profpipe.render.place import place_of

CATEGORY = 24  # characters of a category


class Named(Protocol):
    """What a function is called."""

    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def object(self) -> str: ...


class Hotspot(Protocol):
    """One row of a hotspot list: raw counts of a capture; an unknown total is None."""

    @property
    def function(self) -> Named: ...
    @property
    def category(self) -> str: ...
    @property
    def self(self) -> Mapping[str, int]: ...
    @property
    def total(self) -> Mapping[str, int | None]: ...
    @property
    def calls(self) -> int | None: ...


def render_hotspots(
    rows: Sequence[Hotspot],
    metrics: Sequence[units.Metric],
    totals: Mapping[str, int],
    *,
    hidden: tuple[int, int] = (0, 0),
    title: str = "",
) -> RenderableType:
    """The hotspot list of one capture, ordered as given: self and total of the first metric, self of the others.

    `totals` = the profile's sum of self per metric, which shares are of; `hidden` = the
    number of functions that are not in `rows`, and their self. Counts are raw, not per request.
    """
    if not metrics:
        return Text("This capture has no metric.")
    first, *others = metrics
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(Text(f"self\n{visible(first.label)}"), justify="right", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    for metric in others[:2]:
        table.add_column(Text(f"self\n{visible(metric.label)}"), justify="right", no_wrap=True)
    if any(row.calls is not None for row in rows):
        table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("category", no_wrap=True)
    table.add_column("function", overflow="fold", ratio=1)
    for row in rows:
        table.add_row(*_hotspot(row, first, others[:2], totals, any(r.calls is not None for r in rows)))
    parts: list[RenderableType] = [Text(visible(title), style="bold")] if title else []
    parts.append(table)
    more, rest = hidden
    if more:
        part = _share(rest, totals.get(first.key, 0))
        text = f"{_amount(rest, first)} {part} in {more:,} more {'function' if more == 1 else 'functions'}"
        parts.append(Padding(Text(text, style="dim"), (0, 0)))
    return Group(*parts)


def _hotspot(
    row: Hotspot, first: units.Metric, others: Sequence[units.Metric], totals: Mapping[str, int], calls: bool
) -> list[Text]:
    own, total = row.self.get(first.key, 0), row.total.get(first.key)
    cells = [Text(_amount(own, first)), Text(_share(own, totals.get(first.key, 0)), style="dim")]
    cells.append(Text("unknown", style="dim") if total is None else Text(_amount(total, first)))
    cells += [Text(_amount(row.self.get(metric.key, 0), metric)) for metric in others]
    if calls:
        cells.append(Text("unknown" if row.calls is None else f"{row.calls:,}"))
    name = Text(visible(row.function.name))
    place = place_of(row.function.file, row.function.object)
    if place:
        name.append(f"  {place}", style="dim")
    return [*cells, Text(visible(row.category, limit=CATEGORY), style="dim"), name]


def _amount(value: int, metric: units.Metric) -> str:
    return f"{value:,}" if metric.unit == "1" else units.amount(value, metric.unit)


def _share(value: int, total: int) -> str:
    return "" if total <= 0 else units.percent(value / total)
