"""Whether two sets of report.json files hold the same figures, words apart.

`python -m bench.same_report BEFORE AFTER` reads the files of one name in both folders. It prints every figure that
differs and every figure that moved to another place, grouped where many are alike, and exits with 1 when a figure
differs. Words (see PROSE) and values that are null or empty are left out; a row of a list is known by what it is about
(KEYS), not by its place in the list.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
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
Leaves = dict[str, object]
SHOWN = 40


@dataclass(frozen=True)
class Difference:
    """What two documents do not share: figures that differ, and (old place, new place) of parts that moved."""

    differ: tuple[tuple[str, object, object], ...]
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
    differ = [(path, old[path], new[path]) for path in old if path in new and old[path] != new[path]]
    gone, come = _parts(old, new), _parts(new, old)
    moved = []
    for place, part in gone.items():
        there = next((p for p, other in come.items() if other == part and _alike(place, p)), None)
        if there is None:
            differ += [(path, value, None) for path, value in _whole(place, part)]
        else:
            moved.append((place, there))
            del come[there]
    differ += [(path, None, value) for place, part in come.items() for path, value in _whole(place, part)]
    return Difference(tuple(differ), tuple(moved))


def _parts(here: Leaves, there: Leaves) -> dict[str, Leaves]:
    """The largest parts of a document that the other has nothing of: place -> figures by their place in the part."""
    known = {prefix for path in there for prefix in _prefixes(path)}
    found: dict[str, Leaves] = defaultdict(dict)
    for path, value in here.items():
        if path not in there:
            top = next(prefix for prefix in _prefixes(path) if prefix not in known)
            found[top][path[len(top) :]] = value
    return dict(found)


def _prefixes(path: str) -> list[str]:
    """`a.b[c].d` -> a, a.b, a.b[c], a.b[c].d; dots and colons inside [...] are no ends."""
    ends = [match.start() for match in re.finditer(r"(?<=.)[.\[](?![^\[]*\])|\[", path)]
    return [*(path[:end] for end in dict.fromkeys(ends) if end), path]


def _alike(old: str, new: str) -> bool:
    """Whether both places are of one row, as far as the rows are named: a figure does not move to another variant."""
    return old.split("]")[0] == new.split("]")[0] if "[" in old and "[" in new else True


def _whole(place: str, part: Leaves) -> Iterator[tuple[str, object]]:
    return ((place + path, value) for path, value in part.items())


def _kind(path: str) -> str:
    """The place without the names of its rows, so that figures that are alike are counted together."""
    return re.sub(r"\[[^\]]*\]", "[]", path)


def main(before: Path, after: Path) -> int:
    names = sorted({p.name for p in before.glob("*.json")} | {p.name for p in after.glob("*.json")})
    differ, moved = Counter[tuple[str, str]](), Counter[str]()
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
        for a, b in found.moved:
            moved[f"{_kind(a)} -> {_kind(b)}"] += 1
    print(f"{len(names)} reports, {compared:,} figures before; {sum(differ.values()):,} differ")
    for place, count in moved.most_common():
        print(f"  moved {count:>5}  {place}")
    for (name, place), count in differ.most_common(SHOWN):
        print(f"  differ {count:>5}  {name} {place}; {examples[name, place]}")
    return bool(differ)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: python -m bench.same_report BEFORE AFTER; {(__doc__ or '').splitlines()[0]}")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
