"""A published study next to this one, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import ReferenceInfo, Report

VERDICTS = {"kept": "v-same", "differs": "v-unsure", "corrected": "v-better", "not measured": "v-unsure"}
# Reports older than `reference` have the rows without the words about them.
UNNAMED = ReferenceInfo(key="", title="A published study, line by line", about="This study redoes a published one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    number: str
    what: str
    post: str
    ours: str
    verdict: str
    css: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedStudy:
    """`counts` = the number of rows of each verdict, in words."""

    title: str
    about: str
    counts: str
    rows: tuple[PublishedRow, ...]


def published_study(report: Report) -> PublishedStudy | None:
    """None where the study names no published one."""
    if not report.seed_table:
        return None
    words = report.reference or UNNAMED
    many = {verdict: sum(row.verdict == verdict for row in report.seed_table) for verdict in VERDICTS}
    return PublishedStudy(
        title=words.title,
        about=words.about,
        counts=", ".join(f"{number} {verdict}" for verdict, number in many.items() if number),
        rows=tuple(
            PublishedRow(
                number=str(row.number),
                what=row.what,
                post=row.post,
                ours=row.ours or "not measured",
                verdict=row.verdict,
                css=VERDICTS[row.verdict],
                why=row.why,
            )
            for row in report.seed_table
        ),
    )
