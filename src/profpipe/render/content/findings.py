"""What a reviewer should see on the changed lines themselves: the functions that became more expensive."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import ChangedLines, FunctionRow, MetricInfo, Report, Variant
from profpipe.render.content.change import change, plain, two_commits
from profpipe.render.content.function_words import called_as
from profpipe.render.text import PER, per_what, signed_amount

# GitHub takes 50 annotations at a time; a reviewer reads a few.
MOST = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """A regression on lines of the head commit. `first` and `last` count from 1."""

    path: str
    first: int
    last: int
    title: str
    text: str


def findings(report: Report) -> tuple[Finding, ...]:
    """Of two commits whose cost is worse: the function of the first sentence, then others that became more expensive.

    Only functions in which a changed line ran, on lines that the head commit has. A file outside of the repository is
    none that a forge could show.
    """
    pair, found = two_commits(report), change(report, "This change")
    if pair is None or found is None or found.contender.against_baseline[found.figure.key].verdict != "worse":
        return ()
    named = found.culprit.row if found.culprit is not None else ""
    rows = [
        (row.id != named, -_more(row, pair[0].id, pair[1].id), row, metric) for metric, row in _worse(report, pair[1])
    ]
    out: dict[tuple[str, int], Finding] = {}
    for _, _, row, metric in sorted(rows, key=lambda item: (item[0], item[1], item[2].id)):
        lines = _shown(row, pair[1].id)
        if lines is None:
            continue
        first, last = lines.added[0]
        text = plain(found.sentence) if row.id == named else _text(row, metric, pair[0].id, pair[1].id)
        out.setdefault((lines.file, first), Finding(lines.file, first, last, _title(row), text))
    return tuple(out.values())[:MOST]


def _worse(report: Report, contender: Variant) -> list[tuple[MetricInfo, FunctionRow]]:
    known = {metric.key: metric for metric in report.metrics if metric.ranked}
    named = change(report, "")
    culprit = named.culprit.row if named is not None and named.culprit is not None else ""
    return [
        (known[table.metric], row)
        for table in report.hotspots
        if table.metric in known
        for category in table.rows
        for row in category.functions
        if row.id == culprit or (contender.id in row.cells and row.cells[contender.id].verdict == "worse")
    ]


def _shown(row: FunctionRow, contender: str) -> ChangedLines | None:
    for lines in row.changes.get(contender, ()):
        path = lines.file
        if lines.certainty == "measured" and lines.added and not path.startswith("/") and ".." not in path.split("/"):
            return lines
    return None


def _more(row: FunctionRow, baseline: str, contender: str) -> float:
    before, after = row.cells.get(baseline), row.cells.get(contender)
    return ((after.self if after else None) or 0.0) - ((before.self if before else None) or 0.0)


def _title(row: FunctionRow) -> str:
    return f"{called_as(row.function.name)} became more expensive"


def _text(row: FunctionRow, metric: MetricInfo, baseline: str, contender: str) -> str:
    noun, per = per_what(metric.label)
    more = signed_amount(_more(row, baseline, contender), metric.unit)
    return f"{called_as(row.function.name)}: {more} {noun} {per or PER}, by itself."
