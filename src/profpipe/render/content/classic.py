"""The classic list: raw counts of the whole window, the largest first, as profilers have always printed them."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import ClassicList, Report
from profpipe.render.content.variants import labels
from profpipe.render.text import amount, anchor, per_what, share

# Rows of one list; report.json has all.
SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicRowText:
    """`bar` is 0..1000 of the largest row."""

    value: str
    share: str
    place: str
    bar: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicText:
    """`rest` = what the rows leave of the total, in words."""

    id: str
    variant: str
    metric: str
    total: str
    rows: tuple[ClassicRowText, ...]
    rest: str


def classic_lists(report: Report) -> tuple[ClassicText, ...]:
    who = labels(report)
    metrics = {m.key: (m.unit, per_what(m.label)[0]) for m in report.metrics}
    return tuple(_list(item, who, *metrics.get(item.metric, ("1", item.metric))) for item in report.classic)


def _list(item: ClassicList, who: dict[str, str], unit: str, metric: str) -> ClassicText:
    shown = item.rows[:SHOWN]
    top = max((row.share for row in shown), default=0.0)
    rest = item.rest + sum(row.value for row in item.rows[SHOWN:])
    functions = item.rest_functions + len(item.rows) - len(shown)
    part = "" if item.total <= 0 else f" ({share(rest / item.total).replace(' ', '')})"
    where = f" in {functions:,} more functions" if functions else " in no function"
    return ClassicText(
        id=anchor("list", item.metric, item.variant),
        variant=who.get(item.variant, item.variant),
        metric=metric,
        total=f"{item.total:,}" if unit == "1" else f"{item.total:,} {unit} = {amount(item.total, unit)}",
        rows=tuple(
            ClassicRowText(
                value=f"{row.value:,}",
                share=units.percent(row.share).replace(" ", ""),
                place=row.place,
                bar=round(row.share / top * 1000) if top > 0 else 0,
            )
            for row in shown
        ),
        rest=f"{rest:,}{part}{where}",
    )
