"""The functions that changed most in one table, with the lines of the diff that lie in them."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Cell, ChangedLines, FunctionRow, HotspotTable, MetricInfo, Report
from profpipe.render.comment.blocks import Block, bullets, paragraph
from profpipe.render.comment.escape_markdown import Md, code, md
from profpipe.render.content.waterfall import first_waterfall
from profpipe.render.text import NONE, PER, amount, chip, cut, per_what, signed_amount

OPEN = 8
# Characters of a name in a table of a comment; the page shows the whole name.
NAME = 100
SPANS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRow:
    """`lines` = (file with its line spans, "+6 −2"), the most changed file first; `was` = its name in the baseline."""

    name: str
    was: str
    before: str
    after: str
    delta: str
    ratio: str
    verdict: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFunctions:
    """`diff` = these are two commits, so lines are shown; `hidden` = changed functions beyond `OPEN`."""

    metric: str
    instrument: str
    contender: str
    diff: bool
    rows: tuple[ChangedRow, ...]
    hidden: int


def changed(report: Report) -> list[Block]:
    """The section of the comment, about the contender that has the widest gap."""
    first = first_waterfall(report)
    found = changed_functions(report, first.contender if first else "")
    if found is None:
        return []
    rest = [paragraph("{} rows not shown", f"{found.hidden:,}")] if found.hidden else []
    who = md(", {} against the baseline", code(found.contender)) if not found.diff else Md()
    return [
        paragraph(
            "**Functions that {} most**, {} ({}){}",
            "changed" if found.diff else "differ",
            found.metric,
            found.instrument,
            who,
        ),
        *bullets(_item(row) for row in found.rows),
        *rest,
    ]


def _item(row: ChangedRow) -> Md:
    """A line that a narrow screen breaks where it must; a table with a long name would be wider than a phone."""
    was = md(" (was {})", code(row.was)) if row.was else Md()
    ratio = f" ({row.ratio})" if row.ratio else ""
    lines = ", ".join(md("{} {}", code(place), size) for place, size in row.lines)
    tail = md("; changed lines: {}", Md(lines)) if lines else Md()
    figures = f"{row.before} → {row.after}, {row.delta}{ratio} {row.verdict}".strip()
    return md("{}{}: {}{}", code(row.name), was, figures, tail)


def has_changed(report: Report) -> bool:
    """Whether a function or category of a contender is better or worse in a table that may be ranked."""
    ranked = {m.key for m in report.metrics if m.ranked}
    contenders = [v.id for v in report.variants if v.role == "contender"]
    tables = [table for table in report.hotspots if table.metric in ranked]
    cells = [row.cells for table in tables for row in table.rows]
    cells += [function.cells for table in tables for row in table.rows for function in row.functions]
    return any(_called(found.get(who)) for found in cells for who in contenders)


def changed_functions(report: Report, contender: str) -> ChangedFunctions | None:
    """Of the first table that may be ranked and holds a change of this contender; the largest change first.

    The first contender with a change when there is none of that id.
    """
    baseline = next((v.id for v in report.variants if v.role == "baseline"), None)
    contenders = [v for v in report.variants if v.role == "contender"]
    contenders.sort(key=lambda v: v.id != contender)
    metrics = {m.key: m for m in report.metrics}
    if baseline is None:
        return None
    for variant in contenders:
        for hotspots in report.hotspots:
            metric = metrics.get(hotspots.metric)
            if metric is None or not metric.ranked:
                continue
            found = _changed(hotspots, variant.id, baseline)
            if found:
                noun, per = per_what(metric.label)
                rows = tuple(_row(row, metric, variant.id, baseline) for row in found[:OPEN])
                return ChangedFunctions(
                    metric=f"{noun} {per or PER}",
                    instrument=f"{metric.instrument} by {metric.profiler}",
                    contender=variant.label,
                    diff=variant.commit is not None,
                    rows=rows,
                    hidden=len(found) - len(rows),
                )
    return None


def _called(cell: Cell | None) -> bool:
    return cell is not None and cell.verdict in ("better", "worse")


def _changed(table: HotspotTable, contender: str, baseline: str) -> list[FunctionRow]:
    """Rows with a verdict, and rows that only one side has and that are at least as large as the smallest of those."""
    rows = [row for category in table.rows for row in category.functions]
    called = [row for row in rows if _called(row.cells.get(contender))]
    least = min((abs(_delta(row, contender, baseline)) for row in called), default=None)
    if least is None:
        return []
    for row in rows:
        sides = [_self(row.cells.get(who)) for who in (baseline, contender)]
        one_sided = (contender in row.cells) != (baseline in row.cells) and any(sides)
        if one_sided and row not in called and abs(_delta(row, contender, baseline)) >= least:
            called.append(row)
    return sorted(called, key=lambda row: (-abs(_delta(row, contender, baseline)), row.id))


def _self(cell: Cell | None) -> float:
    return 0.0 if cell is None or cell.self is None else cell.self


def _delta(row: FunctionRow, contender: str, baseline: str) -> float:
    return _self(row.cells.get(contender)) - _self(row.cells.get(baseline))


def _row(row: FunctionRow, metric: MetricInfo, contender: str, baseline: str) -> ChangedRow:
    old, new = row.cells.get(baseline), row.cells.get(contender)
    ratio = new.ratio if new is not None else None
    mark = chip(new.verdict, ratio) if new is not None else None
    aligned = row.alignment.get(contender)
    verdict = "" if mark is None else f"{mark.sign} {mark.word}".strip()
    if old is None or new is None:
        verdict = "new" if old is None else "gone"
    return ChangedRow(
        name=cut(row.function.name, NAME),
        was=cut(aligned.before.name, NAME) if aligned else "",
        before=_amount(old, metric.unit),
        after=_amount(new, metric.unit),
        delta=signed_amount(_delta(row, contender, baseline), metric.unit),
        ratio="" if ratio is None else units.ratio(ratio),
        verdict=verdict,
        lines=tuple(_lines(item) for item in row.changes.get(contender, ())[:2]),
    )


def _amount(cell: Cell | None, unit: str) -> str:
    if cell is None:
        return NONE
    return units.UNKNOWN if cell.self is None else amount(cell.self, unit)


def _lines(item: ChangedLines) -> tuple[str, str]:
    added = sum(last - first + 1 for first, last in item.added)
    removed = sum(last - first + 1 for first, last in item.removed)
    spans = item.added or item.removed
    listed = [str(first) if first == last else f"{first}-{last}" for first, last in spans[:SPANS]]
    more = f" and {len(spans) - SPANS} more" if len(spans) > SPANS else ""
    return f"{cut(item.file, NAME)}:{','.join(listed)}{more}", f"+{added} −{removed}"
