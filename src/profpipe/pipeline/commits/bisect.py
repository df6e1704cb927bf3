"""Which commit made the server worse: `git bisect run`, with each step measured and judged as in `profpipe diff`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from profpipe import store
from profpipe.commits.bisect import BAD, GOOD, SKIP, candidates, first_bad
from profpipe.commits.resolve import Commit, commit_of, repository
from profpipe.commits.worktrees import cache_folder
from profpipe.errors import ReportError, UsageError
from profpipe.model.report import Comparison, Report
from profpipe.pipeline.commits.diff import DiffOptions
from profpipe.pipeline.commits.measure import MeasuredCommits
from profpipe.pipeline.measure.rounds import Bounds
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.units import percent

STEP_FILE = "bisect.json"
# Of slices: with checking out, building and the trial of lengths a step takes less than a minute.
STEP_BUDGET_S = 30.0
LEAST_RESOLUTION = 0.001


@dataclass(frozen=True, slots=True)
class Regression:
    """The metric that became worse, and by how much at least the first bad commit is (relative: 0.05 = 5 %)."""

    metric: str
    limit: float


@dataclass(frozen=True, slots=True)
class Step:
    """What one step needs to know, passed in a file because git passes a step's command to a shell."""

    good: str
    study: str
    target: str
    study_file: Path
    reports: Path
    wanted: Regression
    bounds: Bounds
    run: RunOptions

    @staticmethod
    def after(ends: MeasuredCommits, *, wanted: Regression, reports: Path, bounds: Bounds, run: RunOptions) -> Step:
        """The step between two ends that were measured."""
        return Step(
            good=ends.commits[0].commit,
            study=ends.study,
            target=ends.target,
            study_file=ends.study_file,
            reports=reports,
            wanted=wanted,
            bounds=bounds,
            run=run,
        )

    def measuring(self, commit: str) -> DiffOptions:
        """How one commit is compared with the good one: by the instruments of the metric alone."""
        return DiffOptions(
            words=(self.good, commit),
            study=self.study,
            target=self.target,
            config=self.study_file,
            metric=self.wanted.metric,
            run=self.run,
        )

    def write(self, path: Path) -> None:
        store.write_whole(path, _STEP.dump_json(self, indent=1))

    @staticmethod
    def read(path: Path) -> Step:
        """Read a file that `write` wrote. Raises UsageError for any other file."""
        try:
            return _STEP.validate_json(store.read_file(path))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: not a step of `profpipe bisect`, which alone calls bisect-step") from error


_STEP = TypeAdapter(Step)


def step_options(report: Report, wanted: Regression, run: RunOptions) -> RunOptions:
    """How a step is measured, unless the user says otherwise.

    Only the instrument of the metric, in STEP_BUDGET_S, and as sure as half of the change that is looked for.
    """
    names = [m.profiler for m in report.metrics if wanted.metric in (m.key, m.key.rpartition(":")[2])]
    return replace(
        run,
        profilers=run.profilers or tuple(names[:1]),
        budget=run.budget or STEP_BUDGET_S,
        resolution=run.resolution or min(max(wanted.limit / 2, LEAST_RESOLUTION), 1.0),
    )


def headline(report: Report, metric: str) -> Comparison:
    """The last contender's comparison of a metric, named by its key or the last part of it.

    Raises UsageError listing the metrics when there is no such metric.
    """
    variant = [v for v in report.variants if v.role == "contender"][-1]
    found = [c for key, c in variant.against_baseline.items() if metric in (key, key.rpartition(":")[2])]
    if not found:
        known = ", ".join(key.rpartition(":")[2] for key in variant.against_baseline)
        raise UsageError(f"--metric {metric}: these runs have no such metric; they have: {known or 'none'}")
    return found[0]


def regression_between(report: Report, metric: str, limit: float | None) -> Regression:
    """What to look for, from the comparison of good and bad: half of their difference where no limit is given.

    A commit with a smaller change is not the one the user asks for. Raises ReportError when bad is not worse.
    """
    found = headline(report, metric)
    if found.verdict != "worse" or found.ratio is None:
        raise ReportError(f"{metric} is not worse at the bad commit ({found.verdict}: {found.why}): nothing to bisect")
    return Regression(metric, abs(found.ratio - 1) / 2 if limit is None else limit)


def judge_commit(report: Report, wanted: Regression) -> tuple[int, str]:
    """The exit code for `git bisect run`, and the reason in words."""
    found = headline(report, wanted.metric)
    if found.ratio is None or (found.verdict == "cannot tell" and not _under(found, wanted.limit)):
        return SKIP, f"{wanted.metric} is undecided: {found.why}"
    change = f"{wanted.metric} {'+' if found.ratio >= 1 else '−'}{percent(abs(found.ratio - 1), 2)}"
    if found.verdict == "worse" and abs(found.ratio - 1) >= wanted.limit:
        return BAD, f"bad: {change}"
    return GOOD, f"good: {change} ({found.verdict})"


def _under(found: Comparison, limit: float) -> bool:
    """Whether the whole interval of a ratio over starts is under the limit: then the commit is not the one."""
    return found.paired and found.high is not None and found.high < 1 + limit


def check_order(here: Path, good: str, bad: str) -> None:
    """Raises UsageError unless `good` is an ancestor of `bad`; called before anything is measured."""
    repo = repository(here)
    candidates(repo, commit_of(repo, good), commit_of(repo, bad))


def search(repo: Path, good: Commit, bad: Commit, step: Step) -> tuple[Commit, ...]:
    """The first bad commit, or the commits it is among where some could not be measured."""
    if candidates(repo, good, bad) == 1:
        return (bad,)
    path = cache_folder(repo) / STEP_FILE
    step.write(path)
    return first_bad(repo, good, bad, [sys.executable, "-m", "profpipe", "bisect-step", str(path)])
