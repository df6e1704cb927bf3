"""What `profpipe run` prints: readable at 80 columns, without colour, and safe to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from profpipe.characters import visible
from profpipe.model.metric_keys import CPU, P99, THROUGHPUT
from profpipe.model.metric_labels import labels_apart
from profpipe.model.report import Report
from profpipe.render.content.bars import bars
from profpipe.render.content.change import Change, also, bar_rows, change
from profpipe.render.content.conclusions import NO_VERDICT, Conclusions, conclusions
from profpipe.render.content.figures import Figure, FigureText, figure_text, figures
from profpipe.render.content.gate import gate_text
from profpipe.render.content.headline import headline_figure, headline_number
from profpipe.render.content.libraries import library_shares
from profpipe.render.content.load_checks import load_checks
from profpipe.render.content.slices import FROM_START, slices_text, starts_words
from profpipe.render.content.study import invalid_runs, rounds_words
from profpipe.render.content.variants import heads
from profpipe.render.terminal.chips import chip_text
from profpipe.render.terminal.routes import routes_table
from profpipe.render.terminal.services import services_table
from profpipe.render.text import Notes, cut
from profpipe.render.visible import visible_report

COLUMNS = 4
NAME_WIDTH, HEADING_WIDTH = 14, 15  # a name and four headings fit 80 columns, and no figure is cut
SUBJECT = 50
BAR = 40
_KIND = {"k-cause": ("→", "red"), "k-not": ("×", "green"), "k-caution": ("!", "yellow"), "k-verdict": ("", "bold")}


def render_verdict(report: Report) -> RenderableType:
    """Verdict, one row per variant, what was left out, and the conclusions that lead."""
    clear = visible_report(report)
    concluded, headline, notes = conclusions(clear), headline_figure(clear), Notes()
    every = [figure for figure in figures(clear) if figure.measured]
    changed = change(clear, "This change")
    first = [_verdict(concluded)] if changed is None else _changed(changed, also(clear))
    parts: list[RenderableType] = [*first, *_detectable(clear, headline), *_gate(clear)]
    if every:
        shown = _columns(every, headline)
        cells = {f.key: [figure_text(f, variant, notes) for variant in clear.variants] for f in shown}
        parts += [Text(), _variants(clear, shown, cells), *_commits(clear)]
    if (routes := routes_table(clear)) is not None:
        parts += [Text("CPU time per request of each route", style="bold"), routes]
    if (services := services_table(clear)) is not None:
        parts += [Text("Services beside the servers", style="bold"), services]
    parts += _libraries(clear)
    parts += _missing(clear, unknown=bool(notes.all()))
    if concluded.leading:
        parts += [Text(), *_conclusions(concluded)]
    return Group(*parts)


def _changed(found: Change, besides: Sequence[str]) -> list[RenderableType]:
    """Of two commits: the sentence with its size in colour, and both as bars."""
    worse = bool(found.contender.against_baseline[found.figure.key].verdict == "worse")
    style = {"words": "bold", "size": "bold red" if worse else "bold green", "code": "bold cyan", "place": "bold cyan"}
    lines: list[RenderableType] = [Text.assemble(*((text, style[kind]) for kind, text in found.sentence))]
    lines += [Text(text) for text in besides]
    rows = bar_rows(found, found.baseline.label, found.contender.label)
    return [*lines, Text(), Text(bars(rows, BAR)), Text()] if rows else lines


def _verdict(concluded: Conclusions) -> Text:
    if not concluded.verdicts:
        return Text(NO_VERDICT, style="bold")
    first = concluded.verdicts[0]
    return Text.assemble((first.text, "bold"), (f" ({first.certainty})", "dim"))


def _detectable(report: Report, headline: Figure | None) -> list[RenderableType]:
    """The smallest change that these rounds can show, or how well a ratio over starts is known."""
    number = headline_number(report, headline) if headline else None
    if number is None or headline is None or not number.detectable:
        return []
    slices = report.study.slices if headline.resolution is not None else None
    how = rounds_words(report) if slices is None else starts_words(slices)
    return [Text(f"{number.detectable[0].upper()}{number.detectable[1:]}; {how}.", style="dim")]


def _gate(report: Report) -> list[RenderableType]:
    """What `--fail-on` asked and found; absent when nothing was asked."""
    gate = gate_text(report)
    if gate is None:
        return []
    style = "red" if gate.failed else "green"
    lines = [Text.assemble((gate.word, style), f" (fails on: {gate.asked})")]
    lines += [Text(f"  {hit}", style=style) for hit in gate.hits]
    lines += [Text(f"  {text}", style="yellow") for text in gate.accepted]
    return [*lines, *([Text(f"  {gate.more}", style="dim")] if gate.more else [])]


def _conclusions(concluded: Conclusions) -> list[RenderableType]:
    found: list[RenderableType] = []
    for item in concluded.leading:
        sign, style = _KIND[item.css]
        line = Table.grid(padding=(0, 1))
        line.add_column(width=15, no_wrap=True)
        line.add_column()
        line.add_row(Text(f"{sign} {item.kind}", style=style), Text(f"{item.text} ({item.certainty})"))
        found.append(line)
    rest = len(concluded.more) + len(concluded.verdicts) - 1
    if concluded.verdicts and rest > 0:
        found.append(Text(f"{rest} more {'conclusion' if rest == 1 else 'conclusions'} in the report", style="dim"))
    return found


def _columns(every: Sequence[Figure], headline: Figure | None) -> list[Figure]:
    """The figures that 80 columns have room for."""
    known = {figure.key: figure for figure in every}
    counted = [key for key in known if key.endswith(":instructions")][:1]
    wanted = [headline.key if headline else "", CPU, *counted, THROUGHPUT, P99, *known]
    return [known[key] for key in dict.fromkeys(wanted) if key in known][:COLUMNS]


def _variants(report: Report, columns: Sequence[Figure], cells: Mapping[str, Sequence[FigureText]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown = heads(report)
    longest = max((len(visible(head.label)) for head in shown), default=0)
    table.add_column("variant", overflow="fold", min_width=min(longest, NAME_WIDTH))
    labels = labels_apart(report.metrics)
    for figure in columns:
        # Another figure may have its label, with another profiler's values.
        by = f"({figure.profiler})" if labels.get(figure.key, figure.label) != figure.label else ""
        lines = [line for text in (figure.noun, figure.per or "", by) for line in wrap(text, HEADING_WIDTH)]
        table.add_column(Text("\n".join(lines)), justify="right")
    for index, head in enumerate(shown):
        name = Text(head.label)
        if head.role == "baseline":
            name.append("\nbaseline", style="dim")
        if not head.valid:
            name.append(f"\nnot valid: {head.why}", style="red")
        table.add_row(name, *(_figure(cells[f.key][index], head.role, ranged=f.key == CPU) for f in columns))
    return table


def _commits(report: Report) -> list[RenderableType]:
    """The commit of each variant, a line each; the subject is cut, the page has all of it."""
    lines: list[RenderableType] = []
    for head in heads(report, control=False):
        if head.commit is None:
            continue
        parts = [f"{head.label}: {head.commit.short}", head.commit.dirty, cut(head.commit.subject, SUBJECT)]
        lines.append(Text(" ".join(part for part in parts if part), style="dim"))
    return lines


def _figure(figure: FigureText, role: str, *, ranged: bool) -> Text:
    if figure.gap:
        return Text("unknown", style="dim")
    text = Text(figure.text)
    if figure.lottery and ranged:
        text.append(f"\n{figure.lottery.removesuffix(FROM_START)}", style="dim")
    if role == "baseline" or not (figure.ratio or figure.chip):
        return text
    text.append("\n")
    if figure.ratio and (figure.chip is None or figure.chip.word in {"better", "worse"}):
        text.append(f"{figure.ratio} ")
    text.append_text(chip_text(figure.chip))
    return text


def _libraries(report: Report) -> list[RenderableType]:
    """Whose code the cost of each variant is in: a line each, the largest first."""
    found = library_shares(report)
    if found is None:
        return []
    lines = Table.grid(padding=(0, 1))
    lines.add_column(overflow="fold", max_width=NAME_WIDTH)
    lines.add_column()
    for head in heads(report, control=False):
        if head.id in found.rows:
            lines.add_row(Text(head.label), Text(found.rows[head.id]))
    return [Text(f"Cost by library, {found.metric}", style="bold"), lines, Text()]


def _missing(report: Report, *, unknown: bool) -> list[RenderableType]:
    lost, slices = invalid_runs(report), slices_text(report)
    spread = slices is not None and any(row.range for row in slices.lotteries)
    lines = ["second line of CPU time: the range over starts"] if spread else []
    lines += ["unknown: report.html gives the reason next to each"] if unknown else []
    lines += [f"{len(lost)} invalid {'run' if len(lost) == 1 else 'runs'} left out of every figure"] if lost else []
    lines += [f"{run.variant} ({run.where}): {run.reason}" for run in lost[:5]]
    lines += [
        f"start lost: {each.variant} ({each.where}): {each.reason}" for each in (slices.lost[:3] if slices else ())
    ]
    lines += [f"left out: {left.target}: {left.reason}" for left in report.study.left_out]
    if (checks := load_checks(report)) is not None:
        lines += [f"load: {checks.summary} passed", *(f"load: {row.words}" for row in checks.failed)]
    return [Text(line, style="dim") for line in lines]
