"""A history of 1,000 reports x 2,000 functions: the trend of one function, and what it takes on disk.

Promises: a trend query under 0.5 s, under 100 MB. The query is everything between the question and the trend with
its change points: digests of all files, DuckDB, the search. The whole command, imports included, stands beside it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPORTS, FUNCTIONS, TIMES = 1000, 2000, 7
LIMIT_S, LIMIT_BYTES = 0.5, 100e6


def seconds(reports: Path, what: str) -> tuple[float, int, int]:
    """Elapsed time of one question in this process, with the points and changes it found."""
    from profpipe.pipeline.history import Narrowed, ask

    began = time.perf_counter()
    answer = ask(reports, what, Narrowed())
    took = time.perf_counter() - began
    return took, len(answer.trends[0].points), len(answer.trends[0].changes or ())


def command(reports: Path, what: str) -> float:
    began = time.perf_counter()
    words = [sys.executable, "-m", "profpipe", "history", what, "--reports", str(reports)]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> int:
    from bench.gen_history import FACTS, entry, functions, write_large
    from profpipe.store.history.folder import write_entry

    with tempfile.TemporaryDirectory(prefix="profpipe-bench-") as temporary:
        reports = Path(temporary)
        folder = write_large(reports, REPORTS, FUNCTIONS)
        rows = entry(REPORTS, functions(FUNCTIONS), 1.03, FACTS)
        began = time.perf_counter()
        write_entry(reports / "another", str(rows[0][1]), rows)
        each = time.perf_counter() - began
        files = list(folder.glob("*.parquet"))
        size = sum(file.stat().st_size for file in files)
        function = functions(FUNCTIONS)[7][0]
        questions = {"function": function, "metric": "callgrind:instructions"}
        first = {name: seconds(reports, what)[0] for name, what in questions.items()}  # imports, page cache
        rounds = [{name: seconds(reports, what) for name, what in questions.items()} for _ in range(TIMES)]
        whole = [command(reports, function) for _ in range(3)]
    print(f"{REPORTS:,} reports x {FUNCTIONS:,} functions in {len(files)} files; {each * 1e3:.0f} ms to keep a report")
    broken = size >= LIMIT_BYTES
    print(f"on disk {size / 1e6:.1f} MB; limit {LIMIT_BYTES / 1e6:g} MB: {'BROKEN' if broken else 'held'}")
    for name in questions:
        took = [row[name][0] for row in rounds]
        median = statistics.median(took)
        slow = median >= LIMIT_S
        broken |= slow
        spread = f"{min(took):.3f} to {max(took):.3f} over {TIMES}, the first one {first[name]:.3f}"
        found = f"{rounds[0][name][1]:,} points, changes: {rounds[0][name][2]}"
        end = f"limit {LIMIT_S:g} s: {'BROKEN' if slow else 'held'}"
        print(f"trend of a {name:<8} {median:.3f} s ({spread}); {found}; {end}")
    print(f"the whole command {statistics.median(whole):.2f} s, Python's start and imports included")
    return broken


if __name__ == "__main__":
    sys.exit(main())
