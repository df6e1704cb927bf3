"""The history as one HTML document: no network, its script and style admitted by their hash, a table per chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from profpipe.characters import visible
from profpipe.model.history import Point, Trend
from profpipe.render.content.trends import NEAR, FigureView, commit_text, figures
from profpipe.render.templates import environment, inlined, templates_folder
from profpipe.render.text import cut, scale_of
from profpipe.render.visible import visible_values

PAGE = "history.html.j2"
# Nobody reads more charts than this, and each is a canvas.
MOST_FIGURES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """`place` = where the function is found; `more` = series that are not drawn; `near` = what a ~ means."""

    title: str
    place: str
    figures: tuple[FigureView, ...]
    more: int
    near: str
    version: str


def render_history(name: str, trends: Sequence[Trend], version: str, last: int | None = None) -> str:
    """The whole page. The same trends give the same bytes."""
    folder, clear = templates_folder(), visible_values(tuple(trends))
    every = figures(clear, last)
    view = HistoryView(
        title=visible(name),
        place=_place(clear),
        figures=every[:MOST_FIGURES],
        more=max(0, len(every) - MOST_FIGURES),
        near=NEAR,
        version=version,
    )
    data = page_data(clear, last)[:MOST_FIGURES]
    return environment(folder).get_template(PAGE).render(view=view, data=data, **inlined(folder, "history"))


def _place(trends: Sequence[Trend]) -> str:
    function = next((t.quantity.function for t in trends if t.quantity.function is not None), None)
    return function.file or function.object if function else ""


def page_data(trends: Sequence[Trend], last: int | None = None) -> list[dict[str, Any]]:
    """What the script draws, one object per figure in `figures`' order: places on the x axis and a line per machine."""
    groups: dict[tuple[str, str, str], list[Trend]] = {}
    for trend in trends:
        groups.setdefault((trend.key.study, trend.key.metric, trend.key.variant), []).append(trend)
    drawn = zip(groups.values(), figures(trends, last), strict=True)
    return [{"id": figure.id, **_figure(group, last)} for group, figure in drawn]


def _figure(group: Sequence[Trend], last: int | None) -> dict[str, Any]:
    shown = {id(trend): _last(trend, last) for trend in group}
    places = _places([[trend.points[i] for i in shown[id(trend)]] for trend in group])
    values = [p.high or p.value or 0.0 for t in group for p in t.points if p.value is not None]
    divisor, unit = _scale(group[0].quantity.unit, max(map(abs, values), default=0.0))
    return {
        "unit": unit,
        "commits": [label for label, _ in places],
        "lines": [_line(trend, shown[id(trend)], places, divisor) for trend in group],
    }


def _last(trend: Trend, last: int | None) -> range:
    return range(0 if last is None else max(0, len(trend.points) - last), len(trend.points))


def _scale(unit: str, largest: float) -> tuple[float, str]:
    """(what values of the axis are divided by, its unit)."""
    scale = scale_of(unit)
    if scale is None:
        return 1.0, cut(unit, 20)
    step = scale.step(largest)
    return step.size / scale.factor, step.name


Place = tuple[str, tuple[str, str]]


def _places(series: Sequence[Sequence[Point]]) -> list[Place]:
    """(label, run) from left to right: machines share the place of a commit, its second run has the next place."""
    order: dict[tuple[str, str], tuple[Any, str]] = {}
    for points in series:
        for point, run in zip(points, _runs(points), strict=True):
            if run not in order or point.when < order[run][0]:
                order[run] = point.when, commit_text(point)
    return [(label, run) for run, (_, label) in sorted(order.items(), key=lambda item: (item[1][0], item[0]))]


def _runs(points: Sequence[Point]) -> list[tuple[str, str]]:
    """(commit, number of its run) of every point: equal ones of two machines share a place."""
    seen: dict[str, int] = {}
    found = []
    for point in points:
        commit = f"{point.commit}{point.dirty}" if point.commit else point.entry
        seen[commit] = seen.get(commit, 0) + 1
        found.append((commit, f"{seen[commit]:06d}"))
    return found


def _line(trend: Trend, shown: range, places: Sequence[Place], divisor: float) -> dict[str, Any]:
    at = {run: index for index, (_, run) in enumerate(places)}
    # Runs are numbered among the points shown, as the places are.
    runs = _runs([trend.points[i] for i in shown])
    columns: dict[str, list[float | None]] = {name: [None] * len(places) for name in ("value", "low", "high")}
    rows: list[int | None] = [None] * len(places)
    changes = {change.index for change in trend.changes or ()}
    marks = []
    for row, (index, run) in enumerate(zip(shown, runs, strict=True)):
        point, place = trend.points[index], at[run]
        rows[place] = row
        for name, column in columns.items():
            value = getattr(point, name)
            column[place] = None if value is None else float(f"{value / divisor:.9g}")
        if index in changes:
            marks.append(place)
    return {"machine": trend.key.machine, "rows": rows, "changes": marks, **columns}
