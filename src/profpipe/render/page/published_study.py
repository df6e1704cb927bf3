"""An earlier study beside this one, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import Report
from profpipe.render.text import visible

VERDICTS = {"kept": "v-same", "differs": "v-unsure", "corrected": "v-better", "not measured": "v-unsure"}
LONG = 2000


@dataclass(frozen=True, slots=True)
class SeedRowView:
    number: str
    what: str
    post: str
    ours: str
    verdict: str
    css: str
    why: str


@dataclass(frozen=True, slots=True)
class SeedView:
    """`counts` = how many rows there are of each verdict, in words."""

    rows: tuple[SeedRowView, ...]
    counts: str


def seed_view(report: Report) -> SeedView | None:
    """The table of a report that has one."""
    if not report.seed_table:
        return None
    rows = tuple(
        SeedRowView(
            str(row.number),
            visible(row.what, limit=LONG),
            visible(row.post, limit=LONG),
            visible(row.ours, limit=LONG),
            row.verdict,
            VERDICTS[row.verdict],
            visible(row.why, limit=LONG),
        )
        for row in report.seed_table
    )
    many = {word: sum(row.verdict == word for row in rows) for word in VERDICTS}
    return SeedView(rows, ", ".join(f"{number} {word}" for word, number in many.items() if number))
