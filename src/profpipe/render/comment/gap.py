"""The gaps as drawings that a phone shows, and in numbers."""

from __future__ import annotations

from profpipe.model.report import Report, Waterfall
from profpipe.render.comment.blocks import Block, drawing, paragraph, table
from profpipe.render.comment.escape_markdown import Md, md
from profpipe.render.content.waterfall import WaterfallText, first_waterfall, waterfall_text
from profpipe.render.text import cut

# Columns of a drawing: together some 38 characters, what a phone shows without scrolling.
LABEL, DELTA, BAR = 17, 9, 10


def first_gap(report: Report) -> list[Block]:
    """The widest gap of the first metric."""
    first = first_waterfall(report)
    return [] if first is None else _drawn(waterfall_text(report, first))


def other_gaps(report: Report) -> list[Block]:
    first = first_waterfall(report)
    return [b for w in _of_first_metric(report) if w is not first for b in _drawn(waterfall_text(report, w))]


def gap_numbers(report: Report) -> list[Block]:
    found = []
    for text in (waterfall_text(report, w) for w in _of_first_metric(report)):
        found += [
            paragraph("**{}** against {}", text.contender, text.baseline),
            table(
                [("category", False), ("baseline", True), ("contender", True), ("difference", True), ("share", True)],
                [
                    *([b.label, b.baseline, b.contender, b.delta, b.share] for b in text.bars),
                    [Md("**total**"), text.baseline_total, text.contender_total, md("**{}**", text.gap), ""],
                ],
            ),
        ]
    return found


def _of_first_metric(report: Report) -> list[Waterfall]:
    return [w for w in report.waterfall if w.metric == report.waterfall[0].metric]


def _drawn(text: WaterfallText) -> list[Block]:
    largest = max((abs(bar.value) for bar in text.bars), default=0.0)
    rows = [(text.baseline, text.baseline_total, "")]
    rows += [(bar.label, bar.delta, _bar(bar.value, largest)) for bar in text.bars]
    rows.append((text.contender, text.contender_total, ""))
    lines = [f"{cut(label, LABEL):<{LABEL}} {delta:>{DELTA}} {drawn}".rstrip() for label, delta, drawn in rows]
    return [paragraph("{}", text.sentence), drawing("\n".join(lines))]


def _bar(value: float, largest: float) -> str:
    length = round(abs(value) / largest * BAR) if largest else 0
    return ("▒" if value < 0 else "█") * length
