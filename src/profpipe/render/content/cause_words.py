"""The function that a cause of the report names: of the change where it edits one on the way, else of a library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from profpipe.model.report import Cause, CauseStep, ChangedLines, FunctionName, FunctionRow, Report, Variant
from profpipe.render.content.function_words import Culprit, called_as, calls_words, did_words, same, times

Place = tuple[str, str, str]
# The part of its whole difference that a function must make by itself to be told without what it calls. More than all
# of it: what it calls gives some back, as where work moved from a callee in C into one in Python.
ITSELF = (0.5, 1.1)


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    lines: ChangedLines | None


def of_causes(report: Report, contender: Variant, *, worse: bool) -> Culprit | None:
    """Of the largest cause in the direction of the change: the deepest function with a changed line; without one the
    function that is called more or less often, else the deepest that holds the difference.

    None where the report has no such cause.
    """
    found = [c for c in report.causes if c.contender == contender.id and (c.gap > 0) == worse]
    if not found:
        return None
    cause, rows = found[0], _rows(report, contender)
    changed = [i for i, step in enumerate(cause.steps) if (row := rows.get(_place(step.function))) and row.lines]
    entry = cause.steps[cause.entry]
    last = cause.entry if not same_at(entry) else len(cause.steps) - 1
    at = changed[-1] if changed else last
    return _said(cause, at, rows.get(_place(cause.steps[at].function), _Row("", None)))


def same_at(step: CauseStep) -> bool:
    """Whether a step is called equally often in both variants; also where its calls are not counted."""
    before, after = step.before.calls, step.after.calls
    return before is None or after is None or (bool(before) == bool(after) and same(before, after))


def _rows(report: Report, contender: Variant) -> Mapping[Place, _Row]:
    """The rows of all tables by function, one with changed lines first."""
    found: dict[Place, _Row] = {}
    for row in (row for table in report.hotspots for category in table.rows for row in category.functions):
        place, lines = _place(row.function), _measured(row, contender)
        if place not in found or (lines is not None and found[place].lines is None):
            found[place] = _Row(row.id, lines)
    return found


def _place(function: FunctionName) -> Place:
    return function.name, function.file, function.object


def _measured(row: FunctionRow, contender: Variant) -> ChangedLines | None:
    return next((item for item in row.changes.get(contender.id, ()) if item.certainty == "measured"), None)


def _said(cause: Cause, at: int, row: _Row) -> Culprit:
    step = cause.steps[at]
    function, lines = step.function, row.lines
    spans = (lines.added or lines.removed) if lines is not None else ()
    own, whole = step.after.self - step.before.self, step.after.total - step.before.total
    inside = not ITSELF[0] <= (own / whole if whole else 1.0) <= ITSELF[1]
    did = did_words(whole if inside else own, label=cause.label, unit=cause.unit, key=cause.metric, inside=inside)
    by = "" if cause.exact else f", as {cause.metric.partition(':')[0]} measures it"
    return Culprit(
        row=row.id,
        name=called_as(function.name),
        file=lines.file if lines is not None else function.file,
        line=spans[0][0] if spans else function.line,
        did=did + by,
        calls=_calls(cause, at),
        changed=lines is not None,
    )


def _calls(cause: Cause, at: int) -> str:
    """How often the named function is called, and from which of the server's own; where it is what calls the entry
    more or less often, that."""
    step, entry = cause.steps[at], cause.steps[cause.entry]
    if at < cause.entry and not same_at(entry):
        return _changed_calls(
            entry, f"it calls {called_as(entry.function.name)}", "it no longer calls " + called_as(entry.function.name)
        )
    if same_at(step):
        return calls_words(step.before.calls, step.after.calls)
    own = cause.steps[cause.own].function if cause.own is not None and cause.own < at else None
    caller = (
        ""
        if own is None
        else f", from {called_as(own.name)}" + (f" in {own.file}:{own.line}" if own.file and own.line else "")
    )
    return _changed_calls(step, "called", "no longer called") + caller


def _changed_calls(step: CauseStep, start: str, never: str) -> str:
    before, after = step.before.calls or 0.0, step.after.calls or 0.0
    if not after:
        return never
    return f"{start} {times(after)} instead of {times(before) if before else 'never'}"
