"""CPU of `profpipe --help`, beside a bare interpreter and the import of pandas, interleaved. Promise: under 0.3 s."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

ROUNDS = 7
LIMIT_S = 0.3
COMMANDS = {
    "profpipe --help": [sys.executable, "-m", "profpipe", "--help"],
    "python -c pass": [sys.executable, "-c", "pass"],
    "import pandas": [sys.executable, "-c", "import pandas"],
}


def cpu_s(command: list[str]) -> float:
    """User and system seconds of one run."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command}: exit {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    for command in COMMANDS.values():
        cpu_s(command)  # bytecode and page cache
    rounds = [{name: cpu_s(command) for name, command in COMMANDS.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(row[name] for row in rounds) for name in COMMANDS}
    for name, value in medians.items():
        values = [row[name] for row in rounds]
        print(f"{name:<18} {value:.3f} s of CPU   ({min(values):.3f} to {max(values):.3f} over {ROUNDS} runs)")
    return medians["profpipe --help"] >= LIMIT_S


if __name__ == "__main__":
    sys.exit(main())
