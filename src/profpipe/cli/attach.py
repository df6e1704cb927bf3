"""`profpipe attach`, also called `publish`: posts a finished report on its pull request."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profpipe.cli.options import REPORTS
from profpipe.cli.part_names import FORGE
from profpipe.cli.say import say, say_json
from profpipe.errors import EXIT_ERROR, EXIT_OK, UsageError

if TYPE_CHECKING:
    from profpipe.publish.post import StatusKind


@click.command()
@click.argument("report", required=False, metavar="[REPORT]")
@REPORTS
@click.option("--forge", type=FORGE, help="default: the forge whose CI runs this command")
@click.option("--api", help="address of the forge's API, such as https://git.example/api/v1")
@click.option("--repository", help="owner/name, or GitLab's project id")
@click.option("--pull", type=click.IntRange(1), help="number of the pull request or merge request")
@click.option("--sha", help="full hash of the commit to put the status on")
@click.option("--key", help="tells several reports of one pull request apart; default: the study's name")
@click.option("--link", default="", help="URL of report.html, for the comment and the status")
@click.option("--comment/--no-comment", default=True, show_default=True, help="create or update the comment")
@click.option(
    "--status",
    type=click.Choice(["commit", "check", "none"]),
    default="commit",
    show_default=True,
    help="the verdict as a status of the commit, or as a check run where the forge has them",
)
@click.option(
    "--from-artifact",
    "artifact",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="a folder with report.json of an untrusted run; the event names the pull request",
)
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    help="with --from-artifact: a rule of the gate, such as regression:5%; those of the artifact are not taken",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="with --from-artifact: the target branch's study file; default: the nearest profpipe.toml",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="also write the files here",
)
@click.option(
    "--code-quality",
    type=click.Path(path_type=Path, dir_okay=False),
    help="also write what is worse on which line, as GitLab's Code Quality report",
)
@click.option("--dry-run", is_flag=True, help="print what would be sent without sending it")
@click.option("--require", is_flag=True, help="exit with 1 when any step fails")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
@click.pass_context
def attach(  # long: click passes each of its 18 options as a parameter
    context: click.Context,
    report: str | None,
    reports: Path,
    forge: str | None,
    api: str | None,
    repository: str | None,
    pull: int | None,
    sha: str | None,
    key: str | None,
    link: str,
    comment: bool,
    status: StatusKind,
    artifact: Path | None,
    fail_on: tuple[str, ...],
    config: Path | None,
    output: Path | None,
    code_quality: Path | None,
    dry_run: bool,
    require: bool,
    as_json: bool,
) -> None:
    """Post REPORT on its pull request: one comment, kept up to date, and the verdict as a status of the commit.

    REPORT is a run folder, the name of a study, or a report.json. GitHub, Gitea and Forgejo Actions, GitLab CI and
    Woodpecker need no other options; elsewhere, give --forge, --repository and --pull. The token is read from
    PROFPIPE_TOKEN, or from the forge's own variable, such as GITHUB_TOKEN. The job summary is always written.

    What the forge refuses is printed as a warning, and the exit code is 0 unless --require is given.
    """
    from profpipe.pipeline.attach.message import AttachOptions, describe, prepare_artifact, prepare_report
    from profpipe.pipeline.attach.send import annotations_in_the_log, send, to_json, write_code_quality, write_files
    from profpipe.pipeline.reporting.report_files import find_report

    if (report is None) == (artifact is None):
        raise UsageError("give either REPORT or --from-artifact")
    if artifact is None and (fail_on or config is not None):
        raise UsageError("--fail-on and --config are for --from-artifact; the gate of a run is kept in its folder")
    wanted = AttachOptions(
        forge=forge or "",
        api=api or "",
        repository=repository or "",
        pull=pull,
        sha=sha or "",
        key=key or "",
        link=link,
        comment=comment,
        status=status,
        fail_on=fail_on,
        config=config,
    )
    environment = dict(os.environ)
    if artifact is not None:
        prepared = prepare_artifact(artifact, wanted, environment)
    else:
        prepared = prepare_report(find_report(report or "", reports), wanted, environment)
    if output is not None:
        write_files(prepared, output)
    if code_quality is not None:
        write_code_quality(prepared, code_quality)
    if dry_run:
        _show(describe(prepared), as_json)
        return
    outcome = send(prepared, environment)
    if as_json:
        say_json(to_json(outcome))
    for line in () if as_json else outcome.done:
        say(line)
    for line in annotations_in_the_log(prepared, environment, own=artifact is None):
        say(line, err=True)
    _warn(outcome.warnings, annotate=environment.get("GITHUB_ACTIONS") == "true")
    context.exit(EXIT_ERROR if require and outcome.warnings else EXIT_OK)


def _warn(lines: Sequence[str], *, annotate: bool) -> None:
    """On stderr; `annotate` = as annotations of the run, too."""
    from profpipe.publish.annotations import escaped

    for line in lines:
        say(f"profpipe: {line}", err=True)
        if annotate:
            say(f"::warning title=profpipe::{escaped(line)}", err=True)


def _show(sent: dict[str, object], as_json: bool) -> None:
    if as_json:
        say_json(json.dumps(sent, ensure_ascii=False, indent=1))
        return
    comment = sent.pop("comment")
    for name, value in sent.items():
        say(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    # A CI runner executes a line that begins with ::, so no line of the comment may begin with it.
    lines = [f"| {line}" for line in str(comment or "none").splitlines()]
    say("\n".join(["comment:", *lines]))
