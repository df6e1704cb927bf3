"""What a comment folds away: the rest of the conclusions, hotspots, lists, invalid runs and conditions."""

from __future__ import annotations

from profpipe.model.report import Cell, FunctionRow, HotspotTable, MetricInfo, Report
from profpipe.render.comment.blocks import Block, bullets, paragraph, table
from profpipe.render.comment.escape_markdown import Md, code, md
from profpipe.render.comment.verdict import MACHINE, trust
from profpipe.render.content.classic import ClassicText, classic_lists
from profpipe.render.content.conclusions import ConclusionText, conclusions
from profpipe.render.content.hotspots import largest, metric_of
from profpipe.render.content.noise import ControlRow, control_rows
from profpipe.render.content.published_study import published_study
from profpipe.render.content.study import invalid_runs, limits, limits_of, study_text
from profpipe.render.content.variants import VariantHead, heads
from profpipe.render.text import NONE, PER, amount, per_what, share

# The most functions shown of one table.
FUNCTIONS = 15


def leading(report: Report) -> list[Block]:
    return bullets(_conclusion(item) for item in conclusions(report).leading)


def more(report: Report) -> list[Block]:
    found = conclusions(report)
    verdicts = (md("{} ({})", item.text, item.certainty) for item in found.verdicts[1:])
    return bullets([*verdicts, *(_conclusion(item) for item in found.more)])


def _conclusion(item: ConclusionText) -> Md:
    return md("**{}** ({}): {}", item.kind, item.certainty, item.text)


def invalid(report: Report) -> list[Block]:
    bad = [head for head in heads(report) if not head.valid]
    return bullets(
        [
            *(md("**{}** is not valid{}", head.label, f": {head.why}" if head.why else "") for head in bad),
            *(md("**{}**, {}: {}", run.variant, run.where, run.reason) for run in invalid_runs(report)),
        ]
    )


def hotspots(report: Report) -> list[Block]:
    return [block for found in report.hotspots for block in _hotspots(report, found)]


def _hotspots(report: Report, found: HotspotTable) -> list[Block]:
    metric = metric_of(report, found.metric)
    columns = [head for head in heads(report) if head.id in found.total]
    functions = [f for row in found.rows for f in row.functions]
    if metric.ranked:
        functions.sort(key=lambda f: -largest(f.cells.values()))
    noun, per = per_what(metric.label)
    source = f"{metric.instrument}, {metric.profiler}{'' if metric.ranked else '; not ranked'}"
    hidden = len(functions) - FUNCTIONS
    return [
        paragraph("**{} {}** ({})", noun, per or PER, source),
        table(
            [("function", False), *((head.label, True) for head in columns)],
            [_function(f, columns, metric) for f in functions[:FUNCTIONS]],
        ),
        *([paragraph("{} rows not shown", f"{hidden:,}")] if hidden > 0 else []),
        *bullets(md("{}", text) for text in limits_of(report, metric.profiler)),
    ]


def _function(row: FunctionRow, columns: list[VariantHead], metric: MetricInfo) -> list[object]:
    return [code(row.function.name), *(_cell(row.cells.get(head.id), metric) for head in columns)]


def _cell(cell: Cell | None, metric: MetricInfo) -> str:
    if cell is None or cell.self is None:
        return NONE
    part = share(cell.share) if metric.ranked and cell.self else ""
    return amount(cell.self, metric.unit) + (f" ({part})" if part else "")


def classic(report: Report) -> list[Block]:
    return [block for found in classic_lists(report) for block in _classic(found)]


def _classic(found: ClassicText) -> list[Block]:
    rows = [code(f"{row.value} ({row.share}) {row.place}") for row in found.rows]
    return [
        paragraph("**{}**, {}: {} in the whole window", found.variant, found.metric, found.total),
        *bullets([*rows, md("{}", found.rest)]),
    ]


def published(report: Report) -> list[Block]:
    found = published_study(report)
    if found is None:
        return []
    head = [("row", True), ("what", False), ("published", False), ("here", False), ("verdict", False)]
    rows = [
        [row.number, row.what, row.post, row.ours, row.verdict + (f": {row.why}" if row.why else "")]
        for row in found.rows
    ]
    return [paragraph("{}", found.counts), table(head, rows)]


def published_title(report: Report) -> str:
    found = published_study(report)
    return found.title if found else ""


def conditions(report: Report) -> list[Block]:
    """Of two commits: how sure the figures are, the load, the place and the machine."""
    study = study_text(report)
    machine = ", ".join(f"{key} {value}" for key, value in study.environment if key in MACHINE)
    stated = [("load", study.load), ("placement", study.placement), ("machine", machine)]
    return bullets(
        [
            *(md("{}", text) for text in trust(report)),
            *(md("{}", _control(row)) for row in control_rows(report)),
            *(md("left out: **{}**, {}", target, reason) for target, reason in study.left_out),
            *(md("{}: {}", name, text) for name, text in stated if text),
        ]
    )


def method(report: Report) -> list[Block]:
    study = study_text(report)
    stated = [("load", study.load), ("placement", study.placement)]
    return [
        *bullets(
            [
                *(md("{}", text) for text in trust(report)),
                *(md("{}", _control(row)) for row in control_rows(report)),
                *(md("**{}**: {}", limit.profiler, "; ".join(limit.texts)) for limit in limits(report)),
                *(md("left out: **{}**, {}", target, reason) for target, reason in study.left_out),
                *(md("{}: {}", name, text) for name, text in stated if text),
                *(md("{}: {}", key, code(value)) for key, value in study.environment),
            ]
        ),
        *([paragraph("Made with {}", code(study.command))] if study.command else []),
    ]


def _control(row: ControlRow) -> str:
    ends = f" ({row.interval})" if row.interval else ""
    detectable = f", detectable floor {row.detectable}" if row.detectable else ""
    return f"A/A control: {row.label} {row.ratio}{ends}{detectable}"
