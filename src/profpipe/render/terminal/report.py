"""What `profpipe run` and `profpipe parse` print: readable at 80 columns, without colour, and safe to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from profpipe import units
from profpipe.model.report import FunctionName, Report
from profpipe.render.page.hotspots import place_of
from profpipe.render.page.variants import Figure
from profpipe.render.page.view import ReportView, build_view
from profpipe.render.text import Chip, visible

COLUMNS = 4
SUBJECT = 50
_STYLE = {"v-better": "green", "v-worse": "red", "v-unsure": "yellow", "v-same": "dim"}
_KIND = {"k-cause": ("→", "red"), "k-not": ("×", "green"), "k-caution": ("!", "yellow"), "k-verdict": ("", "bold")}


class Hotspot(Protocol):
    """One row of a hotspot list: raw counts of a capture, a total that is unknown is None."""

    @property
    def function(self) -> FunctionName: ...
    @property
    def category(self) -> str: ...
    @property
    def self(self) -> Mapping[str, int]: ...
    @property
    def total(self) -> Mapping[str, int | None]: ...
    @property
    def calls(self) -> int | None: ...


def render_verdict(report: Report) -> RenderableType:
    """Verdict, one row per variant, what was left out, and the conclusions that lead."""
    view = build_view(report)
    parts: list[RenderableType] = [_verdict(view), *_figure_line(view), *_gate(view)]
    if view.table.columns:
        parts += [Text(), _variants(view), *_commits(view)]
    parts += _missing(view)
    if view.leading:
        parts += [Text(), *_conclusions(view)]
    return Group(*parts)


def _verdict(view: ReportView) -> Text:
    if not view.verdicts:
        return Text("No verdict: these runs do not support one.", style="bold")
    first = view.verdicts[0]
    return Text.assemble((first.text, "bold"), (f" ({first.certainty})", "dim"))


def _figure_line(view: ReportView) -> list[RenderableType]:
    figure = view.headline.figure if view.headline else None
    if figure is None or not figure.floor:
        return []
    return [Text(f"{figure.floor[0].upper()}{figure.floor[1:]}; rounds: {view.study.rounds}.", style="dim")]


def _gate(view: ReportView) -> list[RenderableType]:
    """What `--fail-on` asked and found; absent when nothing was asked."""
    if view.gate is None:
        return []
    word, style = ("Gate failed", "red") if view.gate.failed else ("Gate held", "green")
    lines = [Text.assemble((word, style), f", asked to fail on: {view.gate.asked or 'nothing'}")]
    lines += [Text(f"  {hit}", style=style) for hit in view.gate.hits]
    return [*lines, *([Text(f"  {view.gate.more}", style="dim")] if view.gate.more else [])]


def _conclusions(view: ReportView) -> list[RenderableType]:
    found: list[RenderableType] = []
    for item in view.leading:
        sign, style = _KIND[item.css]
        line = Table.grid(padding=(0, 1))
        line.add_column(width=15, no_wrap=True)
        line.add_column()
        line.add_row(Text(f"{sign} {item.kind}", style=style), Text(f"{item.text} ({item.certainty})"))
        found.append(line)
    rest = len(view.more) + len(view.verdicts) - 1
    if view.verdicts and rest > 0:
        found.append(Text(f"{rest} more {'conclusion' if rest == 1 else 'conclusions'} in the report", style="dim"))
    return found


def _variants(view: ReportView) -> Table:
    keys = [column.key for column in view.table.columns]
    counted = [key for key in keys if key.endswith(":instructions")][:1]
    wanted = [view.headline.key if view.headline else "", "clean:cpu_us", *counted, "throughput", "p99_us", *keys]
    picks = list(dict.fromkeys(keys.index(key) for key in wanted if key in keys))[:COLUMNS]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("variant", overflow="fold")
    for index in picks:
        column = view.table.columns[index]
        head = f"{column.label}\n{column.per}" if column.per else column.label
        table.add_column(Text(head), justify="right", no_wrap=True)
    for row in view.table.rows:
        name = Text(row.head.label)
        if row.head.role == "baseline":
            name.append("\nbaseline", style="dim")
        if not row.head.valid:
            name.append(f"\nnot valid: {row.head.why}", style="red")
        table.add_row(name, *(_figure(row.cells[index], row.head.role) for index in picks))
    return table


def _commits(view: ReportView) -> list[RenderableType]:
    """Which commit stands behind a label, a line each; a subject is cut, the page has it whole."""
    lines = []
    for head in view.variants:
        if head.commit is None or head.role == "control":
            continue
        subject = head.commit.subject
        cut = subject if len(subject) <= SUBJECT else subject[: SUBJECT - 1] + "…"
        parts = [f"{head.label}: {head.commit.short}", head.commit.dirty, cut]
        lines.append(Text(" ".join(part for part in parts if part), style="dim"))
    return [*lines]


def _figure(figure: Figure, role: str) -> Text:
    if figure.gap:
        return Text("unknown", style="dim")
    text = Text(figure.text)
    if role == "baseline" or not (figure.ratio or figure.chip):
        return text
    text.append("\n")
    if figure.ratio and (figure.chip is None or figure.chip.word in {"better", "worse"}):
        text.append(f"{figure.ratio} ")
    text.append_text(chip_text(figure.chip))
    return text


def chip_text(chip: Chip | None) -> Text:
    return Text() if chip is None else Text(chip.word, style=_STYLE[chip.css.split()[0]])


def _missing(view: ReportView) -> list[RenderableType]:
    lines = ["unknown: the report says why, cell by cell"] if view.table.notes else []
    lines += [f"{len(view.invalid)} runs are not valid and left out of every figure"] if len(view.invalid) > 1 else []
    lines += ["1 run is not valid and left out of every figure"] if len(view.invalid) == 1 else []
    lines += [f"{run.variant} ({run.where}): {run.reason}" for run in view.invalid[:5]]
    lines += [f"left out: {target}: {reason}" for target, reason in view.study.left_out]
    return [Text(line, style="dim") for line in lines]


def render_hotspots(
    rows: Sequence[Hotspot],
    metrics: Sequence[units.Metric],
    totals: Mapping[str, int],
    *,
    limit: int = 30,
    title: str = "",
) -> RenderableType:
    """The hotspot list of one capture, ordered as given: self and total of the first metric, self of the others.

    `totals` = the profile's sum of self per metric, which shares are of. Counts are raw, not per request.
    """
    if not metrics:
        return Text("This capture holds no metric.")
    first, *others = metrics
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(Text(f"self\n{first.label}"), justify="right", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    for metric in others[:2]:
        table.add_column(Text(f"self\n{metric.label}"), justify="right", no_wrap=True)
    if any(row.calls is not None for row in rows):
        table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("category", no_wrap=True)
    table.add_column("function", overflow="fold", ratio=1)
    for row in rows[:limit]:
        table.add_row(*_hotspot(row, first, others[:2], totals, any(r.calls is not None for r in rows)))
    parts: list[RenderableType] = [Text(visible(title), style="bold")] if title else []
    parts.append(table)
    if len(rows) > limit:
        rest = sum(row.self.get(first.key, 0) for row in rows[limit:])
        part = _share(rest, totals.get(first.key, 0))
        more = len(rows) - limit
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
    return [*cells, Text(visible(row.category, limit=24), style="dim"), name]


def _amount(value: int, metric: units.Metric) -> str:
    return f"{value:,}" if metric.unit == "1" else units.amount(value, metric.unit)


def _share(value: int, total: int) -> str:
    return "" if total <= 0 else units.percent(value / total)
