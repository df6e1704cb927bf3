"""From commits to the finished report: check out, build, run in rounds, compare."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from profpipe.commits.resolve import Commit
from profpipe.pipeline.commits.diff import DiffOptions, build_commits, check_out
from profpipe.pipeline.events import Listener, Note
from profpipe.pipeline.measure.rounds import Bounds
from profpipe.pipeline.reporting.report import build_report, write_report
from profpipe.pipeline.reporting.report_files import ReportFiles
from profpipe.pipeline.whole_study import measure_until_decided


@dataclass(frozen=True, slots=True)
class MeasuredCommits:
    """A finished comparison. `study_file` is in the newest commit's worktree, which is kept."""

    written: ReportFiles
    repo: Path
    commits: tuple[Commit, ...]
    study: str
    target: str
    study_file: Path


def measure_commits(
    options: DiffOptions,
    here: Path,
    reports: Path,
    bounds: Bounds,
    listen: Listener,
) -> MeasuredCommits:
    """Measure and report. Runs that have ended are kept whatever happens; the checkout at `here` is not touched.

    The budget begins here: environments and builds are a part of it.
    """
    begun = time.monotonic()
    with check_out(options, here, listen) as at:
        with build_commits(at, reports, listen) as running:
            before_s = time.monotonic() - begun
            measure_until_decided(running, bounds, lambda folder: build_report(folder)[0], before_s)
        listen(Note("reading the captures and comparing"))
        written = write_report(running.folder)
    return MeasuredCommits(written, at.repo, at.asked.commits, at.study, at.target, at.loaded.path)
