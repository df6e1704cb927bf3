"""The history folder: Parquet files that are never changed, each named by its content and the digest of it.

A report is one file, `<id>-<digest>.parquet`. DuckDB needs a second to open a thousand of them, so PACK_AT of
them become one `pack-<number>-<digest>.parquet`. When an entry is in several files (a report that was made again, a
pack written just before a crash), the single file counts, then the newest pack. Writers hold the lock; readers need
none.
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
from profpipe.store.files import write_together, write_whole
from profpipe.store.history.parquet import digest, file_digest, in_utf8, joined, table
from profpipe.store.history.rows import Row

FOLDER = "history"
PACK_AT = 64
_LOCK = "lock"
_NAME = re.compile(r"(?:(?P<id>[0-9a-f]{16})|pack-(?P<pack>\d{6}))-(?P<digest>[0-9a-f]{16})\.parquet")


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A file of a history folder; `entry` = the id of its report, None for a pack."""

    path: Path
    entry: str | None
    pack: int
    written: int

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Of two files with the same entry, the one with the higher rank counts."""
        return self.entry is not None, self.pack, self.written


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a history folder. `damaged` = (path, what is wrong) of files that must not be read."""

    files: tuple[HistoryFile, ...] = ()
    damaged: tuple[tuple[Path, str], ...] = ()

    @property
    def paths(self) -> list[Path]:
        return [file.path for file in self.files]


def list_history(folder: Path) -> Listing:
    """Every file of the folder whose digest is right. Raises StoreError when the folder is not readable."""
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
            damaged.append((path, "its content was cut off or changed"))
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
    """Let one process write at a time. The lock ends with its process, however that ends. Raises StoreError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = (folder / _LOCK).open("a")
    except OSError as error:
        raise StoreError(f"{folder}: cannot write a history there: {error.strerror or error}") from error
    with opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def write_entry(folder: Path, entry: str, rows: Sequence[Row]) -> Path:
    """Write the rows of a report, in place of those that were written for it before. Raises StoreError."""
    data = table(rows)
    name = f"{entry}-{digest(data)}.parquet"
    with locked(folder), in_utf8(folder) as place:
        write_whole(place / name, data)
        _remove(other for other in place.glob(f"{entry}-*.parquet") if other.name != name)
        _pack(place)
    return folder / name


def write_packs(folder: Path, packs: Sequence[bytes]) -> None:
    """Write files of many entries each. The caller holds the lock. Raises StoreError."""
    numbers = [int(named["pack"]) for path in folder.glob("pack-*") if (named := _NAME.fullmatch(path.name))]
    first = max(numbers, default=0) + 1
    write_together(
        {folder / f"pack-{number:06d}-{digest(data)}.parquet": data for number, data in enumerate(packs, first)}
    )


def read_pack(path: Path) -> bytes:
    """The bytes of a listed file. Raises StoreError when they are no longer those of its name."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
    named = _NAME.fullmatch(path.name)
    if named is None or digest(data) != named["digest"]:
        raise StoreError(f"{path}: its content was changed while it was read")
    return data


def _pack(folder: Path) -> None:
    """Pack the files of single reports once there are PACK_AT; a damaged file stays, so that it is reported."""
    if sum(not path.name.startswith("pack-") for path in folder.glob("*.parquet")) < PACK_AT:
        return
    alone = [file for file in list_history(folder).files if file.entry is not None]
    if len(alone) < PACK_AT:
        return
    # Only a crash between writing and removing leaves two files of one entry: the newer one counts.
    ordered = sorted(alone, key=lambda file: file.rank)
    keep = {file.entry: file.path for file in ordered if file.entry is not None}
    write_packs(folder, [joined([file.path for file in alone], [(path, entry) for entry, path in keep.items()])])
    _remove(file.path for file in alone)


def _remove(paths: Iterator[Path] | Sequence[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):  # it stays, and the other file has the higher rank
            path.unlink()
