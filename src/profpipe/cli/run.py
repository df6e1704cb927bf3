"""`profpipe run` and `profpipe report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profpipe.cli.finished import finish
from profpipe.cli.options import CONFIG, JSON, REPORTS, measuring

if TYPE_CHECKING:
    from profpipe.pipeline.prepare.options import RunOptions


@click.command()
@click.argument("study", required=False)
@CONFIG
@REPORTS
@click.option("-t", "--target", "targets", multiple=True, help="only these targets (repeatable)")
@measuring(rounds="rounds of each instrument; default: the study's")
@JSON
@click.pass_context
def run(
    context: click.Context, study: str | None, config: Path | None, reports: Path, run: RunOptions, as_json: bool
) -> None:
    """Measure the variants of STUDY and write the report.

    Starts each target under each instrument, loads it, and compares the costs per request. Prints the verdict and the
    path of the report. The exit code is 1 when an instrument has no valid run of a variant; the report still shows
    the others. One profpipe measures on a machine at a time, unless PROFPIPE_ALONGSIDE=1 is set.
    """
    from profpipe.cli.progress import Progress
    from profpipe.pipeline.prepare.study import only_study, prepare
    from profpipe.pipeline.reporting.report import write_report
    from profpipe.pipeline.setup import load_study_file
    from profpipe.pipeline.whole_study import run_study

    loaded = load_study_file(config)
    name = study or only_study(loaded, "profpipe run")
    # A profiler runs in its own folder, where a relative path would name another place.
    reports = reports.absolute()
    with Progress() as progress, progress.reporting_a_stop():
        prepared = prepare(loaded, name, run)
        folder = run_study(prepared, loaded, reports, run.command(name, loaded.path.name), progress.show)
        progress.say("reading the captures and comparing")
        written = write_report(folder)
    context.exit(finish(written, as_json=as_json, reports=reports))


@click.command()
@click.argument("folder", metavar="FOLDER|STUDY")
@REPORTS
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="write the files here instead")
@JSON
@click.pass_context
def report(context: click.Context, folder: str, reports: Path, output: Path | None, as_json: bool) -> None:
    """Make the report again from the captures of a run folder, or of the newest run of a study.

    Starts no server and needs no profiler. A study that was stopped is reported with the runs that had ended.
    """
    from profpipe import store
    from profpipe.pipeline.reporting.report import write_report

    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    found = store.find_study_folder(reports, folder)
    written = write_report(found, output)
    # A run folder from elsewhere is not part of this history: `profpipe merge` joins those. Where the variants are
    # commits, `profpipe diff` has recorded them in their target's series, and a report does not name the target.
    commits = any(variant.commit for variant in written.report.variants)
    own = found.absolute().is_relative_to(reports.absolute()) and not commits
    files = replace(written, json=found / written.json.name)
    context.exit(finish(files, as_json=as_json, reports=reports if own else None))
