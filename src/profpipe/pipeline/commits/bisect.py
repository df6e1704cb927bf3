"""Which commit made it worse: `git bisect run`, each step measured and judged as `profpipe diff` does."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from profpipe import store
from profpipe.commits.bisect import BAD, GOOD, SKIP, candidates, first_bad
from profpipe.commits.resolve import Commit, commit_of, repository
from profpipe.commits.worktrees import cache_folder
from profpipe.errors import ReportError, UsageError
from profpipe.model.report import Comparison, Report
from profpipe.units import percent

STEP_FILE = "bisect.json"


@dataclass(frozen=True, slots=True)
class Regression:
    """The figure that got worse, and how much of it a commit must have to be the culprit (relative, 0.05 = 5 %)."""

    metric: str
    limit: float


@dataclass(frozen=True, slots=True)
class Step:
    """All that one step needs to know; handed on in a file, since git hands a step's command to a shell."""

    good: str
    study: str
    target: str
    study_file: Path
    reports: Path
    want: Regression
    max_rounds: int
    rounds: int | None
    profilers: tuple[str, ...]

    def write(self, path: Path) -> None:
        store.write_whole(path, _STEP.dump_json(self, indent=1))

    @staticmethod
    def read(path: Path) -> Step:
        """The step that a file holds. Raises UsageError for any other file."""
        try:
            return _STEP.validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: bisect-step is called by `profpipe bisect`, not by hand") from error


_STEP = TypeAdapter(Step)


def headline(report: Report, metric: str) -> Comparison:
    """The last contender's comparison of a metric, by key or by the last part of it. Raises UsageError for others."""
    variant = [v for v in report.variants if v.role == "contender"][-1]
    found = [c for key, c in variant.against_baseline.items() if metric in (key, key.rpartition(":")[2])]
    if not found:
        known = ", ".join(key.rpartition(":")[2] for key in variant.against_baseline)
        raise UsageError(f"--metric {metric}: these runs have no such figure; they have: {known or 'none'}")
    return found[0]


def regression_between(report: Report, metric: str, limit: float | None) -> Regression:
    """What to look for, from the comparison of good and bad: half of their difference where no limit is given.

    A smaller step on the way is not what the user is after. Raises ReportError when bad is not worse than good.
    """
    found = headline(report, metric)
    if found.verdict != "worse" or found.ratio is None:
        raise ReportError(f"{metric} is not worse at the bad commit ({found.verdict}: {found.why}): nothing to bisect")
    return Regression(metric, abs(found.ratio - 1) / 2 if limit is None else limit)


def answer(report: Report, want: Regression) -> tuple[int, str]:
    """The exit code for `git bisect run`, and why, in words."""
    found = headline(report, want.metric)
    if found.ratio is None or found.verdict == "cannot tell":
        return SKIP, f"{want.metric} cannot be told: {found.why}"
    change = f"{want.metric} {'+' if found.ratio >= 1 else '−'}{percent(abs(found.ratio - 1), 2)}"
    if found.verdict == "worse" and abs(found.ratio - 1) >= want.limit:
        return BAD, f"bad: {change}"
    return GOOD, f"good: {change} ({found.verdict})"


def check_order(here: Path, good: str, bad: str) -> None:
    """Before anything is measured. Raises UsageError unless `good` comes before `bad`."""
    repo = repository(here)
    candidates(repo, commit_of(repo, good), commit_of(repo, bad))


def search(repo: Path, good: Commit, bad: Commit, step: Step) -> tuple[Commit, ...]:
    """The first bad commit, or those that it is among where some could not be measured."""
    if candidates(repo, good, bad) == 1:
        return (bad,)
    path = cache_folder(repo) / STEP_FILE
    step.write(path)
    return first_bad(repo, good, bad, [sys.executable, "-m", "profpipe", "bisect-step", str(path)])
