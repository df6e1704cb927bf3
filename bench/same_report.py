"""Whether two sets of report.json files hold the same figures, words apart.

`python -m bench.same_report BEFORE AFTER` reads the files of one name in both folders. It prints every figure that
differs, is gone, is new or moved to another place (MOVED), grouped where many are alike, and exits with 1 when one
differs or is gone. Words (see PROSE) and values that are null or empty are left out; a row of a list is known by what
it is about (KEYS), not by its place in the list.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROSE = frozenset(
    {
        "about", "question", "text", "why", "total_why", "reason", "label", "rule", "load", "placement", "command",
        "notes", "warnings", "log_tail", "hits", "what", "post", "ours", "profpipe",
    }
)  # fmt: skip
# What makes two rows of a list the same one, the first keys that all rows have.
KEYS = (
    ("variant", "profiler", "round", "order"),
    ("metric", "contender"),
    ("variant", "metric"),
    ("variant", "profiler", "round", "phase"),
    ("id",),
    ("key",),
    ("category",),
    ("metric",),
    ("number",),
)
# What schema 2 of the report put elsewhere.
MOVED = (
    (re.compile(r"^(variants\[[^\]]*\])\.throughput\b"), r"\1.figures.clean:throughput"),
    (re.compile(r"^(variants\[[^\]]*\])\.latency\."), r"\1.figures.clean:"),
    (re.compile(r"^(variants\[[^\]]*\]\.against_baseline)\.(throughput|p\d+_us)\b"), r"\1.clean:\2"),
    (re.compile(r"^((?:variants\[[^\]]*\]\.against_baseline|control\.figures)\..*)\.floor$"), r"\1.detectable"),
    (re.compile(r"^(study\.left_out\[\d+\])\[0\]$"), r"\1.target"),
    (re.compile(r"^calibration\.sd\.throughput$"), "calibration.sd.clean:throughput"),
)
SHOWN = 40


@dataclass(frozen=True)
class Difference:
    """Figures that differ or are gone, figures that are new, and (old place, new place) of parts that moved."""

    differ: tuple[tuple[str, object, object], ...]
    new: tuple[tuple[str, object], ...]
    moved: tuple[tuple[str, str], ...]


def leaves(value: Any, path: str = "", name: str = "") -> Iterator[tuple[str, object]]:
    """Every figure of a document with its place: dotted keys, a row of a list as `[what it is about]`."""
    if name in PROSE or value in (None, "", [], {}):
        return
    if isinstance(value, dict):
        # An evidence row points at a place in the document: its value is a figure, its path is where that stands.
        for key, item in value.items():
            if not (key == "path" and "value" in value):
                yield from leaves(item, f"{path}.{key}" if path else key, key)
    elif isinstance(value, list):
        for place, item in zip(_places(value), value, strict=True):
            yield from leaves(item, f"{path}[{place}]", "")
    else:
        yield path, value


def _places(rows: list[Any]) -> list[str]:
    if all(isinstance(row, dict) for row in rows):
        for keys in KEYS:
            named = [",".join(str(row.get(key)) for key in keys) for row in rows]
            if all(key in row for row in rows for key in keys) and len(set(named)) == len(rows):
                return named
    return [str(i) for i in range(len(rows))]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    old, new = dict(leaves(before)), dict(leaves(after))
    places = {path: moved_place(path) for path in old}
    differ = [(path, value, new.get(places[path])) for path, value in old.items() if new.get(places[path]) != value]
    known = set(places.values())
    return Difference(
        differ=tuple(each for each in differ if each[0] != "schema"),
        new=tuple((path, value) for path, value in new.items() if path not in known),
        moved=tuple((path, place) for path, place in places.items() if path != place and place in new),
    )


def moved_place(path: str) -> str:
    """Where a figure of an older schema is now."""
    for old, new in MOVED:
        path = old.sub(new, path)
    return path


def _kind(path: str) -> str:
    """The place without the names of its rows, so that figures that are alike are counted together."""
    return re.sub(r"\[[^\]]*\]", "[]", path)


def main(before: Path, after: Path) -> int:
    names = sorted({p.name for p in before.glob("*.json")} | {p.name for p in after.glob("*.json")})
    differ, moved, fresh = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    examples: dict[tuple[str, str], str] = {}
    compared = 0
    for name in names:
        if not ((before / name).is_file() and (after / name).is_file()):
            differ[name, "the file"] += 1
            examples[name, "the file"] = f"only in {before if (before / name).is_file() else after}"
            continue
        old, new = (json.loads((folder / name).read_text()) for folder in (before, after))
        compared += len(dict(leaves(old)))
        found = compare(old, new)
        for path, a, b in found.differ:
            differ[name, _kind(path)] += 1
            examples.setdefault((name, _kind(path)), f"{path}: {a!r} -> {b!r}")
        moved.update(f"{_kind(a)} -> {_kind(b)}" for a, b in found.moved)
        fresh.update(path.rpartition(".")[0] for path, _ in found.new)
    print(f"{len(names)} reports, {compared:,} figures before; {sum(differ.values()):,} differ")
    for place, count in moved.most_common():
        print(f"  moved {count:>5}  {place}")
    for place, count in fresh.most_common(SHOWN):
        print(f"  new   {count:>5}  {place}")
    for (name, place), count in differ.most_common(SHOWN):
        print(f"  differ {count:>5}  {name} {place}; {examples[name, place]}")
    return bool(differ)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: python -m bench.same_report BEFORE AFTER; {(__doc__ or '').splitlines()[0]}")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
