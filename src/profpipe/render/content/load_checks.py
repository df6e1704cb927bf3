"""What was checked of the loads, in words."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import Check, Report
from profpipe.render.text import Chip

PASSED, FAILED = Chip("better", "passed", ""), Chip("worse", "failed", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One check: `chip` says how it ended, None where it could not be made."""

    title: str
    words: str
    chip: Chip | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadChecks:
    """`summary` = "9 of 9 checks"; the rows that failed come first, those that could not be made last."""

    summary: str
    rows: tuple[CheckRow, ...]

    @property
    def failed(self) -> tuple[CheckRow, ...]:
        return tuple(row for row in self.rows if row.chip is FAILED)


def load_checks(report: Report) -> LoadChecks | None:
    """The audit of the loads; None where the report has none."""
    if report.audit is None:
        return None
    ordered = sorted(report.audit.checks, key=lambda check: (check.passed is not False, check.passed is None))
    return LoadChecks(summary=report.audit.words, rows=tuple(map(_row, ordered)))


def _row(check: Check) -> CheckRow:
    chip = None if check.passed is None else PASSED if check.passed else FAILED
    return CheckRow(title=check.title, words=check.words, chip=chip)
