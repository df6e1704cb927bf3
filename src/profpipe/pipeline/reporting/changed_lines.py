"""Adds the changed lines to the functions of a report of commits, from the patches and captures in its run folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from profpipe import store
from profpipe.errors import ProfpipeError
from profpipe.model.lines import FunctionLines
from profpipe.model.report import Limit, Report

CHANGES = "changes"
_CALLGRIND = "callgrind"
_MAP = ".map"  # of the trampolines of a Python server: it has no lines of source


def with_commit_changes(report: Report, folder: Path) -> Report:
    """The report with the changed lines of each `changes/<variant>.patch` assigned to its functions.

    Without patches the report is unchanged. A patch that cannot be read becomes a limit of the report.
    """
    from profpipe.analyse import ExecutedLines, in_changed_file, parse_diff, with_changes

    for contender in report.study.contenders:
        if not (folder / CHANGES).is_dir():
            break
        try:
            patch = store.inside(folder / CHANGES, f"{contender}.patch")
        except FileNotFoundError:
            continue
        except ProfpipeError as error:
            report = _without_lines(report, contender, error)
            continue
        try:
            text = patch.read_bytes().decode("utf-8", "replace")
            paths = [p for f in parse_diff(text).files for p in (f.before, f.after) if p]

            def wanted(path: str, paths: list[str] = paths) -> bool:
                return in_changed_file(path, paths) is not None

            before, after = (_executed(folder, v, wanted) for v in (report.study.baseline, contender))
            report = with_changes(report, contender, text, ExecutedLines(before, after))
        except (ProfpipeError, OSError) as error:
            report = _without_lines(report, contender, error)
    return report


def _without_lines(report: Report, contender: str, error: Exception) -> Report:
    limit = Limit(profiler="git", text=f"Changed lines are not shown: {error}", variants=(contender,))
    return report.model_copy(update={"limits": (*report.limits, limit)})


def _executed(folder: Path, variant: str, wanted: Callable[[str], bool]) -> tuple[FunctionLines, ...]:
    """The lines that ran in a variant's first valid callgrind run; () without one. All runs execute the same lines."""
    from profpipe.parse.callgrind.executed import executed_lines
    from profpipe.parse.reading import open_capture

    for stored in store.read_runs(folder):
        record = stored.record
        found = [c for c in record.captures if c.format == _CALLGRIND and not c.path.endswith(_MAP)]
        if record.variant == variant and record.valid and not record.control and found:
            files = [stored.capture(c) for c in found]
            with ExitStack() as opened:
                return executed_lines([(opened.enter_context(open_capture(f)), f.name) for f in files], wanted)
    return ()
