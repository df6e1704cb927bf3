"""`profpipe bisect`, and the hidden command that `git bisect run` calls for each of its steps."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profpipe.cli.diff import measure_with_progress
from profpipe.cli.options import CONFIG, JSON, REPORTS, given, max_rounds, measuring, percentage
from profpipe.cli.say import say
from profpipe.errors import EXIT_ERROR, EXIT_OK

if TYPE_CHECKING:
    from profpipe.commits.resolve import Commit
    from profpipe.pipeline.commits.bisect import Regression
    from profpipe.pipeline.commits.measure import MeasuredCommits
    from profpipe.pipeline.prepare.options import RunOptions


@click.command()
@click.argument("good")
@click.argument("bad")
@click.argument("study", required=False)
@click.option("--metric", default="instructions", show_default=True, help="the metric that became worse")
@click.option(
    "--limit",
    type=percentage,
    help="how much worse the first bad commit is at least, such as 2%; default: half of the change from GOOD to BAD",
)
@click.option("-t", "--target", help="the target to measure; default: the study's baseline")
@measuring()
@max_rounds("add no rounds beyond this number in a step")
@CONFIG
@REPORTS
@JSON
@click.pass_context
def bisect(
    context: click.Context,
    good: str,
    bad: str,
    study: str | None,
    metric: str,
    limit: float | None,
    target: str | None,
    run: RunOptions,
    max_rounds: int,
    config: Path | None,
    reports: Path,
    as_json: bool,
) -> None:
    """Which commit between GOOD and BAD made the server worse?

    Measures both ends first. `git bisect run` then chooses commits, and each is compared with GOOD by the same
    statistics as in `profpipe diff`, with the instruments that measure --metric and no others. A commit that does not
    build or stays undecided is skipped. --budget bounds each comparison. Your checkout is not touched.
    """
    from profpipe.pipeline.commits.bisect import Step, check_order, regression_between, search, step_options
    from profpipe.pipeline.commits.diff import DiffOptions
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.prepare.options import as_given

    check_order(Path.cwd(), good, bad)
    words, reports = (good, bad, study) if study else (good, bad), reports.absolute()
    most = given(max_rounds)
    options = DiffOptions(words=words, target=target, config=config, metric=metric, max_rounds=most, run=run)
    bounds = Bounds(max_rounds, run.budget)
    ends = measure_with_progress(options, reports, bounds)
    first, last, report = ends.commits[0], ends.commits[-1], ends.written.report
    wanted = regression_between(report, metric, limit)
    say(f"{metric} is worse at {last.id}; looking for a commit with +{wanted.limit:.2%} or more", err=as_json)
    stepping = step_options(report, wanted, run)
    step = Step.after(ends, wanted=wanted, reports=reports, bounds=bounds, run=stepping)
    found = search(ends.repo, first, last, step)
    why = shlex.join([*_see_why(ends, found[0], config), *as_given(None, most, run)])
    say(_json(wanted, found, why)) if as_json else _print(found, why)
    context.exit(EXIT_OK if len(found) == 1 else EXIT_ERROR)


def _json(wanted: Regression, found: Sequence[Commit], why: str) -> str:
    """One candidate is the first bad commit; where some could not be measured there are several."""
    commits = [{"commit": commit.commit, "subject": commit.subject} for commit in found]
    answer = {"metric": wanted.metric, "limit": wanted.limit, "candidates": commits, "see_why": why}
    return json.dumps(answer, indent=1)


def _see_why(ends: MeasuredCommits, culprit: Commit, config: Path | None) -> list[str]:
    """The command that shows what a commit changed, by every instrument."""
    words = ["profpipe", "diff", f"{culprit.id}~1..{culprit.id}", ends.study, "-t", ends.target]
    return [*words, *(["--config", str(config)] if config is not None else [])]


def _print(found: Sequence[Commit], why: str) -> None:
    """Print the first bad commit, or the commits it is among."""
    if len(found) == 1:
        say(f"first bad commit: {found[0].commit} {found[0].subject}")
        say(f"see why: {why}")
        return
    say("some commits could not be measured; the first bad commit is one of:")
    for commit in found:
        say(f"  {commit.commit} {commit.subject}")


@click.command(hidden=True)
@click.argument("step", type=click.Path(path_type=Path))
@click.pass_context
def bisect_step(context: click.Context, step: Path) -> None:
    """Judge the commit of the current worktree. The exit code is 0 for good, 1 for bad, 125 for undecided."""
    from profpipe.commits.bisect import ABORT, SKIP
    from profpipe.commits.resolve import commit_of
    from profpipe.errors import CaptureError, CommitError, ProfpipeError
    from profpipe.pipeline.commits.bisect import Step, judge_commit

    try:
        asked = Step.read(step)
        here = commit_of(Path.cwd(), "HEAD").commit  # the study file's worktree has another HEAD
        measured = measure_with_progress(asked.measuring(here), asked.reports, asked.bounds)
        code, why = judge_commit(measured.written.report, asked.wanted)
    except (CaptureError, CommitError) as error:
        code, why = SKIP, f"skipped: {error}"
    except (ProfpipeError, OSError, KeyboardInterrupt) as error:
        # git takes any exit code from 1 to 127 for "bad": a full disk would make the commit at hand the culprit.
        code, why = ABORT, f"not decided: {str(error) or 'stopped'}"
    else:
        why = f"{measured.commits[-1].id} {why}"
    say(why, err=True)
    context.exit(code)
