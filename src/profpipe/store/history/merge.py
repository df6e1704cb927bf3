"""Merges histories from elsewhere. Every file is untrusted until it is checked; either all are merged or none."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from profpipe.errors import StoreError
from profpipe.model.history import moment
from profpipe.model.machine import KEY_LENGTH
from profpipe.store.history.folder import FOLDER, HistoryFile, chosen, list_history, locked, read_pack, write_packs
from profpipe.store.history.parquet import ROWS, database, joined, names_of
from profpipe.store.history.rows import COLUMNS, OLDER, SCHEMA

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A thousand reports of 2,000 functions are 16 packs of some 4 MB and 130,000 rows.
MOST_FILES, MOST_BYTES, MOST_ROWS, MOST_UNPACKED = 10_000, 256 << 20, 20_000_000, 2 << 30
MOST_TEXT = 100_000
_NESTED = {"list": "DOUBLE[]", "element": "DOUBLE"}
_NUMBERS = ("value", "low", "high", "ratio", "calls", "share")
_ALWAYS = (
    "kind", "id", "study", "created", "machine", "machine_text", "profpipe", "variant", "target", "label", "role",
    "dirty", "metric", "metric_label", "unit", "better", "exact",
)  # fmt: skip
# (rule, message when it is broken): what holds for every row that `rows` writes. Rules for what all rows of a report
# share are tested once for each report, because its two thousand rows take twenty times as long.
REPORT_RULES: tuple[tuple[str, str], ...] = (
    ("regexp_full_match(id, '[0-9a-f]{16}')", "an id does not have the form of a report's id"),
    ('"commit" IS NULL OR regexp_full_match("commit", \'[0-9a-f]{7,64}\')', "a commit is not a hash"),
)
RULES: tuple[tuple[str, str], ...] = (
    (" AND ".join(f'"{name}" IS NOT NULL' for name in _ALWAYS), "a required column is empty"),
    ("kind IN ('metric', 'function')", "a row belongs neither to a metric nor to a function"),
    ("gate IS NULL OR gate IN ('passed', 'failed', 'accepted')", "a gate is unknown"),
    ("role IN ('baseline', 'contender', 'control')", "a role is unknown"),
    ("better IN ('lower', 'higher')", "a metric is better neither lower nor higher"),
    (f"machine = left(sha256(machine_text), {KEY_LENGTH})", "the key of a machine does not belong to its facts"),
    ("kind = 'metric' OR (\"function\" IS NOT NULL AND name IS NOT NULL)", "a function has no name"),
    (" AND ".join(f'("{name}" IS NULL OR isfinite("{name}"))' for name in _NUMBERS), "a number is not finite"),
    (
        '"values" IS NULL OR len(list_filter("values", lambda x: NOT isfinite(x))) = 0',
        "a round's value is not finite",
    ),
    (
        "report IS NULL OR (NOT starts_with(report, '/') AND NOT contains(report, '..'))",
        "the path of a report leads outside its folder",
    ),
    (
        " AND ".join(f'coalesce(strlen("{n}"), 0) <= {MOST_TEXT}' for n, kind in COLUMNS.items() if kind == "VARCHAR"),
        f"a text is longer than {MOST_TEXT:,} bytes",
    ),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a history: its key, its description and the number of its reports."""

    key: str
    text: str
    entries: int


@dataclass(frozen=True, slots=True)
class Merge:
    """What would be merged: `new` = (file, entry) that are not in `into` yet; `machines` = those of both sides.

    `whole` = packs that hold nothing but new entries.
    """

    into: Path
    new: tuple[tuple[Path, str], ...]
    whole: tuple[Path, ...]
    known: int
    machines: tuple[Machine, ...]


def plan_merge(folders: Sequence[Path], into: Path) -> Merge:
    """Check every file and find the new entries. Raises StoreError naming each damaged or foreign file."""
    files = [file for folder in folders for file in _source(folder)]
    here = list_history(into)
    problems = [f"{path}: {text}" for path, text in here.damaged]
    with database() as opened:
        problems += [f"{file.path}: {text}" for file in files if (text := _wrong(opened, file)) is not None]
        if problems:
            raise StoreError("nothing was merged:\n  " + "\n  ".join(problems))
        theirs, ours = _entries(opened, files), _entries(opened, here.files)
    best = chosen(files, [(entry, path) for entry, path, *_ in theirs])
    own = {entry for entry, *_ in ours}
    new = tuple((path, entry) for entry, path in sorted(best.items()) if entry not in own)
    held = Counter(path for _, path, *_ in theirs)
    taken = Counter(str(path) for path, _ in new)
    whole = tuple(f.path for f in files if f.entry is None and held[str(f.path)] == taken[str(f.path)])
    machines = {entry: (key, text) for entry, _, key, text in (*theirs, *ours)}
    counted = Counter(machines.values())
    return Merge(
        into=into,
        new=new,
        whole=whole,
        known=len(best) - len(new),
        machines=tuple(Machine(key, text, n) for (key, text), n in sorted(counted.items())),
    )


def carry_out(merge: Merge) -> None:
    """Write the new entries, all of them or none. Raises StoreError.

    A pack with nothing else in it is copied as it is: it was checked, and decoding it takes most of the time. The
    other entries become one pack.
    """
    if not merge.new:
        return
    packs = [read_pack(path) for path in merge.whole]
    whole = frozenset(merge.whole)
    if rest := [(path, entry) for path, entry in merge.new if path not in whole]:
        packs.append(joined(list(dict.fromkeys(path for path, _ in rest)), rest))
    with locked(merge.into):
        write_packs(merge.into, packs)


def _source(folder: Path) -> Sequence[HistoryFile]:
    """The files of a history folder, or of the one in a reports folder. Raises StoreError when there are none."""
    where = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    try:
        with os.scandir(where) as entries:
            found = [entry for entry in entries if entry.name.endswith(".parquet")]
            linked = [entry.path for entry in found if not entry.is_file(follow_symlinks=False)]
            large = [entry.path for entry in found if entry.stat(follow_symlinks=False).st_size > MOST_BYTES]
    except OSError as error:
        raise StoreError(f"{where}: cannot be read: {error.strerror or error}") from error
    problems = [f"{path}: is a link or not a file" for path in linked]
    problems += [f"{path}: is larger than {MOST_BYTES >> 20} MiB" for path in large]
    if len(found) > MOST_FILES:
        problems.append(f"{where}: has more than {MOST_FILES:,} files")
    if not found:
        problems.append(f"{where}: has no history; expected a reports folder or its history/")
    listing = list_history(where) if not problems else None
    if listing is not None:
        problems += [f"{path}: {text}" for path, text in listing.damaged]
    if problems or listing is None:
        raise StoreError("nothing was merged:\n  " + "\n  ".join(problems))
    return listing.files


def _wrong(opened: DuckDBPyConnection, file: HistoryFile) -> str | None:
    """Why this file is not a valid history, or None. Checks its schema and size before it reads any row."""
    import duckdb

    (name,) = names_of([file.path])
    try:
        if (text := _wrong_outside(opened, name)) is not None:
            return text
        for rules, rows in ((RULES, ROWS), (REPORT_RULES, f'(SELECT DISTINCT id, "commit" FROM {ROWS})')):
            tests = ", ".join(f"count(*) FILTER (WHERE NOT coalesce(({rule}), false))" for rule, _ in rules)
            row = opened.execute(f"SELECT {tests} FROM {rows}", {"files": [name]}).fetchone() or ()
            broken = next((text for count, (_, text) in zip(row, rules, strict=True) if count), None)
            if broken is not None:
                return broken
        whole = opened.execute(
            "SELECT DISTINCT id, created, commit_time FROM read_parquet($file)", {"file": name}
        ).fetchall()
    except duckdb.Error as error:
        return f"cannot be read as Parquet: {str(error).partition(chr(10))[0]}"
    if file.entry is not None and {id_ for id_, *_ in whole} != {file.entry}:
        return "the report in it is not the one of its name"
    for _, *times in whole:
        for time in times:
            if time is not None and not _is_time(time):
                return f"{time[:40]!r} is not a time"
    return None


def _wrong_outside(opened: DuckDBPyConnection, name: str) -> str | None:
    """What footer and schema say: read before the rows, since 1 kB of Parquet can unfold to gigabytes."""
    stored = opened.execute(
        "SELECT value FROM parquet_kv_metadata($file) WHERE key = 'schema'", {"file": name}
    ).fetchall()
    schema = next((name for name in OLDER if stored == [(name.encode(),)]), None)
    if schema is None:
        return f"is not marked {SCHEMA}: it was written by another program or version"
    rows = opened.execute("SELECT name, duckdb_type FROM parquet_schema($file) OFFSET 1", {"file": name}).fetchall()
    columns = {name: kind for name, kind in COLUMNS.items() if name not in OLDER[schema]}
    if {n: t for n, t in rows if n not in _NESTED} != columns or len(rows) != len(columns) + len(_NESTED):
        return f"its columns are not those of {schema}"
    query = "SELECT sum(row_group_num_rows) FILTER (WHERE column_id = 0), sum(total_uncompressed_size) "
    size = opened.execute(f"{query} FROM parquet_metadata($file)", {"file": name}).fetchone()
    count, unpacked = size or (0, 0)
    if not count:
        return "holds no row"
    if count > MOST_ROWS or unpacked > MOST_UNPACKED:
        return f"would unfold to {count:,} rows and {unpacked >> 20:,} MiB"
    return None


def _is_time(text: str) -> bool:
    try:
        moment(text)
    except ValueError:
        return False
    return True


def _entries(opened: DuckDBPyConnection, files: Sequence[HistoryFile]) -> list[tuple[str, str, str, str]]:
    """(entry, path, machine, its facts) of every report in the files."""
    if not files:
        return []
    query = "SELECT DISTINCT id, filename, machine, machine_text FROM read_parquet($files, filename = true)"
    rows = opened.execute(query, {"files": names_of([file.path for file in files])}).fetchall()
    return [(entry, path, key, text) for entry, path, key, text in rows]
