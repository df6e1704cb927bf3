"""`profpipe accept`: acknowledge a regression, with the reason, in a file of the repository."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from profpipe.cli.options import CONFIG, REPORTS, percentage
from profpipe.cli.say import say
from profpipe.errors import EXIT_OK, UsageError


def _day(text: str) -> date:
    """`2027-01-31`. Raises UsageError for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text}: expected a day such as 2027-01-31") from None


@click.command()
@click.argument("report", metavar="REPORT")
@click.option("--reason", required=True, help="why the regression is worth it; the comment shows it")
@click.option("--metric", "metrics", multiple=True, help="only this metric or category; default: all that fail")
@click.option("--at-most", type=percentage, help="the largest regression to accept, such as 5%; default: as measured")
@click.option("--until", type=_day, help="accept it in every change up to this day; default: only in this change")
@click.option("--author", help="who accepts it; default: git's user.name")
@CONFIG
@REPORTS
@click.pass_context
def accept(
    context: click.Context,
    report: str,
    reason: str,
    metrics: tuple[str, ...],
    at_most: float | None,
    until: date | None,
    author: str | None,
    config: Path | None,
    reports: Path,
) -> None:
    """Accept the regressions of REPORT, so that the gate passes and the comment gives the reason.

    REPORT is a run folder, the name of a study, or a report.json. Adds an entry for each metric to
    profpipe-accepted.toml, next to profpipe.toml. Commit that file with the change. By default an entry counts only
    in the change that adds it.
    """
    from profpipe.commits.git import asks
    from profpipe.pipeline.gate.accept import Acceptance
    from profpipe.pipeline.gate.accept import accept as entries_for
    from profpipe.pipeline.gate.accepted_file import add_accepted, read_accepted
    from profpipe.pipeline.reporting.report_files import find_report, load_report
    from profpipe.study.find import find_study_file

    folder = find_study_file(Path.cwd(), config).parent
    who = author or asks(folder, "config", "user.name")
    if not who:
        raise UsageError("git has no user.name here: say who accepts the regression with --author NAME")
    wanted = Acceptance(reason=reason, author=who, metrics=metrics, at_most=at_most, until=until)
    found = entries_for(load_report(find_report(report, reports)), wanted, read_accepted(folder))
    path = add_accepted(folder, found)
    for entry in found:
        say(f"accepted: {entry.metric}, up to {entry.at_most:.1%}")
    say(f"{path} written; commit it with the change")
    context.exit(EXIT_OK)
