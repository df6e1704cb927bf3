"""What `profpipe history` prints: a table per series, readable at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from profpipe.characters import visible
from profpipe.model.history import Trend
from profpipe.render.content.trends import NEAR, FigureView, OverviewView, PointRow, TrendView, figures, overview
from profpipe.render.terminal.chips import chip_text
from profpipe.render.visible import visible_values

_GATE = {"failed": "red", "accepted": "yellow", "passed": "green"}


def render_trends(name: str, trends: Sequence[Trend], last: int | None = None) -> RenderableType:
    """Every series of a metric or function, one per machine; `last` = rows shown of each."""
    parts: list[RenderableType] = []
    every = figures(visible_values(tuple(trends)), last)
    for figure in every:
        for trend in figure.trends:
            parts += [Text(), *_trend(visible(name), figure, trend)]
    near = any(row.near for figure in every for trend in figure.trends for row in trend.rows)
    if near:
        parts.append(Text(f"~ {NEAR}", style="dim"))
    return Group(*parts[1:])


def _trend(name: str, figure: FigureView, trend: TrendView) -> list[RenderableType]:
    title = Text.assemble((name, "bold"), f" of {figure.label}, study {figure.study}")
    if name != figure.metric:
        title.append(f": {figure.metric}")
    parts: list[RenderableType] = [title, Text(f"machine {trend.machine}: {trend.machine_text}", style="dim")]
    if trend.left_out:
        parts.append(Text(f"{trend.left_out:,} older reports not shown (see --last)", style="dim"))
    parts.append(_table(trend.rows, gated=trend.gated))
    parts.append(Text(f"{trend.summary} {figure.better.capitalize()}."))
    for change in trend.changes:
        parts.append(Text(f"  {change.text}"))
        parts += [Text(f"    {line}") for line in change.behind]
    return parts


def _table(rows: Sequence[PointRow], *, gated: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("commit", no_wrap=True)
    table.add_column("time", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("interval", overflow="fold")
    table.add_column("change", justify="right", no_wrap=True)
    if gated:
        table.add_column("gate", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        *figures, mark = _cells(row)
        gate = [Text(row.gate, style=_GATE.get(row.gate, ""))] if gated else []
        table.add_row(*figures, *gate, mark)
    return table


def _cells(row: PointRow) -> list[Text]:
    change = f"~ {row.change}" if row.near and row.change else row.change
    mark = Text()
    if row.mark:
        mark = Text.assemble((f"◆ {row.mark} ", "bold"), chip_text(row.chip))
    elif row.why:
        mark = Text(row.why, style="dim")
    return [
        Text(row.commit),
        Text(row.time, style="dim"),
        Text(row.value),
        Text(row.interval, style="dim"),
        Text(change, style="dim" if row.near else ""),
        mark,
    ]


def render_overview(trends: Sequence[Trend]) -> RenderableType:
    """Every study's series: how many reports, the last value, how it moved."""
    parts: list[RenderableType] = []
    for study in overview(visible_values(tuple(trends))):
        parts += [Text(), Text(study.study, style="bold")]
        parts += [Text(f"machine {text}", style="dim") for text in study.machines]
        parts.append(_study(study))
    return Group(*parts[1:])


def _study(study: OverviewView) -> Table:
    several = len(study.machines) > 1
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("metric", no_wrap=True)
    table.add_column("variant", overflow="fold")
    if several:
        table.add_column("machine", no_wrap=True)
    table.add_column("reports", justify="right", no_wrap=True)
    table.add_column("last", justify="right", no_wrap=True)
    table.add_column("change", justify="right", no_wrap=True)
    table.add_column("trend", no_wrap=True)
    before = ""
    for row in study.rows:
        # The key once per group of variants; it is the argument of `profpipe history`.
        name = Text("" if row.metric == before else row.metric)
        before = row.metric
        machine = [Text(row.machine)] if several else []
        figures = [Text(text) for text in (row.entries, row.last, row.change, row.spark)]
        table.add_row(name, Text(row.variant), *machine, *figures)
    return table
