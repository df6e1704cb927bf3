"""Which planted causes are named: `python -m bench.causes [--language python|go|node|jvm] [STUDY...]`.

Runs the studies of targets/python-web/profpipe.toml, or of the folder of another language, one after another, each as a
user would run it, and compares the first cause of its report with causes.toml. Python's servers run on the interpreter
that runs this; from CPython 3.12 on, callgrind counts instructions per Python function. All studies of Python take more
than an hour; with --kept, rules that have changed since are tried on the captures of an earlier call within minutes.

Promise: 95 % of the planted causes are named in the first cause, by function and file; no control has a cause; no
verdict is wrong; no study takes more than three minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.causes.judge import GOOD, Found, judge
from bench.causes.table import FOLDERS, Expected, table
from profpipe.errors import ProfpipeError
from profpipe.pipeline.reporting.report_files import load_report

PROMISED = 0.95
LONGEST_S = 180.0


@dataclass(frozen=True, slots=True)
class Measured:
    """A study that was run; `found` is None where it left no report, and `why` has its last words."""

    expected: Expected
    seconds: float
    found: Found | None
    why: str = ""


def measured(expected: Expected, where: Path, reports: Path, *, kept: bool) -> Measured:
    """Run one study of the study file in the folder `where`, for at most three minutes, and judge its report.

    `kept`: measure nothing and report the captures of the study's newest run again.
    """
    folder = reports / expected.study
    if kept:
        for old in folder.glob("*/report.json"):
            old.unlink()  # what cannot be reported again must not be judged by its last report
    else:
        shutil.rmtree(folder, ignore_errors=True)
    verb = "report" if kept else "run"
    command = [sys.executable, "-m", "profpipe", verb, expected.study, "--reports", str(reports)]
    began = time.monotonic()
    with subprocess.Popen(command, cwd=where, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        try:
            words = run.communicate(timeout=LONGEST_S)[1]
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGINT)  # it ends its servers itself
            words = run.communicate()[1]
    seconds = time.monotonic() - began
    files = sorted(folder.glob("*/report.json"))  # folders are named by time
    if not files:
        return Measured(expected, seconds, None, " ".join(words.split())[-300:])
    try:
        return Measured(expected, seconds, judge(load_report(files[-1]), expected))
    except ProfpipeError as error:
        return Measured(expected, seconds, None, str(error))


def show(one: Measured) -> None:
    expected, found = one.expected, one.found
    print(f"\n{expected.study}: {expected.habit} ({one.seconds:.0f} s)")
    if not expected.is_control:
        print(f"  expected  {expected.function} in {expected.file}", end="")
        print(f", through {expected.through}" if expected.through else "")
    print(f"  {found.outcome:<12}" if found else "  no report  ", (found.sentence if found else one.why) or "-")
    for verdict in found.wrong if found else ():
        print(f"  wrong verdict: {verdict}")
    sys.stdout.flush()


def summary(all_of_them: list[Measured]) -> bool:
    """Print the figures of the promise; whether it was kept."""
    planted = [one for one in all_of_them if not one.expected.is_control]
    outcomes = Counter(one.found.outcome if one.found else "no report" for one in all_of_them)
    named = sum(one.found is not None and one.found.outcome == "named" for one in planted)
    through = sum(one.found is not None and one.found.outcome == "named" and one.found.through for one in planted)
    wrong = sum(len(one.found.wrong) for one in all_of_them if one.found)
    longest = max(one.seconds for one in all_of_them)
    print(f"\nOutcomes: {', '.join(f'{count} {outcome}' for outcome, count in outcomes.most_common())}.")
    if planted:
        share = f"{named / len(planted):.0%}; promised {PROMISED:.0%}"
        print(f"Named in the first cause: {named} of {len(planted)} ({share}).")
        print(f"Of these, {through} name the function of the library as well.")
    print(f"False causes: {outcomes['false cause']}. Wrong verdicts: {wrong}. Longest study: {longest:.0f} s.")
    good = sum(one.found is not None and one.found.outcome in GOOD for one in all_of_them)
    controls = len(all_of_them) - len(planted)
    return good - named == controls and named >= PROMISED * len(planted) and not wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.causes", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="default: all of the language's causes.toml")
    parser.add_argument("--language", choices=FOLDERS, default="python", help="of the servers")
    parser.add_argument("--reports", type=Path, default=Path("build/causes"), help="where the reports are kept")
    parser.add_argument("--kept", action="store_true", help="measure nothing: report the captures there again")
    arguments = parser.parse_args()
    where = FOLDERS[arguments.language]
    known = table(where / "causes.toml")
    unknown = [study for study in arguments.studies if study not in known]
    if unknown:
        parser.error(f"causes.toml has no {', '.join(unknown)}")
    if arguments.language == "python" and sys.version_info < (3, 12):
        print("CPython 3.12 or later is needed for instructions per Python function; this is an older one.")
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, Python {sys.version.split()[0]}")
    reports = arguments.reports.absolute()
    done = []
    for study in arguments.studies or known:
        done.append(measured(known[study], where, reports, kept=arguments.kept))
        show(done[-1])
    return not summary(done)


if __name__ == "__main__":
    sys.exit(main())
