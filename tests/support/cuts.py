"""`python -m tests.support.cuts [FORMAT ...]`: captures cut after every byte, as a full disk leaves them.

A cut capture must be an error, `partial`, or come with a warning; or hold what the whole one holds, to ROUNDING; or its
format cannot show a cut, for the reason in UNSEEN. `--most 300` takes that many offsets of each capture.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from typing import Literal

from profpipe.errors import ProfpipeError
from profpipe.model.profile import Profile
from profpipe.parse import PARSERS
from profpipe.parse.interface import Parser
from tests.support.fuzz import captures, samples

Outcome = Literal["error", "partial", "warning", "the same", "unseen", "FAULT"]
# What other writers of callgrind's format lose in their `summary:`.
ROUNDING = 1e-5
SAID = "a file that was cut would look complete"
# Where a cut leaves a whole file of the format: after a record.
LINE_END = "each line is a record of its own, and nothing says how many there are"
UNSEEN = {
    "folded": LINE_END,
    "austin": f"{LINE_END}, where the writer is Austin 1 or the format is its compressed one without `# duration:`",
    "perf": "a sample ends with an empty line, and nothing says how many samples there are",
    "mojo": "each event is a record of its own, and nothing says how many there are",
}


def cut(parser: Parser, data: bytes, whole: Profile, at: int) -> Outcome:
    """What the reader says of the first `at` bytes."""
    try:
        profile = parser.parse(io.BytesIO(data[:at]), "cut")
    except ProfpipeError:
        return "error"
    if profile.meta.partial:
        return "partial"
    left = {metric.key: profile.self_sum(metric.key) for metric in profile.metrics}
    if all(left.get(m.key, 0) >= whole.self_sum(m.key) * (1 - ROUNDING) for m in whole.metrics):
        return "the same"
    new = set(profile.meta.warnings) - set(whole.meta.warnings)
    return "warning" if new or any(SAID in text for text in whole.meta.warnings) else "unseen"


def sweep(name: str, most: int | None = None, largest: int = 1 << 30) -> tuple[Counter[Outcome], list[str]]:
    """How often each outcome came, and every fault: capture number and offset."""
    parser, found, faults = PARSERS.get(name), Counter[Outcome](), []
    for number, data in enumerate(samples(name, parser)):
        if len(data) > largest:
            continue
        whole = parser.parse(io.BytesIO(data), "whole")
        if whole.meta.partial:
            continue
        step = 1 if most is None else max(1, len(data) // most)
        for at in range(0, len(data), step):
            outcome = cut(parser, data, whole, at)
            if outcome == "unseen" and name not in UNSEEN:
                outcome = "FAULT"
                faults.append(
                    f"{name}, capture {number} of {len(data):,} bytes cut after {at:,}: {data[max(0, at - 30) : at]!r}"
                )
            found[outcome] += 1
    return found, faults


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("formats", nargs="*", help="default: all")
    options.add_argument("--most", type=int, help="offsets of each capture; default: every one")
    options.add_argument("--largest", type=int, default=20_000, help="bytes of the largest capture to cut")
    given = options.parse_args()
    bad = 0
    for name in given.formats or [name for name in PARSERS.builtin if captures(name)]:
        found, faults = sweep(name, given.most, given.largest)
        print(
            f"{name:14} {sum(found.values()):9,} cuts  " + "  ".join(f"{k} {v:,}" for k, v in found.items()), flush=True
        )
        for fault in faults[:5]:
            print(f"  {fault}")
        bad += len(faults)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
