"""`profpipe diff`, and how `diff` and `bisect` measure commits with their progress shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profpipe.cli.finished import finish
from profpipe.cli.options import CONFIG, JSON, REPORTS, given, max_rounds, measuring

if TYPE_CHECKING:
    from profpipe.pipeline.commits.diff import DiffOptions
    from profpipe.pipeline.commits.measure import MeasuredCommits
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.prepare.options import RunOptions


@click.command()
@click.argument("words", nargs=-1, metavar="[BASE[..HEAD] | COMMIT COMMIT ...] [STUDY]")
@click.option("-t", "--target", help="the target to compare; default: the study's baseline")
@click.option("--worktree", is_flag=True, help="compare the uncommitted changes with their commit")
@click.option("--all", "every", is_flag=True, help="every commit between BASE and HEAD")
@click.option(
    "--bump", "bumps", multiple=True, help="a package in two versions at one commit: NAME==OLD..NEW or NAME@OLD..NEW"
)
@measuring()
@max_rounds("add no rounds beyond this number")
@click.option("--fail-on", "fail_on", multiple=True, help="exit with 3 on this: regression[:METRIC or CATEGORY][:5%]")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="also write the report here")
@CONFIG
@REPORTS
@JSON
@click.pass_context
def diff(
    context: click.Context,
    /,
    bumps: tuple[str, ...],
    fail_on: tuple[str, ...],
    run: RunOptions,
    max_rounds: int,
    output: Path | None,
    reports: Path,
    as_json: bool,
    **asked: Any,
) -> None:
    """Did a commit make the server slower, where, and how certain is that?

    Builds one target at two or more commits, each in its own worktree, runs them in turns, and compares the cost per
    request. BASE is by default the commit where this branch left the default branch. Your checkout is not touched.
    Rounds are added until every verdict is decided, or until --max-rounds or --budget is reached.

    With --bump jinja2==3.1.4..3.1.6 the variants are one commit with that package in two versions, each in an
    environment made from the commit's lock file.

    The exit code is 3 when --fail-on, or the study's `gate` table, finds a regression; "cannot tell" is not one.
    Without a metric, or as `cost`, it looks at CPU time, instructions, memory and latency. Where every rule names a
    metric, such as regression:instructions:1%, only the instruments of these metrics are used; -p names others.
    """
    from profpipe.pipeline.commits.bump import read_bump
    from profpipe.pipeline.commits.diff import DiffOptions
    from profpipe.pipeline.gate.rules import gate_rule
    from profpipe.pipeline.measure.rounds import Bounds

    for text in fail_on:
        gate_rule(text)  # a misspelt rule is reported before anything is checked out
    most = given(max_rounds)
    options = DiffOptions(bump=tuple(map(read_bump, bumps)), fail_on=fail_on, max_rounds=most, run=run, **asked)
    reports = reports.absolute()
    measured = measure_with_progress(options, reports, Bounds(max_rounds, run.budget))
    written, targets = measured.written, {commit.id: measured.target for commit in measured.commits}
    # Two figures of one commit are no part of its target's history.
    history = None if bumps else reports
    context.exit(finish(written, as_json=as_json, reports=history, output=output, targets=targets))


def measure_with_progress(options: DiffOptions, reports: Path, bounds: Bounds) -> MeasuredCommits:
    from profpipe.cli.progress import Progress
    from profpipe.pipeline.commits.measure import measure_commits

    with Progress() as progress, progress.reporting_a_stop():
        return measure_commits(options, Path.cwd(), reports.absolute(), bounds, progress.show)
