"""Flame graphs for the page's script: preorder columns packed as typed arrays, nothing left out.

All graphs of a page share one table of frames, so that the page can lay two of them over each other by number: the
differential graph of a baseline and a contender is computed there and costs no byte here.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from profpipe.model.report import Flame, Report
from profpipe.render.content.variants import labels
from profpipe.render.page.colours import hue_of, legend
from profpipe.render.page.interface import Section
from profpipe.render.text import anchor, cut, per_what

# 7 to 10 bytes a node before, 2 to 5 after, measured on perf stacks and on generated trees of 1,000,000 nodes; higher
# levels of zlib save 2 % more and take five times as long.
LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FlameHead:
    """What the page says of a graph before its script draws it. `contender` is empty for the graph of one variant."""

    id: str
    variant: str
    contender: str
    metric: str
    nodes: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Indices of a baseline's and a contender's graph of one metric in `Report.flames`."""

    id: str
    baseline: int
    contender: int


@dataclass(frozen=True, slots=True)
class FlameView:
    """A graph per variant and metric, and the differences that can be drawn of them."""

    graphs: tuple[FlameHead, ...]
    differences: tuple[FlameHead, ...]


def flame_view(report: Report) -> FlameView | None:
    """None where no profiler recorded stacks."""
    return FlameView(flame_heads(report), difference_heads(report)) if report.flames else None


def flame_heads(report: Report) -> tuple[FlameHead, ...]:
    """The graph of every variant, in the order of the report."""
    who, metrics = labels(report), _metrics(report)
    return tuple(
        FlameHead(
            id=flame_id(flame),
            variant=who.get(flame.variant, flame.variant),
            contender="",
            metric=metrics.get(flame.metric, flame.metric),
            nodes=f"{len(flame.function):,} frames",
        )
        for flame in report.flames
    )


def difference_heads(report: Report) -> tuple[FlameHead, ...]:
    """The differences that can be drawn: baseline against each contender that has a graph of the same metric."""
    who, metrics = labels(report), _metrics(report)
    found = []
    for pair in pairs(report):
        first, second = report.flames[pair.baseline], report.flames[pair.contender]
        found.append(
            FlameHead(
                id=pair.id,
                variant=who.get(first.variant, first.variant),
                contender=who.get(second.variant, second.variant),
                metric=metrics.get(first.metric, first.metric),
                nodes=f"{len(first.function):,} and {len(second.function):,} frames laid over each other",
            )
        )
    return tuple(found)


def _metrics(report: Report) -> dict[str, str]:
    return {m.key: f"{per_what(m.label)[0]} ({m.profiler})" for m in report.metrics}


def flame_id(flame: Flame) -> str:
    return anchor("flame", flame.metric, flame.variant)


def pairs(report: Report) -> tuple[Pair, ...]:
    """Baseline and contender of every difference, by metric, in the order of the report."""
    place = {(flame.metric, flame.variant): index for index, flame in enumerate(report.flames)}
    baseline = next((v.id for v in report.variants if v.role == "baseline"), report.study.baseline)
    contenders = {v.id for v in report.variants if v.role == "contender"}
    return tuple(
        Pair(anchor("diff", flame.metric, flame.variant), place[flame.metric, baseline], index)
        for index, flame in enumerate(report.flames)
        if flame.variant in contenders and (flame.metric, baseline) in place
    )


def flame_data(report: Report) -> dict[str, Any]:
    """`names`, `kind`, `category`, `hue` = one entry per frame of all graphs; `graphs` in the report's order; `pairs`.

    A frame is a name and its runtime; frames are in the order of their names, so that children drawn by number are
    drawn by name. `columns` is base64 of zlib of own (f4), then frame (u2 or u4), then depth (u1, u2 or u4), all
    little-endian, `nodes` of each; `width` holds the bytes of a frame and of a depth.
    """
    frames = sorted({pair for flame in report.flames for pair in zip(flame.names, flame.name_kind, strict=True)})
    place = {frame: index for index, frame in enumerate(frames)}
    hues = hue_of(report)
    category = {f.function.name: row.category for table in report.hotspots for row in table.rows for f in row.functions}
    names = {c.key: c.label for c in report.categories}
    keys = [category.get(name, "") for name, _ in frames]
    units = {m.key: m.unit for m in report.metrics}
    return {
        "names": [cut(name, 240) for name, _ in frames],
        "kind": [kind for _, kind in frames],
        "category": [names.get(key, "") for key in keys],
        "hue": [hues.get(key, 0) if key else -1 for key in keys],
        "graphs": [{"id": flame_id(f), "unit": units.get(f.metric, "1"), **_packed(f, place)} for f in report.flames],
        "pairs": [{"id": p.id, "baseline": p.baseline, "contender": p.contender} for p in pairs(report)],
    }


def _packed(flame: Flame, place: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    mine = np.array([place[frame] for frame in zip(flame.names, flame.name_kind, strict=True)], dtype=np.uint32)
    function = mine[np.asarray(flame.function, dtype=np.int64)] if len(mine) else mine
    depth = np.asarray(flame.depth, dtype=np.int64)
    frame_type = np.dtype("<u2" if len(place) <= 0x10000 else "<u4")
    deepest = int(depth.max(initial=0))
    depth_type = np.dtype("u1" if deepest <= 0xFF else "<u2" if deepest <= 0xFFFF else "<u4")
    columns = (np.asarray(flame.own, dtype="<f4"), function.astype(frame_type), depth.astype(depth_type))
    packed = zlib.compress(b"".join(column.tobytes() for column in columns), LEVEL)
    return {
        "nodes": len(flame.function),
        "width": [frame_type.itemsize, depth_type.itemsize],
        "columns": base64.b64encode(packed).decode("ascii"),
    }


def script(report: Report) -> dict[str, Any]:
    """The graphs, and the categories by colour."""
    return {"flames": flame_data(report), "legend": legend(report)}


SECTION = Section(
    key="flames", title="Flame graphs", template="_flames.html.j2", view=flame_view, script=script, shows=("flames",)
)
