"""Pull requests that change nothing in the measured path, gated for real. Promise: the gate fails none of them.

Commits of the server in tests/demo change a comment, white space, the name of a local variable, or the file that a
function is in; `profpipe diff --fail-on regression`, the preset `cost`, compares each with the one before, by slices
and under callgrind.
`python -m bench.no_change [COUNT]` measures one after another, and prints the load average beside each.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench._program import run
from profpipe.analyse.statistics.calibration import share_interval
from profpipe.pipeline.reporting.report_files import load_report
from tests.support.demo_repository import git, make

# Loads of seconds, so that many fit into an hour.
STUDY = """\
[target.server]
command = ["./server", "{port}"]
language = "native"
build = [["make", "--no-print-directory"]]
ready = { tcp = true }

[study.cost]
targets = ["server"]
profilers = ["clean", "callgrind"]
rounds = 1
load = { requests = 3000, connections = 4, warmup = 200 }
profiler.callgrind = { rounds = 2, requests = 300 }
"""
DECIDING = ("clean:cpu_us", "callgrind:instructions")


def comment(folder: Path, number: int) -> None:
    head = folder / "head.c"
    head.write_text(head.read_text().replace("size_t write_head(", f"/* Remark {number}. */\nsize_t write_head(", 1))


def white_space(folder: Path, number: int) -> None:  # noqa: ARG001
    head = folder / "head.c"
    head.write_text(head.read_text().replace("    return ", "\n    return ", 1))


def renamed_local(folder: Path, number: int) -> None:
    head = folder / "head.c"
    head.write_text(re.sub(r"\blength(_\d+)?\b", f"length_{number}", head.read_text()))


def moved_function(folder: Path, number: int) -> None:  # noqa: ARG001
    """count_request with its counters from stats.c to the end of head.c, or back."""
    head, stats, include = folder / "head.c", folder / "stats.c", '#include "stats.h"\n'
    text = head.read_text()
    if include in text:
        rest, _, moved = text.partition(include)
        head.write_text(rest)
        stats.write_text(include + moved)
    else:
        head.write_text(text + stats.read_text())
        stats.write_text(include)


KINDS: tuple[Callable[[Path, int], None], ...] = (comment, white_space, renamed_local, moved_function)


def compare(folder: Path, budget: str) -> tuple[int, str]:
    """The exit code of the gate, and the verdicts that decide or the last words where there is no report."""
    command = [sys.executable, "-m", "profpipe", "diff", "HEAD~1..HEAD", "cost", "--max-rounds", "2"]
    done = subprocess.run(
        [*command, "--budget", budget, "--fail-on", "regression"], cwd=folder, capture_output=True, text=True
    )
    reports = sorted(folder.glob("reports/diff-cost/*/report.json"))
    if done.returncode not in (0, 3) or not reports:
        return done.returncode, " ".join(done.stderr.split())[-200:]
    report = load_report(reports[-1])
    against = next(v.against_baseline for v in report.variants if v.role == "contender")
    words = [f"{key.partition(':')[2]} {against[key].verdict}" for key in DECIDING if key in against]
    return done.returncode, "; ".join([*words, *(report.gate.hits if report.gate is not None else ())])


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.no_change", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("count", nargs="?", type=int, default=100, help="pull requests")
    parser.add_argument("--budget", default="30s", help="of each, builds included")
    arguments = parser.parse_args(words)
    failed, broken, loads = 0, 0, list[float]()
    with tempfile.TemporaryDirectory() as scratch:
        folder = make(Path(scratch) / "repository", changes=())
        (folder / "profpipe.toml").write_text(STUDY)
        git(folder, "commit", "--quiet", "--all", "-m", "a short study")
        for number in range(arguments.count):
            kind = KINDS[number % len(KINDS)]
            kind(folder, number)
            git(folder, "commit", "--quiet", "--all", "-m", f"{kind.__name__} {number}")
            begun = time.monotonic()
            code, said = compare(folder, arguments.budget)
            loads.append(os.getloadavg()[0])
            failed, broken = failed + (code == 3), broken + (code not in (0, 3))
            seconds = time.monotonic() - begun
            print(f"{number + 1:3} {kind.__name__:14} {code} {seconds:3.0f} s load {loads[-1]:4.1f}  {said}")
            sys.stdout.flush()
        git(folder, "worktree", "prune")
    measured = arguments.count - broken
    low, high = share_interval(failed, measured) if measured else (0.0, 1.0)
    print(
        f"\nFalse failures: {failed} of {measured} (95 % interval {low:.1%} to {high:.1%}); {broken} without a report."
    )
    print(f"Load average {min(loads):.1f} to {max(loads):.1f}, {sum(load >= 8 for load in loads)} at 8 or more.")
    return failed or broken


if __name__ == "__main__":
    run(main)
