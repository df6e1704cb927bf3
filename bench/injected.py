"""Are injected changes found, and nothing else? `python -m bench.injected [TIMES]`: minutes, on a real repository.

Every commit of tests/support/demo_repository.py is compared with the one before by `profpipe diff` with its defaults.
A row is right when the counted verdict and the category that explains most of the gap are those that the change was
made for.
A wrong verdict elsewhere counts as well: a better or worse that no change of that commit could cause.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.demo_repository import CHANGES, Change, make

COUNTED = "callgrind:instructions"


@dataclass(frozen=True)
class Outcome:
    """One comparison: what was said of instructions and CPU time, and the largest part of the gap."""

    counted: str
    cpu: str
    ratio: float
    cpu_ratio: float
    category: str
    rounds: int
    called: int

    def right(self, change: Change) -> bool:
        return self.counted == change.verdict and (not change.category or self.category == change.category)

    def false(self, change: Change) -> bool:
        """Something is called better or worse although nothing changed."""
        return change.verdict == "no change" and self.called > 0


def outcome(report: dict[str, Any]) -> Outcome:
    contender = next(v for v in report["variants"] if v["role"] == "contender")
    against = contender["against_baseline"]
    bars = [b for w in report["waterfall"] if w["metric"] == COUNTED for b in w["bars"]]
    cells = [
        cell["verdict"]
        for table in report["hotspots"]
        for row in table["rows"]
        for cells in (row["cells"], *(f["cells"] for f in row["functions"]))
        for variant, cell in cells.items()
        if variant == contender["id"]
    ]
    verdicts = [c["verdict"] for c in against.values()] + cells
    return Outcome(
        counted=against[COUNTED]["verdict"],
        cpu=against["clean:cpu_us"]["verdict"],
        ratio=against[COUNTED]["ratio"],
        cpu_ratio=against["clean:cpu_us"]["ratio"],
        category=max(bars, key=lambda b: b["delta"])["category"] if bars else "",
        rounds=report["study"]["rounds"],
        called=sum(v in ("better", "worse") for v in verdicts),
    )


def measure(repository: Path, cache: Path, change: Change, number: int) -> Outcome:
    out = repository.parent / f"{change.tag}-{number}"
    words = [sys.executable, "-m", "profpipe", "diff", f"{change.tag}~1..{change.tag}", "-o", str(out)]
    env = {**os.environ, "PROFPIPE_CACHE": str(cache)}
    subprocess.run(words, cwd=repository, env=env, check=True, capture_output=True)
    return outcome(json.loads((out / "report.json").read_text()))


def main() -> bool:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    right = false = total = 0
    with tempfile.TemporaryDirectory(prefix="profpipe-injected-") as scratch:
        repository = make(Path(scratch) / "repository")
        for number in range(times):
            for change in CHANGES:
                found = measure(repository, Path(scratch) / "cache", change, number)
                right += found.right(change)
                false += found.false(change)
                total += 1
                sys.stdout.write(
                    f"{change.tag:11} {'right' if found.right(change) else 'WRONG':6} instructions {found.ratio:.4f} "
                    f"{found.counted:12} CPU {found.cpu_ratio:.3f} {found.cpu:12} {found.category:12} "
                    f"{found.rounds} rounds\n"
                )
                sys.stdout.flush()
    sys.stdout.write(f"{right} of {total} right; {false} with a false better or worse where nothing changed\n")
    return right < 0.95 * total or false > 0


if __name__ == "__main__":
    sys.exit(main())
