"""A published study beside this one, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import ReferenceInfo, Report
from profpipe.render.text import visible

VERDICTS = {"kept": "v-same", "differs": "v-unsure", "corrected": "v-better", "not measured": "v-unsure"}
LONG = 2000
# Reports older than `reference` have the rows without the words about them.
UNNAMED = ReferenceInfo(key="", title="A published study, line by line", about="This study redoes a published one.")


@dataclass(frozen=True, slots=True)
class PublishedRow:
    number: str
    what: str
    post: str
    ours: str
    verdict: str
    css: str
    why: str


@dataclass(frozen=True, slots=True)
class PublishedView:
    """`counts` = the number of rows of each verdict, in words."""

    title: str
    about: str
    counts: str
    rows: tuple[PublishedRow, ...]


def published_study(report: Report) -> PublishedView | None:
    """The section of a report that has rows of a published study."""
    if not report.seed_table:
        return None
    words = report.reference or UNNAMED
    many = {verdict: sum(row.verdict == verdict for row in report.seed_table) for verdict in VERDICTS}
    return PublishedView(
        title=visible(words.title, limit=LONG),
        about=visible(words.about, limit=LONG),
        counts=", ".join(f"{number} {verdict}" for verdict, number in many.items() if number),
        rows=tuple(
            PublishedRow(
                number=str(row.number),
                what=visible(row.what, limit=LONG),
                post=visible(row.post, limit=LONG),
                ours=visible(row.ours, limit=LONG),
                verdict=row.verdict,
                css=VERDICTS[row.verdict],
                why=visible(row.why, limit=LONG),
            )
            for row in report.seed_table
        ),
    )
