"""Whole commands beside the tools that their users would take instead: CPU and memory of whole processes.

Ours and the peer run in turn; a row is the median ratio of the pairs with its range, and its goal. Where there is no
peer, the other side is the start of Python on this machine, so that no row is in seconds. `--instructions` counts
instructions (cachegrind) instead of CPU time: slower, and the same on a busy machine. `--short` takes the rows that CI
runs; `--margin 1.5` allows half as much again as the goal. Goals that are not reached are printed; exit code 1.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.gen_inputs import INPUTS

OURS = (sys.executable, "-m", "profpipe")
START = (sys.executable, "-c", "pass")
PSTATS = "import pstats, sys; pstats.Stats(sys.argv[1]).sort_stats('tottime').print_stats(30)"
HERE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """One line of the table: words in capitals stand for the input's files, goals are ours / the peer's."""

    name: str
    input: str
    ours: tuple[str, ...]
    peer: tuple[str, ...]
    goal: float
    memory: float | None = None
    short: bool = False

    @property
    def peer_name(self) -> str:
        named = {START: "start of Python", STDLIB: "pstats", TWICE: "callgrind_annotate"}
        return named.get(self.peer) or Path(self.peer[2] if self.peer[0] == sys.executable else self.peer[0]).name


ANNOTATE = ("callgrind_annotate", "--auto=no", "FILE")
TWICE = ("sh", "-c", '"$0" --auto=no "$1" && "$0" --auto=no "$2"', "callgrind_annotate", "FILE", "FILE2")
STDLIB = (sys.executable, "-c", PSTATS, "FILE")
LEVEL = ("history", "FUNCTION", "--reports", "FILE")
# In starts of Python, which took 0.014 s where the goals in seconds were set: --help 0.1 s, check 0.2 s, attach 0.4 s,
# report 0.35 x 2.7 s, history 0.3 x 2.1 s, merge 0.3 x 10.5 s.
ROWS = (
    Row("--help", "nothing", ("--help",), START, 0.1 / 0.014, short=True),
    Row("check", "study file", ("check", "--config", "FILE"), START, 0.2 / 0.014, short=True),
    Row("attach --dry-run", "report", ("attach", "FILE", "--dry-run"), START, 0.4 / 0.014, short=True),
    Row("parse callgrind 0.2 MB, real", "callgrind 0.2", ("parse", "FILE"), ANNOTATE, 3, short=True),
    Row("parse callgrind 3 MB, real", "callgrind 3", ("parse", "FILE"), ANNOTATE, 0.35),
    Row("parse callgrind 50 MB", "callgrind 50", ("parse", "FILE"), ANNOTATE, 0.05, memory=0.5),
    Row("compare two callgrind files", "callgrind two", ("compare", "FILE", "FILE2"), TWICE, 2.5),
    Row("parse pstats, 10,000 functions", "pstats 10000", ("parse", "FILE"), STDLIB, 3, short=True),
    Row("parse pstats, 40,000 functions", "pstats 40000", ("parse", "FILE"), STDLIB, 1.5),
    Row("parse perf text 80 MB", "perf 80", ("parse", "FILE"), ("stackcollapse-perf.pl", "FILE"), 0.25),
    Row("parse perf text 80 MB", "perf 80", ("parse", "FILE"), ("inferno-collapse-perf", "FILE"), 1.2),
    Row("parse folded, 62,000 stacks", "folded 62000", ("parse", "FILE"), ("flamegraph.pl", "FILE"), 0.6),
    Row("parse folded, 250,000 stacks", "folded 250000", ("parse", "FILE"), ("flamegraph.pl", "FILE"), 0.3),
    Row("parse folded, 250,000 stacks", "folded 250000", ("parse", "FILE"), ("inferno-flamegraph", "FILE"), 2),
    Row("parse folded, 1,000,000 stacks", "folded 1000000", ("parse", "FILE"), ("flamegraph.pl", "FILE"), 0.25),
    Row("report, 5 rounds", "run folder 5", ("report", "FILE"), START, 0.35 * 2.7 / 0.014),
    Row("report, 50 rounds against 7", "run folders", ("report", "FILE"), (*OURS, "report", "FILE2"), 1.6),
    Row(
        "history of a function, 1,000 runs",
        "history",
        ("history", "FUNCTION", "--reports", "FILE"),
        START,
        0.63 / 0.014,
    ),
    Row("merge of 1,000 runs", "history", ("merge", "FILE", "--reports", "NEW"), START, 3.15 / 0.014),
)


@dataclass(frozen=True)
class Cost:
    work: float  # CPU seconds, or instructions
    peak: int  # bytes


def cpu(command: list[str]) -> Cost:
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=HERE)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def instructions(command: list[str]) -> Cost:
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run(
        [*valgrind, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", cwd=HERE
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"{' '.join(command)} under valgrind ended with {done.returncode}: {done.stderr[-300:]}")
    return Cost(float(found[1].replace(",", "")), 0)


Measure = Callable[[list[str]], Cost]


def filled(command: tuple[str, ...], files: dict[str, str], folder: Path) -> list[str]:
    """NEW stands for a folder that nobody has written to."""
    return [tempfile.mkdtemp(dir=folder) if word == "NEW" else files.get(word, word) for word in command]


def pairs_of(row: Row, folder: Path, rounds: int, measure: Measure) -> list[tuple[Cost, Cost]]:
    """(ours, the peer's), measured in turn."""
    files = INPUTS[row.input](folder)

    def ours() -> Cost:
        return measure([*OURS, *filled(row.ours, files, folder)])

    ours()  # bytecode and page cache
    return [(ours(), measure(filled(row.peer, files, folder))) for _ in range(rounds)]


def line(row: Row, pairs: list[tuple[Cost, Cost]], margin: float) -> tuple[str, bool]:
    """The row's text, and whether its goals are reached."""
    ratios = [mine.work / other.work for mine, other in pairs]
    ratio = statistics.median(ratios)
    text = f"{ratio:8.3f}x [{min(ratios):.3f} to {max(ratios):.3f}], goal {row.goal:.3g}x"
    held = ratio <= row.goal * margin
    if row.memory is not None and (peak := max(other.peak for _, other in pairs)):
        memory = max(mine.peak for mine, _ in pairs) / peak
        text += f"; memory {memory:.2f}x, goal {row.memory:g}x"
        held &= memory <= row.memory * margin
    return text + ("" if held else "  NOT REACHED"), held


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", help="only rows whose name begins so")
    options.add_argument("--short", action="store_true")
    options.add_argument("--instructions", action="store_true")
    options.add_argument("--margin", type=float, default=1.0)
    options.add_argument("--rounds", type=int)
    given = options.parse_args()
    rows = [row for row in ROWS if row.short or not given.short]
    rows = [row for row in rows if not given.names or row.name.startswith(tuple(given.names))]
    measure = instructions if given.instructions else cpu
    rounds = given.rounds or (1 if given.instructions else 5)
    reached = True
    with tempfile.TemporaryDirectory(prefix="profpipe-bench-") as folder:
        for row in rows:
            print(f"{row.name:<34} / {row.peer_name:<22}", end="", flush=True)
            if shutil.which(row.peer[0]) is None:
                print(f" {row.peer[0]} is missing")
                continue
            text, held = line(row, pairs_of(row, Path(folder), rounds, measure), given.margin)
            print(text, flush=True)
            reached &= held
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
