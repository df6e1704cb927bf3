"""The one number a reader takes away: the figure that the verdict rests on, of the contender it speaks of first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from profpipe.model.metric_keys import OF_LOAD
from profpipe.model.report import Comparison, Conclusion, Report
from profpipe.render.content.figures import Figure, figures, label_per
from profpipe.render.text import Chip, compared, detectable_words


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineNumber:
    """`ratio` of a contender to the baseline, `words` for what it is of, its interval and what was too small to see."""

    ratio: str
    chip: Chip | None
    words: str
    interval: str
    detectable: str


def headline_figure(report: Report) -> Figure | None:
    """The figure the verdict rests on; else the one that the first waterfall explains; else the first shared one.

    None when no figure is known of two variants.
    """
    every = {figure.key: figure for figure in figures(report)}
    verdict = _verdict(report)
    paths = " ".join(row.path for row in verdict.rows) if verdict else ""
    wanted = [key for key in every if key not in OF_LOAD and key in paths]
    wanted += [*(w.metric for w in report.waterfall), *sorted(every, key=OF_LOAD.__contains__)]
    for key in wanted:
        figure = every.get(key)
        if figure is not None and sum(series.median is not None for series in figure.series.values()) > 1:
            return figure
    return None


def headline_number(report: Report, figure: Figure) -> HeadlineNumber | None:
    """Of the contender the verdict speaks of first; else of the one furthest from the baseline."""
    verdict = _verdict(report)
    known = {
        v.id: (v, figure.against[v.id])
        for v in report.variants
        if v.role == "contender" and v.id in figure.against and figure.against[v.id].ratio is not None
    }
    baseline = next((v for v in report.variants if v.role == "baseline"), None)
    if not known or baseline is None:
        return None
    named = [v for v in (_named(report, row.path) for row in verdict.rows) if v in known] if verdict else []
    variant, comparison = known[named[0]] if named else max(known.values(), key=lambda item: _distance(item[1]))
    ratio, interval, chip = compared(comparison)
    return HeadlineNumber(
        ratio=ratio,
        chip=chip,
        words=f"{label_per(figure)}: {variant.label} against {baseline.label}",
        interval=interval,
        detectable=detectable_words(comparison, figure.resolution),
    )


def _verdict(report: Report) -> Conclusion | None:
    return max((c for c in report.conclusions if c.kind == "verdict"), key=lambda c: c.weight, default=None)


def _named(report: Report, path: str) -> str:
    found = re.match(r"variants[.[](\d+)", path)
    place = int(found.group(1)) if found else len(report.variants)
    return report.variants[place].id if place < len(report.variants) else ""


def _distance(comparison: Comparison) -> float:
    ratio = comparison.ratio or 1.0
    return max(ratio, 1 / ratio) if ratio > 0 else 0.0
