"""From a run folder to report.json, report.html and comment.md; runs again on old captures with no server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe import store
from profpipe.errors import ProfpipeError, ReportError
from profpipe.model.profile import Profile
from profpipe.model.report import Report
from profpipe.model.run import CaptureFile, RunRecord
from profpipe.model.upgrade import SCHEMAS, validated_report
from profpipe.pipeline.reporting.calibration_file import calibration_of
from profpipe.pipeline.reporting.changed_lines import with_commit_changes
from profpipe.pipeline.reporting.gate import GateRule, gate

REPORT_JSON, REPORT_HTML, COMMENT = "report.json", "report.html", "comment.md"


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """A finished report and where its files are."""

    report: Report
    html: Path
    json: Path
    comment: Path
    unmeasured: tuple[tuple[str, str], ...] = ()  # (variant, profiler) without a single valid run, refusals apart


def write_report(folder: Path, output: Path | None = None, rules: Sequence[GateRule] = ()) -> ReportFiles:
    """Parse, compare, conclude, render into `output`, the run folder itself when None.

    `rules` = the gate, whose outcome stands in the report. Raises StoreError or ReportError; files are whole or absent.
    """
    report, unmeasured = build_report(folder)
    if rules:
        report = report.model_copy(update={"gate": gate(report, rules)})
    return replace(render(report, output or folder), unmeasured=unmeasured)


def build_report(folder: Path) -> tuple[Report, tuple[tuple[str, str], ...]]:
    """The Report of a run folder, and the (variant, profiler) pairs that have no valid run.

    A capture that cannot be read makes its run invalid, the others stay.
    """
    from profpipe.analyse import RunData, StudyData, build_report
    from profpipe.reference.registry import NAME_STYLES

    study = store.read_study(folder)
    commands = {v.id: v.command for v in study.variants}
    # The command of profpipe.toml makes a run again; the executed one holds a port and paths of this machine.
    runs = [
        RunData(replace(r, command=commands.get(r.variant, ())), profiles)
        for r, profiles in load_runs(folder, study.checkout)
    ]
    report = build_report(
        StudyData(
            record=study,
            runs=tuple(runs),
            calibration=calibration_of(folder.parent.parent, study.study, study.environment),
            classic_name=NAME_STYLES.get(study.name_style).name if study.name_style else None,
        )
    )
    if study.reference:
        report = _beside_published(report, study.reference, folder)
    return with_commit_changes(report, folder), _unmeasured([run.record for run in runs])


def load_runs(folder: Path, checkout: str = "") -> tuple[tuple[RunRecord, tuple[Profile, ...]], ...]:
    """Every run of a folder that has ended, with what was read of its captures. Raises ReportError without one.

    `checkout` = a folder that no code of these runs may come from; a run that it does come from is invalid.
    """
    runs = tuple(_profiles(stored, checkout) for stored in store.read_runs(folder))
    if not runs:
        raise ReportError(f"{folder}: no run has ended yet, so there is nothing to report")
    return runs


def _beside_published(report: Report, reference: str, folder: Path) -> Report:
    """The report with the rows of a published study, and of our newest related report among the same reports."""
    from profpipe.reference.registry import STUDIES, set_beside

    related = None
    if name := STUDIES.get(reference).related:
        try:
            related = load_report(store.find_study_folder(folder.parent.parent, name) / REPORT_JSON)
        except ProfpipeError:
            related = None
    return set_beside(report, reference, related)


def _unmeasured(records: Sequence[RunRecord]) -> tuple[tuple[str, str], ...]:
    """Pairs that should have been measured and were not, not even once; a blind spot found out is no failure."""
    pairs = dict.fromkeys((r.variant, r.profiler) for r in records if not r.control)
    seen = {(r.variant, r.profiler) for r in records if not r.control and (r.valid or r.refused)}
    return tuple(pair for pair in pairs if pair not in seen)


def _profiles(stored: store.StoredRun, checkout: str = "") -> tuple[RunRecord, tuple[Profile, ...]]:
    """A run with what was read of its captures; invalid, with phase parse, when that is not what the run left."""
    from profpipe.parse import parse_files

    record = stored.record
    if not record.valid:
        return record, ()
    by_format: dict[str, list[Path]] = {}
    try:
        for file in record.captures:
            _check_unchanged(stored.folder / file.path, file)
            by_format.setdefault(file.format, []).append(stored.folder / file.path)
        profiles = tuple(parse_files(paths, name) for name, paths in by_format.items())
    except (ProfpipeError, OSError) as error:
        text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        text = text.replace(f"{stored.folder}/", "")
        return replace(record, reason=f"its capture cannot be read: {text}", phase="parse"), ()
    for profile in profiles:
        if profile.meta.partial:
            return replace(record, reason=f"its capture is not whole: {profile.meta.partial}", phase="parse"), ()
        if strange := _code_of(checkout, profile):
            return replace(record, reason=strange, phase="parse"), ()
    return record, profiles


def _code_of(checkout: str, profile: Profile) -> str | None:
    """Why a profile is not that of its commit: an editable install runs the checkout's code, whatever is asked for."""
    from profpipe.analyse.names.source_paths import in_packages

    inside = f"{checkout}/"
    found = next((f for f in profile.functions.file if checkout and f.startswith(inside) and not in_packages(f)), None)
    if found is None:
        return None
    return (
        f"it ran {found.removeprefix(inside)} of the checkout, not of the commit (an editable install?): "
        "let the target's command or env find the code beside profpipe.toml first"
    )


def _check_unchanged(path: Path, file: CaptureFile) -> None:
    """Stacks cut at the end of a line still read well: only size and digest tell that some are missing."""
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            size = opened.tell()
    except FileNotFoundError as error:
        raise ReportError(f"{file.path} is not there any more") from error
    if digest != file.sha256:
        was = f"it has {size:,} bytes instead of {file.size:,}" if size != file.size else "its SHA-256 is another"
        raise ReportError(f"{file.path} was changed after the run: {was}")


def render(report: Report, folder: Path) -> ReportFiles:
    """Write the three files of a report into the folder."""
    from profpipe.render.comment.markdown import render_comment
    from profpipe.render.page.html import render_page

    written = ReportFiles(report, folder / REPORT_HTML, folder / REPORT_JSON, folder / COMMENT)
    page, comment = render_page(report), render_comment(report)
    store.write_together({written.json: report_json(report), written.html: page, written.comment: comment})
    return written


def report_json(report: Report) -> str:
    """report.json's text: keys in the schema's order, one line per part would not diff better and be much larger."""
    return json.dumps(report.model_dump(mode="json", by_alias=True), ensure_ascii=False, separators=(",", ":")) + "\n"


def load_report(path: Path) -> Report:
    """Read report.json back. Raises ReportError naming the first thing that is not as the schema says."""
    from pydantic import ValidationError

    try:
        return validated_report(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReportError(f"{path}: {where}: {first['msg']}; this version reads {' and '.join(SCHEMAS)}") from error
