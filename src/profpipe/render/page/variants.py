"""One row per variant: every figure with its ratio, its verdict and a strip of all its rounds or starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from profpipe.model.report import Report, Series, Variant
from profpipe.render.content.figures import Figure, FigureText, figure_text, figures, missing
from profpipe.render.content.variants import VariantHead, heads
from profpipe.render.page.interface import Section
from profpipe.render.text import Note, Notes, amount, position


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """All rounds, or starts, of one figure on the axis of its column: positions 0..1000.

    `reference` is the baseline's median.
    """

    dots: tuple[int, ...]
    low: int | None
    width: int
    median: int | None
    reference: int | None


@dataclass(frozen=True, slots=True)
class VariantCell:
    figure: FigureText
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class Column:
    """A figure and the ends of the axis that its strips share, as text."""

    figure: Figure
    axis_low: str
    axis_high: str


@dataclass(frozen=True, slots=True)
class VariantRow:
    head: VariantHead
    cells: tuple[VariantCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantTable:
    """`missing` = (figure, reason) of columns that no variant has a value in: named once, not drawn.

    `about` = what a dot is, and which measurements it is about.
    """

    columns: tuple[Column, ...]
    rows: tuple[VariantRow, ...]
    control: bool
    notes: tuple[Note, ...]
    missing: tuple[tuple[str, str], ...]
    about: str


_ABOUT_ROUNDS = "Each strip shows every round on the axis of its column: a dot is a round"
_ABOUT_STARTS = (
    "Each strip shows every start on the axis of its column: a dot is a start, fresh processes of all variants side by "
    "side, or a round where a profiler measured. A ratio compares variants start by start. How far the dots "
    "of one variant lie apart is its lottery: where a start puts its memory, and what the machine does meanwhile"
)


def variant_table(report: Report) -> VariantTable:
    notes = Notes()
    every = figures(report)
    shown = [figure for figure in every if figure.measured]
    cells = [_cells(figure, report.variants, notes) for figure in shown]
    rows = tuple(VariantRow(head, tuple(column[index] for column in cells)) for index, head in enumerate(heads(report)))
    return VariantTable(
        columns=tuple(_column(figure) for figure in shown),
        rows=rows,
        control=any(row.head.role == "control" for row in rows),
        notes=notes.all(),
        missing=missing(every),
        about=_ABOUT_STARTS if any(figure.resolution is not None for figure in shown) else _ABOUT_ROUNDS,
    )


def _column(figure: Figure) -> Column:
    low, high = _axis(figure.series.values())
    return Column(figure, "0" if low == 0 else amount(low, figure.unit), amount(high, figure.unit))


def _axis(all_series: Iterable[Series]) -> tuple[float, float]:
    """From zero when the figures differ by more than a factor, else cut to where they are; always printed."""
    values = [v for s in all_series for v in (*s.values, s.median, s.low, s.high) if v is not None]
    if not values:
        return 0.0, 0.0
    low, high = min(values), max(values)
    return (0.0 if 0 <= low < 0.6 * high else low), high


def _cells(figure: Figure, variants: tuple[Variant, ...], notes: Notes) -> list[VariantCell]:
    axis = _axis(figure.series.values())
    base = next((figure.series[v.id].median for v in variants if v.role == "baseline" and v.id in figure.series), None)
    reference = None if base is None else position(base, *axis)
    return [
        VariantCell(
            figure_text(figure, variant, notes), _strip(figure.series.get(variant.id, Series()), axis, reference)
        )
        for variant in variants
    ]


def _strip(series: Series, axis: tuple[float, float], reference: int | None) -> Strip | None:
    """None where the figure is unknown."""
    if series.median is None:
        return None
    low = None if series.low is None or series.high is None else position(series.low, *axis)
    return Strip(
        dots=tuple(position(value, *axis) for value in series.values if value is not None),
        low=low,
        width=0 if low is None or series.high is None else position(series.high, *axis) - low,
        median=position(series.median, *axis),
        reference=reference,
    )


SECTION = Section(
    key="variants", title="Variants", template="_variants.html.j2", view=variant_table, shows=("variants",)
)
