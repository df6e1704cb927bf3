"""The callgrind reader beside callgrind_annotate: CPU of whole processes run in turn, A B A B, and peak memory.

Prints one line per input with medians and whether it keeps its goal; exits 1 when one does not. Inputs are generated
(bench/gen_callgrind.py) or given with --file. CPU seconds are user + system of the child, interpreter start included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PARSE = (
    "import sys; from profpipe.parse import callgrind; p = callgrind.parse(open(sys.argv[1], 'rb'), sys.argv[1]); "
    "assert p.meta.partial is None, p.meta.partial; assert 'pandas' not in sys.modules"
)
MB = 1e6


@dataclass(frozen=True)
class Cost:
    cpu: float
    peak: int  # bytes


@dataclass(frozen=True)
class Goal:
    """What must hold at this size; None = not asked. Ratios are ours / callgrind_annotate's."""

    cpu_ratio: float | None = None
    speed: float | None = None  # MB per CPU second
    peak: int | None = None
    peak_ratio: float | None = None


def goal_for(size: int) -> Goal:
    if size > 100 * MB:
        return Goal(cpu_ratio=1 / 15, speed=60, peak_ratio=0.6)
    return Goal(cpu_ratio=1 / 15, peak=200 << 20) if size > 20 * MB else Goal(cpu_ratio=1 / 5)


def run(command: list[str]) -> Cost:
    # This process imports nothing large: what it holds when it forks would count as the child's peak.
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command[:2])} ended with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def compare(file: Path, rounds: int, annotate: str | None) -> bool:
    ours, theirs = [], []
    parse = [sys.executable, "-c", PARSE, str(file)]
    run(parse)
    for _ in range(rounds):
        ours.append(run(parse))
        if annotate:
            theirs.append(run([annotate, "--auto=no", str(file)]))
    size, goal = file.stat().st_size, goal_for(file.stat().st_size)
    cpu, peak = statistics.median(c.cpu for c in ours), max(c.peak for c in ours)
    speed = size / MB / cpu
    text = f"{file.name:24} {size / MB:6.1f} MB  {cpu:6.2f} s  {speed:5.0f} MB/s  {peak / 2**20:4.0f} MiB"
    held = [goal.speed is None or speed >= goal.speed, goal.peak is None or peak <= goal.peak]
    if theirs:
        ratios = [a.cpu / b.cpu for a, b in zip(ours, theirs, strict=True)]
        ratio, memory = statistics.median(ratios), peak / max(c.peak for c in theirs)
        text += f"  annotate {statistics.median(c.cpu for c in theirs):6.2f} s  CPU 1/{1 / ratio:.1f}"
        text += f" [1/{1 / max(ratios):.1f} to 1/{1 / min(ratios):.1f}]  memory {memory:.2f}x"
        held += [goal.cpu_ratio is None or ratio <= goal.cpu_ratio]
        held += [goal.peak_ratio is None or memory <= goal.peak_ratio]
    print(text, "" if all(held) else "  MISSES ITS GOAL", flush=True)
    return all(held)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", default="5,50,200", help="megabytes of generated inputs")
    options.add_argument("--file", type=Path, action="append", default=[], help="a capture to measure besides")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--annotate-up-to", type=float, default=60, help="MB; larger files take it minutes")
    given = options.parse_args()
    annotate = shutil.which("callgrind_annotate")
    if annotate is None:
        print("callgrind_annotate is missing (apt install valgrind): only our own figures follow")
    held = []
    with tempfile.TemporaryDirectory() as folder:
        files = list(given.file)
        for size in (float(s) for s in given.sizes.split(",") if s):
            file = Path(folder) / f"generated-{size:g}.out"
            generator = str(Path(__file__).with_name("gen_callgrind.py"))
            instr = ["--instr"] if size > 20 else []
            run([sys.executable, generator, "--mb", str(size), *instr, "-o", str(file)])
            files.append(file)
        for file in files:
            beside = annotate if file.stat().st_size <= given.annotate_up_to * MB else None
            held.append(compare(file, given.rounds, beside))
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
