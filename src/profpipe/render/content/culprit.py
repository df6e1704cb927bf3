"""The function behind the difference of two commits: which one, where its changed line is, and what it does more."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import Cell, ChangedLines, Dependency, FunctionRow, HotspotTable, MetricInfo, Report, Variant
from profpipe.render.content.cause_words import of_causes
from profpipe.render.content.function_words import Culprit, called_as, calls_words, did_words, same

# A function is behind a difference when it holds this much of it, by itself or with what it calls.
MOST = 0.5
# Under this much above the difference it may have cost the same for another reason.
TOO_MUCH = 1 / MOST


@dataclass(frozen=True, slots=True)
class _Seen:
    """A function at both commits."""

    row: FunctionRow
    before: Cell
    after: Cell
    lines: ChangedLines | None

    @property
    def own(self) -> float:
        return (self.after.self or 0.0) - (self.before.self or 0.0) - (self.after.moved or 0.0)

    @property
    def more_calls(self) -> float:
        return abs((self.after.calls or 0.0) - (self.before.calls or 0.0))

    @property
    def whole(self) -> float | None:
        before, after = self.before.total, self.after.total
        return None if before is None or after is None else after - before


def culprit(report: Report, contender: Variant, *, worse: bool) -> Culprit | None:
    """Of the counted or sampled table that has the difference, where it is an edited function; else of the causes.

    Without either a function of that table, or an edited one that was traced. None where no function can be named: a C
    function of an interpreter is none that a reader could change.
    """
    known = {metric.key: metric for metric in report.metrics}
    tables = [(known[table.metric], table) for table in report.hotspots if table.metric in known]
    counted = [
        found
        for metric, table in tables
        if metric.ranked and not metric.key.endswith(":syscalls")
        if (found := _by_cost(report, contender, metric, table, worse=worse)) is not None
    ]
    edited = [found for found in counted if found.changed]
    if edited:
        return edited[0]
    caused = of_causes(report, contender, worse=worse)
    if caused is not None or counted:
        return caused or counted[0]
    traced = [table for metric, table in tables if metric.key.endswith(":calls")]
    return next((found for table in traced if (found := _by_calls(report, contender, table)) is not None), None)


def _by_cost(
    report: Report, contender: Variant, metric: MetricInfo, table: HotspotTable, *, worse: bool
) -> Culprit | None:
    gap = next((w.gap for w in report.waterfall if (w.metric, w.contender) == (metric.key, contender.id)), 0.0)
    if not gap or (gap > 0) != worse:
        return None
    rows = _rows(report, contender, table)
    own = [seen for seen in rows if MOST <= seen.own / gap <= TOO_MUCH and _readable(report, seen, contender)]
    best = max(own, key=lambda seen: (seen.lines is not None, abs(seen.own), seen.row.id), default=None)
    if best is not None and best.lines is not None:
        return _said(best, _did(best.own, metric))
    inside = [
        seen
        for seen in rows
        if seen.lines is not None and seen.whole is not None and MOST <= seen.whole / gap <= TOO_MUCH
    ]
    if inside:
        deepest = min(inside, key=lambda seen: (seen.after.total or 0.0, seen.row.id))
        return _said(deepest, _did(deepest.whole or 0.0, metric, inside=True))
    return None if best is None else _said(best, _did(best.own, metric))


def _by_calls(report: Report, contender: Variant, table: HotspotTable) -> Culprit | None:
    """A traced function that the change edits: the one whose calls changed most, else the only one."""
    rows = [seen for seen in _rows(report, contender, table) if seen.lines is not None]
    more = [seen for seen in rows if not same(seen.before.calls, seen.after.calls)]
    if not more and len(rows) != 1:
        return None
    most = max(more or rows, key=lambda seen: (seen.more_calls, seen.row.id))
    return _said(most, "")


def _rows(report: Report, contender: Variant, table: HotspotTable) -> list[_Seen]:
    out = []
    for row in (row for category in table.rows for row in category.functions):
        before, after = row.cells.get(report.study.baseline, Cell(self=0.0)), row.cells.get(contender.id)
        lines = next((item for item in row.changes.get(contender.id, ()) if item.certainty == "measured"), None)
        if after is not None:
            out.append(_Seen(row, before, after, lines))
    return out


def _readable(report: Report, seen: _Seen, contender: Variant) -> bool:
    """Whether it is code that a reader of the change could have written, or of a package that the change brings."""
    function = seen.row.function
    if seen.lines is not None or package_of(report, contender, function.file, function.name) is not None:
        return True
    if function.origin in ("interpreter", "kernel"):
        return False
    return contender.language != "python" or function.runtime == "python"


def package_of(report: Report, contender: Variant, file: str, name: str) -> Dependency | None:
    """The package in another version whose function this is, by its file or by its name."""
    for each in report.dependencies:
        if (
            each.contender == contender.id
            and each.prefixes
            and (file.startswith(each.prefixes) or name.startswith(each.prefixes))
        ):
            return each
    return None


def _did(delta: float, metric: MetricInfo, *, inside: bool = False) -> str:
    return did_words(delta, label=metric.label, unit=metric.unit, key=metric.key, inside=inside)


def _said(seen: _Seen, did: str) -> Culprit:
    spans = (seen.lines.added or seen.lines.removed) if seen.lines is not None else ()
    function = seen.row.function
    return Culprit(
        row=seen.row.id,
        name=called_as(function.name),
        file=seen.lines.file if seen.lines is not None else function.file,
        line=spans[0][0] if spans else function.line,
        did=did,
        calls=calls_words(seen.before.calls, seen.after.calls),
        changed=seen.lines is not None,
    )
