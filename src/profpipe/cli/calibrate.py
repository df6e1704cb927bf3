"""`profpipe calibrate`: the noise of this machine, and how often a verdict is false."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profpipe.cli.options import CONFIG, JSON, REPORTS, given, max_rounds, measuring
from profpipe.cli.say import say, say_json
from profpipe.errors import EXIT_OK

if TYPE_CHECKING:
    from profpipe.pipeline.prepare.options import RunOptions


@click.command()
@click.argument("study", required=False)
@click.option("-t", "--target", help="the target to compare with itself; default: the study's baseline")
@click.option("-N", "--times", type=click.IntRange(1, 10_000), default=20, show_default=True, help="comparisons")
@measuring()
@max_rounds("add no rounds beyond this number in a comparison")
@CONFIG
@REPORTS
@JSON
@click.pass_context
def calibrate(
    context: click.Context,
    study: str | None,
    target: str | None,
    times: int,
    run: RunOptions,
    max_rounds: int,
    config: Path | None,
    reports: Path,
    as_json: bool,
) -> None:
    """How noisy is this machine, and how often is a verdict false?

    Compares a target with itself, again and again, as `profpipe diff` compares commits: every "better" or "worse" is
    false. The noise is stored in the reports folder, and later verdicts of this study on this machine take it into
    account. If you stop a calibration, the comparisons that had ended count. --budget bounds each comparison.
    """
    from profpipe.cli.progress import Progress
    from profpipe.pipeline.commits.calibrate import calibrate as compare_with_itself
    from profpipe.pipeline.commits.calibrate import prepare_calibration
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.prepare.options import as_given
    from profpipe.pipeline.prepare.study import only_study
    from profpipe.pipeline.reporting.calibration_file import summary_lines
    from profpipe.pipeline.setup import load_study_file

    loaded = load_study_file(config)
    name = study or only_study(loaded, "profpipe calibrate")
    prepared = prepare_calibration(loaded, name, target, run)
    command = shlex.join([*_again(name, target, times), *as_given(config, given(max_rounds), run)])
    bounds = Bounds(max_rounds, run.budget)
    with Progress() as progress:
        found = compare_with_itself(prepared, loaded, name, reports.absolute(), times, bounds, command, progress.show)
    if as_json:
        say_json(found.model_dump_json(indent=1))
    else:
        say("\n".join(summary_lines(found)))
    context.exit(EXIT_OK)


def _again(study: str, target: str | None, times: int) -> list[str]:
    """The command that compares the same target again, without how it is measured."""
    return ["profpipe", "calibrate", study, *(["-t", target] if target else []), "-N", str(times)]
