"""Report -> one frozen view of TEXT: every number with its unit, every gap with its reason, every position an integer.

Templates and the terminal show what is here and compute nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from profpipe.model.report import Report
from profpipe.render.headline import GateView, Headline, gate_view, headline
from profpipe.render.page.flame_graph import FlameHead, difference_heads, flame_data, flame_heads
from profpipe.render.page.hotspots import HotTable, edges, hot_tables, hue_of
from profpipe.render.page.noise import (
    CalibrationView,
    ControlRow,
    Disturbance,
    calibration_view,
    control_rows,
    disturbance,
)
from profpipe.render.page.published_study import PublishedView, published_study
from profpipe.render.page.study import (
    ClassicView,
    ConclusionView,
    InvalidView,
    LimitView,
    RunView,
    StudyView,
    classic_lists,
    conclusions,
    invalid_runs,
    limits,
    runs,
    study_view,
)
from profpipe.render.page.variants import VariantHead, VariantTable, heads, variant_table
from profpipe.render.page.waterfall import Waterfalls, waterfalls
from profpipe.render.text import visible


@dataclass(frozen=True, slots=True)
class ReportView:
    """Everything a renderer shows, in the order of the page. `explained` = keys of the metrics with a waterfall."""

    study: StudyView
    verdicts: tuple[ConclusionView, ...]
    leading: tuple[ConclusionView, ...]
    more: tuple[ConclusionView, ...]
    headline: Headline | None
    gate: GateView | None
    variants: tuple[VariantHead, ...]
    table: VariantTable
    waterfalls: Waterfalls
    explained: tuple[str, ...]
    hotspots: tuple[HotTable, ...]
    flames: tuple[FlameHead, ...]
    differences: tuple[FlameHead, ...]
    classic: tuple[ClassicView, ...]
    limits: tuple[LimitView, ...]
    control: tuple[ControlRow, ...]
    control_why: str
    calibration: CalibrationView | None
    disturbance: Disturbance | None
    invalid: tuple[InvalidView, ...]
    runs: tuple[RunView, ...]
    published: PublishedView | None


def build_view(report: Report) -> ReportView:
    """The view of a whole report. Pure: the same report gives the same view."""
    concluded = conclusions(report)
    every = heads(report)
    return ReportView(
        study_view(report),
        concluded.verdicts,
        concluded.leading,
        concluded.more,
        headline(report),
        gate_view(report),
        every,
        variant_table(report),
        waterfalls(report, {head.id: head.hue for head in every}),
        tuple(dict.fromkeys(w.metric for w in report.waterfall)),
        hot_tables(report),
        flame_heads(report),
        difference_heads(report),
        classic_lists(report),
        limits(report),
        control_rows(report),
        visible(report.control.why or ""),
        calibration_view(report),
        disturbance(report),
        invalid_runs(report),
        runs(report),
        published_study(report),
    )


def script_data(report: Report) -> dict[str, Any]:
    """What the page's script needs beyond the tables: flame graphs, callers and callees, colours of categories."""
    labels = {c.key: visible(c.label) for c in report.categories}
    legend = [[hue, labels.get(key, visible(key))] for key, hue in hue_of(report).items() if hue]
    return {"flames": flame_data(report), "edges": edges(report), "legend": legend}
