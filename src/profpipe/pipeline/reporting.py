"""From a run folder to report.json, report.html and comment.md; runs again on old captures with no server."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe import store
from profpipe.errors import ProfpipeError, ReportError
from profpipe.model.profile import Profile
from profpipe.model.report import Report
from profpipe.model.run import RunRecord

REPORT_JSON, REPORT_HTML, COMMENT = "report.json", "report.html", "comment.md"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished report and where its files are."""

    report: Report
    html: Path
    json: Path
    comment: Path


def write_report(folder: Path) -> Written:
    """Parse, compare, conclude, render. Raises StoreError or ReportError; files are whole or absent."""
    return render(build_report(folder), folder)


def build_report(folder: Path) -> Report:
    """The Report of a run folder. A capture that cannot be read makes its run invalid, the others stay."""
    from profpipe.analyse import RunData, StudyData, build_report
    from profpipe.study.schema import CategoryRule

    study = store.read_study(folder)
    runs = []
    for stored in store.read_runs(folder):
        record, profiles = _profiles(stored)
        runs.append(RunData(record, profiles))
    if not runs:
        raise ReportError(f"{folder}: no run has ended yet, so there is nothing to report")
    return build_report(
        StudyData(
            study=study.study,
            question=study.question,
            baseline=study.baseline,
            contenders=tuple(v.id for v in study.variants if v.id != study.baseline),
            runs=tuple(runs),
            instruments=study.kinds,
            rounds=study.rounds,
            labels={v.id: v.label for v in study.variants},
            languages={v.id: v.language for v in study.variants},
            left_out=study.left_out,
            load=study.load,
            placement=study.placement,
            command=study.command,
            environment=study.environment,
            created=study.created,
            profpipe=study.profpipe,
            limits=study.limits,
            categories=tuple(CategoryRule.model_validate(rule) for rule in study.categories),
        )
    )


def _profiles(stored: store.StoredRun) -> tuple[RunRecord, tuple[Profile, ...]]:
    from profpipe.parse import parse_files

    record = stored.record
    by_format: dict[str, list[Path]] = {}
    for file in record.captures:
        by_format.setdefault(file.format, []).append(stored.folder / file.path)
    if not record.valid:
        return record, ()
    try:
        profiles = tuple(parse_files(paths, name) for name, paths in by_format.items())
    except (ProfpipeError, OSError) as error:
        return replace(record, reason=f"its capture cannot be read: {error}", phase="parse"), ()
    for profile in profiles:
        if profile.meta.partial:
            return replace(record, reason=f"its capture is not whole: {profile.meta.partial}", phase="parse"), ()
    return record, profiles


def render(report: Report, folder: Path) -> Written:
    """Write the three files of a report into the folder."""
    from profpipe.render.html import render_page
    from profpipe.render.markdown import render_comment

    written = Written(report, folder / REPORT_HTML, folder / REPORT_JSON, folder / COMMENT)
    page, comment = render_page(report), render_comment(report)
    store.write_whole(written.json, report_json(report))
    store.write_whole(written.html, page)
    store.write_whole(written.comment, comment)
    return written


def report_json(report: Report) -> str:
    """report.json's text: keys in the schema's order, one line per part would not diff better and be much larger."""
    return json.dumps(report.model_dump(mode="json", by_alias=True), ensure_ascii=False, separators=(",", ":")) + "\n"


def load_report(path: Path) -> Report:
    """Read report.json back. Raises ReportError naming the first thing that is not as the schema says."""
    from pydantic import ValidationError

    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReportError(f"{path}: {where}: {first['msg']}; this version reads schema profpipe.report/1") from error
