"""Documented bumps of a dependency: `python -m bench.bumps [NAME...]`.

Each bump of bumps.toml is made a repository of its own, whose server shows the changed path, and compared by
`profpipe diff --bump ... --fail-on regression`, one after another. Needs the package registries of Python (3.12),
npm, Go and Rust. With --kept the newest report of each is judged again.

Promise: verdict, gate and the named function or package are those of the package's own changelog in all, and no
comparison takes more than three minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.bumps.judge import Found, judge
from bench.bumps.repository import make
from bench.bumps.table import Bump, table
from profpipe.pipeline.reporting.report_files import load_report

LONGEST_S = 180.0


@dataclass(frozen=True, slots=True)
class Measured:
    """A bump that was compared; `found` is None where there is no report, and `why` has its last words."""

    bump: Bump
    seconds: float
    load: float
    found: Found | None
    why: str = ""

    @property
    def wrong(self) -> tuple[str, ...]:
        return self.found.wrong(self.bump) if self.found else ("no report",)


def measured(bump: Bump, folder: Path, budget: str, *, kept: bool) -> Measured:
    """Make the repository, compare, and judge the report."""
    if not kept:
        try:
            make(bump, folder)
        except subprocess.CalledProcessError as error:
            return Measured(bump, 0.0, 0.0, None, f"{error}: {error.stderr[-300:]}")
    reports = folder / "reports"
    command = [sys.executable, "-m", "profpipe", "report", f"diff-{bump.key}"]
    if not kept:
        command = [sys.executable, "-m", "profpipe", "diff", "--bump", bump.bump, "--budget", budget]
        command += ["--fail-on", bump.rule]
    began = time.monotonic()
    done = subprocess.run([*command, "--reports", str(reports)], cwd=folder, capture_output=True, text=True)
    seconds, load = time.monotonic() - began, os.getloadavg()[1]
    (folder / "said.txt").write_text(f"{done.stdout}\n{done.stderr}")
    files = sorted(reports.glob("*/*/report.json"))
    if not files or done.returncode not in (0, 3):
        return Measured(bump, seconds, load, None, " ".join(done.stderr.split())[-300:])
    return Measured(bump, seconds, load, judge(load_report(files[-1]), done.returncode, bump))


def show(one: Measured) -> None:
    bump, found = one.bump, one.found
    right = f"wrong: {', '.join(one.wrong)}" if one.wrong else "right"
    print(f"\n{bump.key}: {bump.bump}: {right} ({one.seconds:.0f} s, load {one.load:.1f})")
    print(f"  documented: {bump.cost}: {bump.says}")
    if found is None:
        print(f"  no report: {one.why}")
    else:
        print(f"  found: {found.figures}; gate {'failed' if found.gate == 3 else 'held'}; names {found.name or '-'}")
        print(f"  {found.cause or 'no cause'}")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.bumps", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all of bumps.toml")
    parser.add_argument("--folder", type=Path, default=Path("build/bumps"), help="of the repositories and reports")
    parser.add_argument("--budget", default="170s", help="of each comparison")
    parser.add_argument("--kept", action="store_true", help="measure nothing: report the captures there again")
    arguments = parser.parse_args()
    known = table()
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        parser.error(f"bumps.toml has no {', '.join(unknown)}")
    done = []
    for name in arguments.names or known:
        folder = arguments.folder.absolute() / name
        done.append(measured(known[name], folder, arguments.budget, kept=arguments.kept))
        show(done[-1])
    good = sum(not one.wrong for one in done)
    longest = max(one.seconds for one in done)
    print(f"\nRight: {good} of {len(done)}. Longest: {longest:.0f} s; promised {LONGEST_S:.0f} s.")
    return not (good == len(done) and longest <= LONGEST_S)


if __name__ == "__main__":
    sys.exit(main())
