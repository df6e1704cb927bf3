"""`python -m tests.support.collection FOLDER ...`: every file below these folders read, and what became of it counted.

For a collection of real captures: a file is read with its sums kept, or refused in words. What raises anything else,
takes over LIMIT seconds or breaks a rule of profiles is a fault. Where the tool's own listing lies beside a callgrind
file (`NAME.annotate.txt`), its total must be the same.
"""

from __future__ import annotations

import gzip
import re
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from profpipe.errors import ProfpipeError
from profpipe.model.profile import Profile, check_profile
from profpipe.parse import parse_file
from tests.support.fuzz import LIMIT, sums

TOTALS = re.compile(r"^\s*([\d,]+)(?: \(100\.0%\))?.*PROGRAM TOTALS", re.MULTILINE)


def read(path: Path) -> str:
    """What became of a file: its format, with `partial` where it is not whole, or `refused`. Raises what it finds."""
    began = time.process_time()
    try:
        profile = check_profile(parse_file(path))
    except ProfpipeError as error:
        if "\n" in str(error) or not str(error).isprintable():
            raise ValueError(f"a message that is not one plain line: {error!r}") from error
        return "refused"
    sums(profile)
    _as_listed(path, profile)
    if (took := time.process_time() - began) > LIMIT:
        raise TimeoutError(f"took {took:.0f} s")
    return f"{profile.meta.format}{', partial' if profile.meta.partial else ''}"


def _as_listed(path: Path, profile: Profile) -> None:
    """callgrind_annotate's own total, where its listing lies beside the file."""
    name = re.sub(r"\.out(\.\d+)?(\.gz)?$", "", path.name)
    for listing in (path.with_name(f"{name}.annotate.txt"), path.with_name(f"{name}.annotate.txt.gz")):
        if profile.meta.format == "callgrind" and listing.is_file():
            raw = listing.read_bytes()
            text = (gzip.decompress(raw) if listing.suffix == ".gz" else raw).decode(errors="replace")
            found = TOTALS.search(text)
            own = profile.self_sum(profile.metrics[0].key)
            if found and int(found[1].replace(",", "")) != own:
                raise ValueError(f"callgrind_annotate says {found[1]}, we say {own:,}")


def main(folders: list[str]) -> int:
    outcomes, faults = Counter[str](), 0
    files = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    for path in files:
        try:
            outcomes[read(path)] += 1
        except Exception:  # noqa: BLE001 - whatever comes is a find
            faults += 1
            print(f"{path}: {traceback.format_exc(limit=-2)}", flush=True)
    for outcome, times in sorted(outcomes.items()):
        print(f"{times:5} {outcome}")
    print(f"{len(files):5} files, {faults} faults")
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
