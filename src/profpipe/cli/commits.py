"""`profpipe diff`, `bisect`, `calibrate` and `clean`: the same server at several commits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from profpipe.cli.part_names import GENERATOR
from profpipe.cli.studies import CONFIG, JSON, REPORTS, finish
from profpipe.errors import EXIT_ERROR, EXIT_OK, EXIT_REGRESSION, UsageError

if TYPE_CHECKING:
    from profpipe.pipeline.commits.diff import DiffOptions
    from profpipe.pipeline.commits.measure import MeasuredCommits
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.reporting.gate import GateRule

BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?")
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def seconds(text: str | None) -> float | None:
    """`90`, `90s`, `10m` or `1h` in seconds. Raises UsageError for anything else."""
    if text is None:
        return None
    found = BUDGET.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"--budget {text}: expected a time such as 90s, 10m or 1h")
    return float(found[1]) * SECONDS[found[2]]


@click.command()
@click.argument("words", nargs=-1, metavar="[BASE[..HEAD] | COMMIT COMMIT ...] [STUDY]")
@click.option("-t", "--target", help="the target that is compared; default: the study's baseline")
@click.option("--worktree", is_flag=True, help="the contender is what is not committed yet")
@click.option("--all", "every", is_flag=True, help="every commit between BASE and HEAD")
@click.option("-r", "--rounds", type=click.IntRange(1, 1000), help="rounds to begin with; default: the study's")
@click.option("--max-rounds", type=click.IntRange(1, 1000), default=20, show_default=True, help="rounds at most")
@click.option("--budget", help="no more rounds are begun that would end after this time: 90s, 10m, 1h")
@click.option("-p", "--profiler", "profilers", multiple=True, help="only these instruments (repeatable)")
@click.option("-n", "--requests", type=click.IntRange(1, 100_000_000), help="requests per run")
@click.option("--generator", type=GENERATOR, help="the load generator")
@click.option("--fail-on", "fail_on", multiple=True, help="exit with 3 on this: regression[:METRIC or CATEGORY][:5%]")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="write the report here as well")
@CONFIG
@REPORTS
@JSON
@click.pass_context
def diff(
    context: click.Context,
    words: tuple[str, ...],
    target: str | None,
    worktree: bool,
    every: bool,
    rounds: int | None,
    max_rounds: int,
    budget: str | None,
    profilers: tuple[str, ...],
    requests: int | None,
    generator: str | None,
    fail_on: tuple[str, ...],
    output: Path | None,
    config: Path | None,
    reports: Path,
    as_json: bool,
) -> None:
    """Did a commit make the server slower, where, and how sure is that?

    Builds and runs one target at two or more commits, each in a worktree of its own, in rounds that take turns, and
    compares cost per request. Without BASE: where this branch left the default branch. Your checkout is not touched.
    Rounds are added until every verdict is decided, or --max-rounds or --budget is spent.

    Exit code 3 when --fail-on finds a regression; "cannot tell" is no regression.
    """
    from profpipe.pipeline.commits.diff import DiffOptions
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.prepare.options import RunOptions
    from profpipe.pipeline.reporting.gate import cannot_tell, gate_rule

    rules = [gate_rule(text) for text in fail_on]
    run = RunOptions((), profilers, rounds, requests, generator)
    options = DiffOptions(words, None, target, worktree, every, config, run)
    reports = reports.absolute()
    measured = _measured(options, reports, Bounds(max_rounds, seconds(budget)), rules)
    written, targets = measured.written, {commit.id: measured.target for commit in measured.commits}
    code = finish(written, as_json, reports, output, targets)
    for text in cannot_tell(written.report, rules):
        click.echo(f"not failed: {text}", err=True)
    context.exit(EXIT_REGRESSION if written.report.gate and written.report.gate.failed else code)


@click.command()
@click.argument("good")
@click.argument("bad")
@click.argument("study", required=False)
@click.option("--metric", default="instructions", show_default=True, help="the figure that got worse")
@click.option("--limit", help="what a culprit must cost at least, such as 2%; default: half of what BAD costs more")
@click.option("-t", "--target", help="the target that is measured; default: the study's baseline")
@click.option("-r", "--rounds", type=click.IntRange(1, 1000), help="rounds to begin with; default: the study's")
@click.option(
    "--max-rounds", type=click.IntRange(1, 1000), default=20, show_default=True, help="rounds at most, a step"
)
@click.option("-p", "--profiler", "profilers", multiple=True, help="only these instruments (repeatable)")
@CONFIG
@REPORTS
@click.pass_context
def bisect(
    context: click.Context,
    good: str,
    bad: str,
    study: str | None,
    metric: str,
    limit: str | None,
    target: str | None,
    rounds: int | None,
    max_rounds: int,
    profilers: tuple[str, ...],
    config: Path | None,
    reports: Path,
) -> None:
    """Which commit between GOOD and BAD made the server worse?

    Measures both ends first, then lets `git bisect run` choose commits and judges each against GOOD with the same
    statistics as `profpipe diff`. A commit that cannot be built or told is skipped. Your checkout is not touched.
    """
    from profpipe.pipeline.commits.bisect import Step, check_order, regression_between, search
    from profpipe.pipeline.commits.diff import DiffOptions
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.prepare.options import RunOptions

    check_order(Path.cwd(), good, bad)
    words = (good, bad) if study is None else (good, bad, study)
    options = DiffOptions(words, None, target, config=config, run=RunOptions((), profilers, rounds))
    reports = reports.absolute()
    ends = _measured(options, reports, Bounds(max_rounds))
    want = regression_between(ends.written.report, metric, _share(limit))
    click.echo(
        f"{want.metric} is worse at {ends.commits[-1].id}; looking for a commit that costs {want.limit:.2%} or more"
    )
    step = Step(
        ends.commits[0].commit, ends.study, ends.target, ends.study_file, reports, want, max_rounds, rounds, profilers
    )
    found = search(ends.repo, ends.commits[0], ends.commits[-1], step)
    if len(found) == 1:
        click.echo(f"first bad commit: {found[0].commit} {found[0].subject}")
        click.echo(f"see why: profpipe diff {found[0].id}~1..{found[0].id} {ends.study} -t {ends.target}")
        context.exit(EXIT_OK)
    click.echo("commits in between could not be measured; the first bad one is among:")
    for commit in found:
        click.echo(f"  {commit.commit} {commit.subject}")
    context.exit(EXIT_ERROR)


@click.command(hidden=True)
@click.argument("step", type=click.Path(path_type=Path))
@click.pass_context
def bisect_step(context: click.Context, step: Path) -> None:
    """What `git bisect run` calls in its worktree: exit code 0 good, 1 bad, 125 cannot be told."""
    from profpipe.commits.bisect import ABORT, SKIP
    from profpipe.commits.resolve import commit_of
    from profpipe.errors import CaptureError, CommitError, ProfpipeError
    from profpipe.pipeline.commits.bisect import Step, answer
    from profpipe.pipeline.commits.diff import DiffOptions
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.prepare.options import RunOptions

    try:
        asked = Step.read(step)
        run = RunOptions((), asked.profilers, asked.rounds)
        here = commit_of(Path.cwd(), "HEAD").commit  # the study file's worktree has another HEAD
        options = DiffOptions((asked.good, here), asked.study, asked.target, config=asked.study_file, run=run)
        measured = _measured(options, asked.reports, Bounds(asked.max_rounds))
        code, why = answer(measured.written.report, asked.want)
    except (CaptureError, CommitError) as error:
        code, why = SKIP, f"skipped: {error}"
    except (ProfpipeError, OSError, KeyboardInterrupt) as error:
        # git takes any exit code from 1 to 127 for "bad": a full disk would make the commit at hand the culprit.
        code, why = ABORT, f"not decided: {str(error) or 'stopped'}"
    else:
        why = f"{measured.commits[-1].id} {why}"
    click.echo(why, err=True)
    context.exit(code)


@click.command()
@click.argument("study", required=False)
@click.option("-t", "--target", help="the target that is compared with itself; default: the study's baseline")
@click.option("-N", "--times", type=click.IntRange(1, 10_000), default=20, show_default=True, help="comparisons")
@click.option("-r", "--rounds", type=click.IntRange(1, 1000), help="rounds to begin with; default: the study's")
@click.option("--max-rounds", type=click.IntRange(1, 1000), default=20, show_default=True, help="rounds at most")
@click.option("-p", "--profiler", "profilers", multiple=True, help="only these instruments (repeatable)")
@click.option("-n", "--requests", type=click.IntRange(1, 100_000_000), help="requests per run")
@CONFIG
@REPORTS
@JSON
@click.pass_context
def calibrate(
    context: click.Context,
    study: str | None,
    target: str | None,
    times: int,
    rounds: int | None,
    max_rounds: int,
    profilers: tuple[str, ...],
    requests: int | None,
    config: Path | None,
    reports: Path,
    as_json: bool,
) -> None:
    """How wide is this machine's noise, and how often is a verdict false?

    Compares a target with itself, again and again, as `profpipe diff` compares commits: every better or worse is a
    false one. The noise that was seen is kept in the reports folder, and later verdicts of this study on this machine
    are held against it. A calibration that is stopped is one of fewer comparisons.
    """
    from profpipe.cli.progress import Progress
    from profpipe.pipeline.commits.calibrate import calibrate as compare_with_itself
    from profpipe.pipeline.commits.calibrate import prepare_calibration
    from profpipe.pipeline.measure.rounds import Bounds
    from profpipe.pipeline.prepare.options import RunOptions
    from profpipe.pipeline.prepare.study import only_study
    from profpipe.pipeline.reporting.calibration_file import words
    from profpipe.pipeline.setup import load_study_file

    loaded = load_study_file(config)
    name = study or only_study(loaded, "profpipe calibrate")
    options = RunOptions((), profilers, rounds, requests)
    prepared = prepare_calibration(loaded, name, target, options)
    with Progress() as progress:
        found = compare_with_itself(
            prepared, loaded, name, reports.absolute(), times, Bounds(max_rounds), options, progress.show
        )
    click.echo(found.model_dump_json(indent=1) if as_json else "\n".join(words(found)))
    context.exit(EXIT_OK)


@click.command()
@click.pass_context
def clean(context: click.Context) -> None:
    """Remove the worktrees and builds that `profpipe diff` keeps for this repository."""
    from profpipe.commits.resolve import repository
    from profpipe.commits.worktrees import BISECTING, MEASURING, alone, kept, remove, size_of
    from profpipe.units import amount

    repo = repository(Path.cwd())
    with alone(repo, BISECTING), alone(repo, MEASURING):
        found = kept(repo)
        for worktree in found:
            size = size_of(worktree.path)
            remove(repo, worktree.path)
            click.echo(f"removed {worktree.commit[:12] or worktree.path.name}: {amount(size, 'B')}")
    if not found:
        click.echo("no worktree is kept for this repository")
    context.exit(EXIT_OK)


def _measured(options: DiffOptions, reports: Path, bounds: Bounds, rules: Sequence[GateRule] = ()) -> MeasuredCommits:
    from profpipe.cli.progress import Progress
    from profpipe.pipeline.commits.measure import measure_commits

    with Progress() as progress:
        try:
            return measure_commits(options, Path.cwd(), reports.absolute(), bounds, progress.show, rules)
        except BaseException:
            progress.cut_short()
            raise


def _share(text: str | None) -> float | None:
    """`2%` or `2` as 0.02. Raises UsageError for anything else."""
    if text is None:
        return None
    try:
        return float(text.strip().removesuffix("%")) / 100
    except ValueError:
        raise UsageError(f"--limit {text}: expected a percentage such as 2%") from None
