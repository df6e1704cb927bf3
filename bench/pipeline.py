"""CPU and memory behind the capture: `profpipe report` on 3 variants x 3 instruments x 5 rounds. Promise: under 5 s.

The captures are real ones (bench/gen_study.py). CPU is user + system of the whole process, the interpreter's start
and its imports included; the medians of runs in turn with `profpipe --help`, whose promise is 0.3 s.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 5
LIMIT_S = {"report": 5.0, "--help": 0.3}
LIMIT_PEAK = 500 << 20  # what a whole `make demo` may use


def run(command: list[str]) -> tuple[float, int]:
    """CPU seconds and peak bytes of one run."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="profpipe-bench-") as temporary:
        # In a process of its own: what this one imports would count as the children's peak.
        generate = [sys.executable, "-m", "bench.gen_study", temporary]
        made = subprocess.run(generate, capture_output=True, text=True, check=True)
        folder = Path(made.stdout.strip())
        profpipe = [sys.executable, "-m", "profpipe"]
        commands = {"report": [*profpipe, "report", str(folder)], "--help": [*profpipe, "--help"]}
        for command in commands.values():
            run(command)  # bytecode and page cache
        rounds = [{name: run(command) for name, command in commands.items()} for _ in range(ROUNDS)]
        captured = sum(file.stat().st_size for file in folder.glob("runs/*/raw/*"))
        page = (folder / "report.html").stat().st_size
    print(f"{captured / 1e6:.1f} MB of captures -> a page of {page / 1e3:.0f} kB")
    broken = False
    for name, limit in LIMIT_S.items():
        cpu, peak = [row[name][0] for row in rounds], max(row[name][1] for row in rounds)
        median = statistics.median(cpu)
        held = median < limit and peak < LIMIT_PEAK
        broken |= not held
        spread = f"{min(cpu):.2f} to {max(cpu):.2f} over {ROUNDS} runs"
        end = f"limit {limit:g} s: {'held' if held else 'BROKEN'}"
        print(f"profpipe {name:<8} {median:.2f} s of CPU ({spread}), peak {peak / 2**20:.0f} MiB; {end}")
    return broken


if __name__ == "__main__":
    sys.exit(main())
