"""The figures of every contender against the baseline, as tables that a phone shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Report, Variant
from profpipe.render.comment.blocks import Block, paragraph, table
from profpipe.render.comment.escape_markdown import code
from profpipe.render.content.figures import Figure, FigureText, figure_text, figures
from profpipe.render.content.headline import headline_figure
from profpipe.render.text import Chip, Notes

# Rows of the first table: what a phone shows without scrolling; the rest is folded.
OPEN_FIGURES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureLine:
    """One figure of one contender against the baseline."""

    figure: str
    contender: str
    old: FigureText
    new: FigureText


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTable:
    """One contender: its figures are the rows, `title` is empty. Several: a table per figure, contenders are the rows.

    `gaps` = (variant or figure that is unknown, why), each reason once.
    """

    title: str
    baseline: str
    contender: str
    lines: tuple[FigureLine, ...]
    gaps: tuple[tuple[str, str], ...]


def open_figures(report: Report) -> list[Block]:
    return [block for found in figure_tables(report)[0] for block in _blocks(found)]


def folded_figures(report: Report) -> list[Block]:
    return [block for found in figure_tables(report)[1] for block in _blocks(found)]


def figure_tables(report: Report) -> tuple[tuple[FigureTable, ...], tuple[FigureTable, ...]]:
    """(shown at once, folded). With several contenders the table of the verdict's figure is the open one."""
    base = next((v for v in report.variants if v.role == "baseline"), None)
    contenders = [v for v in report.variants if v.role == "contender"]
    if base is None or not contenders:
        return (), ()
    every = [figure for figure in figures(report) if figure.measured]
    judged = [figure for figure in every if any(_judged(figure, v) for v in contenders)]
    rest = [figure for figure in every if figure not in judged]
    if len(contenders) == 1:
        parts = [part for part in (judged[:OPEN_FIGURES], judged[OPEN_FIGURES:] + rest) if part]
        made = [_table("", part, base, contenders) for part in parts]
        return tuple(made[:1]), tuple(made[1:])
    tables = [_table(figure.full_name, [figure], base, contenders) for figure in judged + rest]
    headline = headline_figure(report)
    keys = [figure.key for figure in judged + rest]
    first = keys.index(headline.key) if headline and headline.key in keys else 0
    return tuple(tables[first : first + 1]), tuple(t for i, t in enumerate(tables) if i != first)


def _judged(figure: Figure, variant: Variant) -> bool:
    return variant.id in figure.against


def _table(title: str, shown: Sequence[Figure], base: Variant, contenders: Sequence[Variant]) -> FigureTable:
    lines: list[FigureLine] = []
    gaps: dict[tuple[str, str], None] = {}
    notes = Notes()
    for contender in contenders:
        for figure in shown:
            old, new = (figure_text(figure, variant, notes) for variant in (base, contender))
            for variant, text in ((base, old), (contender, new)):
                if text.gap:
                    who = variant.label if title else f"{figure.full_name}, {variant.label}"
                    gaps[who, text.gap.why] = None
            lines.append(FigureLine(figure=figure.full_name, contender=contender.label, old=old, new=new))
    return FigureTable(
        title=title,
        baseline=base.label,
        contender="" if title else contenders[0].label,
        lines=tuple(lines),
        gaps=tuple(gaps),
    )


def _blocks(found: FigureTable) -> list[Block]:
    measured = [("change (95 % interval)", False)]
    if found.title:
        old = _value(found.lines[0].old)
        blocks = [
            paragraph("**{}** (baseline {}: {})", found.title, code(found.baseline), old),
            table(
                [("variant", False), ("value", True), *measured],
                [[code(line.contender), _value(line.new), _against(line.new)] for line in found.lines],
            ),
        ]
    else:
        head = [("figure", False), (code(found.baseline), True), (code(found.contender), True), *measured]
        rows = [[line.figure, _value(line.old), _value(line.new), _against(line.new)] for line in found.lines]
        blocks = [table(head, rows)]
    return [*blocks, *(paragraph("Unknown ({}): {}", who, why) for who, why in found.gaps)]


def _value(figure: FigureText) -> str:
    return units.UNKNOWN if figure.gap else figure.text


def _against(figure: FigureText) -> str:
    """One cell, which a narrow screen may break: five columns would not fit on a phone."""
    ends = f" ({figure.ratio_interval})" if figure.ratio_interval else ""
    return f"{verdict_text(figure.chip)} {figure.ratio}{ends}".strip()


def verdict_text(chip: Chip | None) -> str:
    """The chip without colour: a sign that points where the figure went, and the word."""
    return "" if chip is None else f"{chip.sign} {chip.word}".strip()


def summary(report: Report) -> str:
    """The figures of the first table in one line; empty when none could be compared."""
    lines = [line for found in figure_tables(report)[0] for line in found.lines if line.new.ratio]
    several = len({line.contender for line in lines}) > 1
    parts = []
    for line in lines[:4]:
        who = f"{line.contender}: " if several else ""
        ends = f" ({line.new.ratio_interval})" if line.new.ratio_interval else ""
        word = f", {line.new.chip.word}" if line.new.chip else ""
        parts.append(f"{who}{line.figure} {line.new.ratio}{ends}{word}")
    return "; ".join(parts)
