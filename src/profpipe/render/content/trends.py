"""The history as text: what terminal and page show of a trend, and the list of all of them.

Trends come here as `visible.visible_values` left them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profpipe import units
from profpipe.model.history import Behind, ChangePoint, MovedFunction, Point, Quantity, Trend, moment
from profpipe.model.report import Verdict
from profpipe.render.text import Chip, amount, anchor, chip, cut, interval, signed_amount

SHORT = 10
NEAR = "the interval overlaps that of the report before: this change may be noise"
SPARKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 16
# A dotted range of values is drawn from its own lowest to its highest, unless that is less than this share of it.
_FLAT = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """One report in a trend. `near` = its interval and the one before overlap: the change may be noise."""

    commit: str
    subject: str
    time: str
    value: str
    why: str
    interval: str
    rounds: str
    change: str
    near: bool
    mark: str
    chip: Chip | None
    gate: str
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeText:
    """A change of level in one sentence, and what lies behind it, a line each."""

    text: str
    behind: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendView:
    """One machine's series. `left_out` = older reports that are not among `rows`; `gated` = one has a gate."""

    id: str
    machine: str
    machine_text: str
    summary: str
    changes: tuple[ChangeText, ...]
    rows: tuple[PointRow, ...]
    left_out: int
    gated: bool
    hue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureView:
    """One variant in one study: a picture, with a series per machine."""

    id: str
    study: str
    variant: str
    label: str
    metric: str
    better: str
    trends: tuple[TrendView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewRow:
    metric: str
    label: str
    variant: str
    machine: str
    entries: str
    last: str
    change: str
    spark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """The series of one study."""

    study: str
    machines: tuple[str, ...]
    rows: tuple[OverviewRow, ...]


def figures(trends: Sequence[Trend], last: int | None = None) -> tuple[FigureView, ...]:
    """A figure per study, variant and metric, the machines' series in it; `last` = rows shown of each."""
    groups: dict[tuple[str, str, str], list[Trend]] = {}
    for trend in trends:
        groups.setdefault((trend.key.study, trend.key.metric, trend.key.variant), []).append(trend)
    return tuple(_figure(number, group, last) for number, group in enumerate(groups.values()))


def _figure(number: int, group: Sequence[Trend], last: int | None) -> FigureView:
    newest = max(group, key=lambda trend: trend.points[-1].when)
    id_ = f"trend-{number}-{anchor(newest.key.study, newest.key.variant)[:60]}"
    return FigureView(
        id=id_,
        study=newest.key.study,
        variant=newest.key.variant,
        label=newest.label,
        metric=newest.quantity.label,
        better=f"{newest.quantity.better} is better",
        trends=tuple(trend_view(trend, f"{id_}-{hue}", hue, last) for hue, trend in enumerate(group)),
    )


def trend_view(trend: Trend, id_: str, hue: int = 0, last: int | None = None) -> TrendView:
    changes = {change.index: change for change in trend.changes or ()}
    rows = tuple(_row(trend, index, changes.get(index)) for index in range(len(trend.points)))
    first = 0 if last is None else max(0, len(rows) - last)
    return TrendView(
        id=id_,
        machine=trend.key.machine,
        machine_text=trend.machine_text,
        summary=_summary(trend),
        changes=tuple(ChangeText(text=_change_words(trend, c), behind=_behind(c.behind)) for c in changes.values()),
        rows=rows[first:],
        left_out=first,
        gated=any(row.gate for row in rows[first:]),
        hue=hue % 8,
    )


def commit_text(point: Point) -> str:
    """Short hash, `+` behind it where uncommitted changes were part of what ran."""
    if point.commit is None:
        return "unknown"
    return point.commit[:SHORT] + ("+" if point.dirty else "")


def _row(trend: Trend, index: int, change: ChangePoint | None) -> PointRow:
    point, unit = trend.points[index], trend.quantity.unit
    before = next((p for p in reversed(trend.points[:index]) if p.value is not None), None)
    ratio = change.ratio if change else None
    return PointRow(
        commit=commit_text(point),
        subject=cut(point.subject, 200),
        time=_time(point),
        value=units.UNKNOWN if point.value is None else amount(point.value, unit),
        why=(point.why or "") if point.value is None else "",
        interval=interval(point.low, point.high, unit),
        rounds="" if point.rounds is None else str(point.rounds),
        change=_difference(before, point),
        near=before is not None and _overlap(before, point),
        mark="" if change is None else _level(change),
        chip=None if change is None else chip(_verdict(trend.quantity, change), ratio),
        gate=point.gate or "",
        report=point.report or "",
    )


def _time(point: Point) -> str:
    return moment(point.commit_time or point.created).strftime("%Y-%m-%d %H:%M")


def _difference(before: Point | None, point: Point) -> str:
    if before is None or before.value is None or point.value is None or before.value == 0:
        return ""
    return signed_percent(point.value / before.value - 1)


def signed_percent(part: float) -> str:
    """+3.2 %, −0.04 %: two digits where one would be zero."""
    text = units.percent(abs(part), 1 if abs(part) >= 0.0095 else 2)
    if text == "0.00 %":
        return "0 %"
    return ("+" if part > 0 else "−") + text


def _overlap(before: Point, point: Point) -> bool:
    if None in (before.low, before.high, point.low, point.high):
        return False
    assert before.low is not None
    assert before.high is not None
    assert point.low is not None
    assert point.high is not None
    return before.low <= point.high and point.low <= before.high


def _verdict(quantity: Quantity, change: ChangePoint) -> Verdict:
    return "worse" if (change.after > change.before) == (quantity.better == "lower") else "better"


def _level(change: ChangePoint) -> str:
    return "new level" if change.ratio is None else f"level {signed_percent(change.ratio - 1)}"


def _change_words(trend: Trend, change: ChangePoint) -> str:
    point, unit = trend.points[change.index], trend.quantity.unit
    moved = "" if change.ratio is None else f" ({signed_percent(change.ratio - 1)})"
    levels = f"{amount(change.before, unit)} to {amount(change.after, unit)}"
    subject = f": {cut(point.subject, 80)}" if point.subject else ""
    return f"{_verdict(trend.quantity, change)} since {commit_text(point)} of {_time(point)}: {levels}{moved}{subject}"


def _behind(found: Behind) -> tuple[str, ...]:
    """Functions, packages and commits behind a change of level, a line for each kind that is known."""
    lines = []
    if found.functions:
        lines.append(f"{found.metric}: {', '.join(map(_moved, found.functions))}")
    if found.packages:
        lines.append(f"packages: {', '.join(cut(words, 80) for words in found.packages)}")
    if found.commits:
        several = f"{len(found.commits) + found.more} commits" if len(found.commits) + found.more > 1 else "commit"
        named = "; ".join(f"{commit[:SHORT]} {cut(subject, 60)}" for commit, subject in found.commits)
        lines.append(f"{several}: {named}{f'; and {found.more} more' if found.more else ''}")
    return tuple(lines)


def _moved(row: MovedFunction) -> str:
    """ "answer (work.c) +2,800": what the function costs more by itself."""
    place = row.function.file or row.function.object
    gone = " (not listed before)" if row.before is None else " (no longer listed)" if row.after is None else ""
    where = f" ({place})" if place else ""
    return f"{cut(row.function.name, 80)}{where} {signed_amount(row.delta, row.unit)}{gone}"


def _summary(trend: Trend) -> str:
    known = [point for point in trend.points if point.value is not None]
    count = len(trend.points)
    text = f"{count:,} {'report' if count == 1 else 'reports'}"
    if len(known) < count:
        text += f", {count - len(known):,} of them without this figure"
    if known and known[-1].value is not None:
        text += f"; last {amount(known[-1].value, trend.quantity.unit)} at {commit_text(known[-1])}"
    if trend.changes is None:
        return f"{text}."
    found = len(trend.changes)
    words = {0: "no change of level", 1: "one change of level"}.get(found, f"{found} changes of level")
    return f"{text}; {words}."


def overview(trends: Sequence[Trend]) -> tuple[OverviewView, ...]:
    """Every series, by study."""
    studies: dict[str, list[Trend]] = {}
    for trend in trends:
        studies.setdefault(trend.key.study, []).append(trend)
    return tuple(_study(name, group) for name, group in studies.items())


def _study(name: str, group: Sequence[Trend]) -> OverviewView:
    machines = {trend.key.machine: trend.machine_text for trend in group}
    return OverviewView(
        study=name,
        machines=tuple(f"{key} ({text})" for key, text in machines.items()),
        rows=tuple(_overview_row(trend) for trend in group),
    )


def _overview_row(trend: Trend) -> OverviewRow:
    values = [point.value for point in trend.points if point.value is not None]
    last = amount(values[-1], trend.quantity.unit) if values else units.UNKNOWN
    change = signed_percent(values[-1] / values[-2] - 1) if len(values) > 1 and values[-2] else ""
    return OverviewRow(
        metric=trend.key.metric,
        label=trend.quantity.label,
        variant=trend.key.variant,
        machine=trend.key.machine,
        entries=f"{len(trend.points):,}",
        last=last,
        change=change,
        spark=spark(values[-SPARK_WIDTH:]),
    )


def spark(values: Sequence[float]) -> str:
    """The last values as a row of bars, the lowest to the highest; flat where they hardly differ."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    if high - low <= _FLAT * abs(high):
        return SPARKS[3] * len(values)
    return "".join(SPARKS[round((value - low) / (high - low) * (len(SPARKS) - 1))] for value in values)
