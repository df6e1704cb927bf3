"""The history folder: Parquet files that are never changed, each named by what it holds and by its content's digest.

A report is one file, `<id>-<digest>.parquet`. A thousand of them cost DuckDB a second to open, so when there are
PACK_AT they become one `pack-<number>-<digest>.parquet`. Of an entry that is in several files (a report made again, a
pack that was written just before a crash) its own file counts, then the newest pack.
Who writes holds the lock; readers need none.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from profpipe.errors import StoreError
from profpipe.store.files import write_whole
from profpipe.store.history.parquet import digest, file_digest, joined, table
from profpipe.store.history.rows import Row

FOLDER = "history"
PACK_AT = 64
_LOCK = "lock"
_NAME = re.compile(r"(?:(?P<id>[0-9a-f]{16})|pack-(?P<pack>\d{6}))-(?P<digest>[0-9a-f]{16})\.parquet")


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A file of a history folder; `entry` = the one report it holds, None for a pack."""

    path: Path
    entry: str | None
    pack: int
    written: int

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Which of two files counts for an entry that is in both: the higher one."""
        return self.entry is not None, self.pack, self.written


@dataclass(frozen=True, slots=True)
class Listing:
    """What a history folder holds. `damaged` = (path, what is wrong) of files that must not be read."""

    files: tuple[HistoryFile, ...] = ()
    damaged: tuple[tuple[Path, str], ...] = ()

    @property
    def paths(self) -> list[Path]:
        return [file.path for file in self.files]


def list_history(folder: Path) -> Listing:
    """Every file of the folder whose content is the one it was written with. Raises StoreError (unreadable folder)."""
    files, damaged = [], []
    try:
        paths = sorted(folder.glob("*.parquet"))
    except OSError as error:
        raise StoreError(f"{folder}: cannot be read: {error.strerror or error}") from error
    for path in paths:
        named = _NAME.fullmatch(path.name)
        if named is None:
            damaged.append((path, "its name is not that of a history file"))
            continue
        try:
            same, written = file_digest(path) == named["digest"], path.stat().st_mtime_ns
        except FileNotFoundError:
            continue  # packed away since it was listed
        except OSError as error:
            damaged.append((path, f"cannot be read: {error.strerror or error}"))
            continue
        if same:
            files.append(HistoryFile(path, named["id"], int(named["pack"] or 0), written))
        else:
            damaged.append((path, "its content is not what was written (cut off or changed)"))
    return Listing(tuple(files), tuple(damaged))


def chosen(files: Sequence[HistoryFile], found: Sequence[tuple[str, str]]) -> Mapping[str, Path]:
    """Entry -> the file that counts for it; `found` = (entry, path of a file that holds it)."""
    by_path = {str(file.path): file for file in files}
    best: dict[str, HistoryFile] = {}
    for entry, path in found:
        file = by_path[path]
        if entry not in best or best[entry].rank < file.rank:
            best[entry] = file
    return {entry: file.path for entry, file in best.items()}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process writes at a time; the lock ends with its holder, however that dies. Raises StoreError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = (folder / _LOCK).open("a")
    except OSError as error:
        raise StoreError(f"{folder}: no history can be kept there: {error.strerror or error}") from error
    with opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def write_entry(folder: Path, entry: str, rows: Sequence[Row]) -> Path:
    """Keep the rows of a report; those that were kept of it before are replaced. Raises StoreError."""
    data = table(rows)
    path = folder / f"{entry}-{digest(data)}.parquet"
    with locked(folder):
        write_whole(path, data)
        _remove(other for other in folder.glob(f"{entry}-*.parquet") if other != path)
        _pack(folder)
    return path


def write_pack(folder: Path, data: bytes) -> Path:
    """Keep many entries in one file. The lock must be held. Raises StoreError."""
    numbers = [int(named["pack"]) for path in folder.glob("pack-*") if (named := _NAME.fullmatch(path.name))]
    path = folder / f"pack-{max(numbers, default=0) + 1:06d}-{digest(data)}.parquet"
    write_whole(path, data)
    return path


def _pack(folder: Path) -> None:
    """Join the files of single reports once there are PACK_AT; a damaged one stays where it is, to be named."""
    if sum(not path.name.startswith("pack-") for path in folder.glob("*.parquet")) < PACK_AT:
        return
    alone = [file for file in list_history(folder).files if file.entry is not None]
    if len(alone) < PACK_AT:
        return
    # Two files of one entry are left only by a crash between writing and removing: the newer one counts.
    ordered = sorted(alone, key=lambda file: file.rank)
    keep = {file.entry: file.path for file in ordered if file.entry is not None}
    write_pack(folder, joined([file.path for file in alone], [(path, entry) for entry, path in keep.items()]))
    _remove(file.path for file in alone)


def _remove(paths: Iterator[Path] | Sequence[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):  # it stays and is outranked
            path.unlink()
