"""What a report takes from the published study it redoes: the way names are written, and the published statements.

Either may come from another package. Where one cannot be used, or raises, the report says so and has everything else.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from profpipe import store
from profpipe.analyse import StudyData, build_report
from profpipe.errors import PartFailed, ProfpipeError, UsageError
from profpipe.model.report import Conclusion, Report
from profpipe.pipeline.reporting.report_files import REPORT_JSON, load_report
from profpipe.reference.registry import STUDIES, name_in_style, set_beside


def analysed(data: StudyData, style: str) -> Report:
    """The report of a study, its raw lists with names in that style; "" = as the capture has them."""
    if not style:
        return build_report(data)
    try:
        return build_report(replace(data, classic_name=name_in_style(style)))
    except (PartFailed, UsageError) as error:
        return _with_caution(build_report(data), "name-style", f"The raw lists have names as captured: {error}.")


def beside_published(report: Report, reference: str, folder: Path) -> Report:
    """The report with the rows of a published study, and of the newest report of its related study, if there is one.

    "" = of none.
    """
    if not reference:
        return report
    try:
        return set_beside(report, reference, _related(reference, folder))
    except (PartFailed, UsageError) as error:
        text = f"The report is not compared with the published study it names: {error}."
        return _with_caution(report, "published-study", text)


def _related(reference: str, folder: Path) -> Report | None:
    study = STUDIES.get(reference)
    with STUDIES.blaming(reference):
        name = study.related
    if not name:
        return None
    try:
        return load_report(store.find_study_folder(folder.parent.parent, name) / REPORT_JSON)
    except ProfpipeError:
        return None


def _with_caution(report: Report, rule: str, text: str) -> Report:
    caution = Conclusion(id=f"{rule}-failed", rule=f"{rule}-failed", text=text, certainty="measured", kind="caution")
    return report.model_copy(update={"conclusions": (*report.conclusions, caution)})
