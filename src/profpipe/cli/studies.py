"""`profpipe run` and `profpipe report`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from profpipe.cli.part_names import GENERATOR
from profpipe.errors import EXIT_ERROR, EXIT_OK

if TYPE_CHECKING:
    from profpipe.pipeline.reporting.report import ReportFiles

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="the study file; default: the nearest profpipe.toml",
)
REPORTS = click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="where run folders go",
)
JSON = click.option("--json", "as_json", is_flag=True, help="print the result as JSON")


@click.command()
@click.argument("study", required=False)
@CONFIG
@REPORTS
@click.option("-t", "--target", "targets", multiple=True, help="only these targets (repeatable)")
@click.option("-p", "--profiler", "profilers", multiple=True, help="only these instruments (repeatable)")
@click.option("-r", "--rounds", type=click.IntRange(1, 1000), help="rounds of every instrument")
@click.option("-n", "--requests", type=click.IntRange(1, 100_000_000), help="requests per run")
@click.option("--generator", type=GENERATOR, help="the load generator")
@JSON
@click.pass_context
def run(
    context: click.Context,
    study: str | None,
    config: Path | None,
    reports: Path,
    targets: tuple[str, ...],
    profilers: tuple[str, ...],
    rounds: int | None,
    requests: int | None,
    generator: str | None,
    as_json: bool,
) -> None:
    """Measure the variants of STUDY and write the report.

    Starts every target under every instrument, loads it, and compares. Prints the verdict and the report's path.
    Exit code 1 when an instrument has no valid run of a variant; the others are reported all the same.
    """
    from profpipe.cli.progress import Progress
    from profpipe.pipeline.measure.running_study import run_study
    from profpipe.pipeline.prepare.options import RunOptions
    from profpipe.pipeline.prepare.study import only_study, prepare
    from profpipe.pipeline.reporting.report import write_report
    from profpipe.pipeline.setup import load_study_file

    loaded = load_study_file(config)
    name = study or only_study(loaded, "profpipe run")
    options = RunOptions(targets, profilers, rounds, requests, generator)
    # A profiler runs in its own folder: a relative path would mean another place to it.
    reports = reports.absolute()
    with Progress() as progress:
        prepared = prepare(loaded, name, options)
        try:
            folder = run_study(prepared, loaded, reports, options.command(name, loaded.path.name), progress.show)
            progress.say("reading the captures and comparing")
            written = write_report(folder)
        except BaseException:
            progress.cut_short()
            raise
    context.exit(finish(written, as_json, reports))


@click.command()
@click.argument("folder", metavar="FOLDER|STUDY")
@REPORTS
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="write the files here instead")
@JSON
@click.pass_context
def report(context: click.Context, folder: str, reports: Path, output: Path | None, as_json: bool) -> None:
    """Make the report again from captures: of a run folder, or of the newest run of a study.

    Starts no server and needs none of the profilers. A study that was stopped is reported with the runs that ended.
    """
    from profpipe import store
    from profpipe.pipeline.reporting.report import write_report

    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    found = store.find_study_folder(reports, folder)
    written = write_report(found, output)
    # A run folder from elsewhere is no part of this history: `profpipe merge` joins those. Where variants are commits,
    # `profpipe diff` has kept them as points of their target's series, which a report alone does not name.
    commits = any(variant.commit for variant in written.report.variants)
    own = found.absolute().is_relative_to(reports.absolute()) and not commits
    context.exit(finish(replace(written, json=found / written.json.name), as_json, reports if own else None))


def finish(
    written: ReportFiles,
    as_json: bool,
    reports: Path | None,
    output: Path | None = None,
    targets: Mapping[str, str] | None = None,
) -> int:
    """Print the verdict and where the report is, enter it into the history of `reports`, copy it, say the exit code.

    The verdict comes first, so that a full disk does not hide it.
    `targets` = variant -> target, where the variants are commits of it.
    """
    from profpipe.pipeline.history import record
    from profpipe.pipeline.reporting.report import render

    _print(written, as_json)
    if reports is not None:
        record(written.report, reports, written.json, targets)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        render(written.report, output)
    return _exit_code(written)


def _print(written: ReportFiles, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps(
                {
                    "html": str(written.html),
                    "json": str(written.json),
                    "comment": str(written.comment),
                    "conclusions": [c.model_dump(mode="json") for c in written.report.conclusions],
                    "invalid": [i.model_dump(mode="json") for i in written.report.invalid],
                    "gate": written.report.gate and written.report.gate.model_dump(mode="json"),
                },
                indent=1,
                ensure_ascii=False,
            )
        )
        return
    from rich.console import Console

    from profpipe.render.terminal.report import render_verdict

    console = Console(highlight=False, soft_wrap=False)
    console.print(render_verdict(written.report))
    here = Path.cwd()
    page = written.html.relative_to(here) if written.html.is_relative_to(here) else written.html
    for hit in written.report.gate.hits if written.report.gate else ():
        click.echo(f"\nregression: {hit}")
    click.echo(f"\nreport: {page}")


def _exit_code(written: ReportFiles) -> int:
    if written.unmeasured:
        lost: dict[str, list[str]] = {}
        for variant, profiler in written.unmeasured:
            lost.setdefault(variant, []).append(profiler)
        pairs = ", ".join(f"{variant} ({', '.join(profilers)})" for variant, profilers in lost.items())
        click.echo(f"profpipe: not one valid run of {pairs}; the reasons are in the report", err=True)
    valid = all(v.valid for v in written.report.variants)
    return EXIT_OK if valid and not written.unmeasured else EXIT_ERROR
