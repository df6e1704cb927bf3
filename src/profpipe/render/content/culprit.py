"""The function behind the difference of two commits: which one, where its changed line is, and what it does more."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Cell, ChangedLines, FunctionRow, HotspotTable, MetricInfo, Report, Variant
from profpipe.render.text import amount, cut, per_what

# A function is behind a difference when it holds this much of it, by itself or with what it calls.
MOST = 0.5
# Under this much above the difference it may have cost the same for another reason.
TOO_MUCH = 1 / MOST
# Calls per request repeat within 1 %.
SAME_CALLS = 0.01
NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """`file` and `line` of its first changed line, else of nothing; `did` = what it does more or less, in words.

    `changed` = a line of the change lies in it. `row` = the id of its row in the report's tables.
    """

    row: str
    name: str
    file: str
    line: int | None
    did: str
    calls: str
    changed: bool


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
    """Of the counted or sampled table that has the difference; else a function with changed lines that was traced.

    None where no function can be named: a C function of an interpreter is none that a reader could change.
    """
    known = {metric.key: metric for metric in report.metrics}
    tables = [(known[table.metric], table) for table in report.hotspots if table.metric in known]
    for metric, table in tables:
        if metric.ranked and not metric.key.endswith(":syscalls"):
            found = _by_cost(report, contender, metric, table, worse=worse)
            if found is not None:
                return found
    traced = [(metric, table) for metric, table in tables if metric.key.endswith(":calls")]
    return next((found for _, table in traced if (found := _by_calls(report, contender, table)) is not None), None)


def _by_cost(
    report: Report, contender: Variant, metric: MetricInfo, table: HotspotTable, *, worse: bool
) -> Culprit | None:
    gap = next((w.gap for w in report.waterfall if (w.metric, w.contender) == (metric.key, contender.id)), 0.0)
    if not gap or (gap > 0) != worse:
        return None
    rows = _rows(report, contender, table)
    own = [seen for seen in rows if MOST <= seen.own / gap <= TOO_MUCH and _readable(seen, contender)]
    if own:
        best = max(own, key=lambda seen: (seen.lines is not None, abs(seen.own), seen.row.id))
        if best.lines is not None:
            return _said(best, best.own, metric, "")
    inside = [
        seen
        for seen in rows
        if seen.lines is not None and seen.whole is not None and MOST <= seen.whole / gap <= TOO_MUCH
    ]
    if inside:
        deepest = min(inside, key=lambda seen: (seen.after.total or 0.0, seen.row.id))
        return _said(deepest, deepest.whole or 0.0, metric, " and what it calls")
    return _said(best, best.own, metric, "") if own else None


def _by_calls(report: Report, contender: Variant, table: HotspotTable) -> Culprit | None:
    """A traced function that the change edits: the one whose calls changed most, else the only one."""
    rows = [seen for seen in _rows(report, contender, table) if seen.lines is not None]
    more = [seen for seen in rows if not _same(seen.before.calls, seen.after.calls)]
    if not more and len(rows) != 1:
        return None
    most = max(more or rows, key=lambda seen: (seen.more_calls, seen.row.id))
    return _said(most, None, None, "")


def _rows(report: Report, contender: Variant, table: HotspotTable) -> list[_Seen]:
    out = []
    for row in (row for category in table.rows for row in category.functions):
        before, after = row.cells.get(report.study.baseline, Cell(self=0.0)), row.cells.get(contender.id)
        lines = next((item for item in row.changes.get(contender.id, ()) if item.certainty == "measured"), None)
        if after is not None:
            out.append(_Seen(row, before, after, lines))
    return out


def _readable(seen: _Seen, contender: Variant) -> bool:
    """Whether it is code that a reader of the change could have written: no C function under a Python server."""
    return seen.lines is not None or contender.language != "python" or seen.row.function.runtime == "python"


def _said(seen: _Seen, delta: float | None, metric: MetricInfo | None, inside: str) -> Culprit:
    spans = (seen.lines.added or seen.lines.removed) if seen.lines is not None else ()
    function = seen.row.function
    return Culprit(
        row=seen.row.id,
        name=called_as(function.name),
        file=seen.lines.file if seen.lines is not None else function.file,
        line=spans[0][0] if spans else None,
        did="" if delta is None or metric is None else _did(delta, metric, inside),
        calls=_calls(seen),
        changed=seen.lines is not None,
    )


def _did(delta: float, metric: MetricInfo, inside: str) -> str:
    """ "executes 1,520 more instructions per request", "and what it calls take 3.1 µs more CPU time per request"."""
    noun, per = per_what(metric.label)
    counted, verb = metric.unit == "1", "execute" if metric.key.endswith(":instructions") else "take"
    word = "more" if delta > 0 else "fewer" if counted else "less"
    ending = "" if inside else "s"
    return f"{inside} {verb}{ending} {amount(abs(delta), metric.unit)} {word} {noun} {per or 'per request'}".strip()


def called_as(name: str) -> str:
    """A plain name with the parentheses of a call."""
    short = cut(name, NAME)
    return f"{short}()" if short.replace("_", "").replace(".", "").isalnum() else short


def _same(before: float | None, after: float | None) -> bool:
    return not before or not after or abs(after - before) <= SAME_CALLS * before


def _calls(seen: _Seen) -> str:
    before, after = seen.before.calls, seen.after.calls
    if not after:
        return ""
    if not before:
        return ""
    if _same(before, after):
        return f"called {_times(after)}, as before"
    return f"called {_times(after)} instead of {_times(before)}"


def _times(count: float) -> str:
    """ "once", "2.5 times": per request."""
    near = round(count)
    if near == 1 and abs(count - 1) <= SAME_CALLS:
        return "once"
    exact = near and abs(count - near) <= SAME_CALLS * near
    return f"{units.count(float(near)) if exact else units.count(count)} times"
