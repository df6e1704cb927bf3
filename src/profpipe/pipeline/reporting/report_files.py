"""The three files of a report: rendered, written together, and report.json read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profpipe import store
from profpipe.credentials import hide, hide_words
from profpipe.errors import ReportError, first_fault
from profpipe.model.consistency import contradiction
from profpipe.model.report import Report
from profpipe.model.texts import with_texts
from profpipe.model.upgrade import SCHEMAS, validated_report

REPORT_JSON, REPORT_HTML, COMMENT = "report.json", "report.html", "comment.md"


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """A finished report and its files; `unmeasured` = (variant, profiler) pairs without a valid run, no refusals."""

    report: Report
    html: Path
    json: Path
    comment: Path
    unmeasured: tuple[tuple[str, str], ...] = ()


def without_credentials(report: Report, secrets: Sequence[str] = ()) -> Report:
    """The report with `hide` applied to every text; names of fields and keys of metrics stay."""
    return with_texts(report, lambda text: hide(text, secrets), lambda words: hide_words(words, secrets))


def render(report: Report, folder: Path) -> ReportFiles:
    """Write the three files of a report into the folder, without what has the form of a credential."""
    from profpipe.render.comment.markdown import render_comment
    from profpipe.render.page.html import render_page

    report = without_credentials(report)
    written = ReportFiles(report, folder / REPORT_HTML, folder / REPORT_JSON, folder / COMMENT)
    page, comment = render_page(report), render_comment(report)
    store.write_together({written.json: report_json(report), written.html: page, written.comment: comment})
    return written


def report_json(report: Report) -> str:
    """The text of report.json: one line, keys in the order of the schema. Indented, it would be much larger."""
    return json.dumps(report.model_dump(mode="json", by_alias=True), ensure_ascii=False, separators=(",", ":")) + "\n"


def load_report(path: Path) -> Report:
    """Read report.json. Raises ReportError naming the first place that does not follow the schema."""
    from pydantic import ValidationError

    try:
        report = validated_report(store.read_file(path))
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise ReportError(f"{path}: {first_fault(error)}; this version reads {' and '.join(SCHEMAS)}") from error
    if (why := contradiction(report)) is not None:
        raise ReportError(f"{path}: contradicts itself: {why}; make it again with `profpipe report`")
    return report


def find_report(name: str, reports: Path) -> Path:
    """The report.json that `name` means: a file, a folder with one, or the newest run of a study.

    Raises StoreError or ReportError when there is none.
    """
    given = Path(name)
    if given.is_file():
        return given
    if (given / REPORT_JSON).is_file():
        return given / REPORT_JSON
    folder = store.find_study_folder(reports, name)
    if not (folder / REPORT_JSON).is_file():
        raise ReportError(f"{folder}: no {REPORT_JSON} yet; create it with: profpipe report {folder}")
    return folder / REPORT_JSON
