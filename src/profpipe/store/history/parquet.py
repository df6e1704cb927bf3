"""Reads and writes Parquet with an in-memory DuckDB that loads no extension and reads only the named files."""

from __future__ import annotations

import glob
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profpipe.characters import well_formed
from profpipe.store.history.rows import COLUMNS, OLDER, SCHEMA, Row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DIGEST_LENGTH = 16
MEMORY = "1GB"
_FORMAT = f"(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, KV_METADATA {{schema: '{SCHEMA}'}})"
# The rows of $files, where a column that no file has is NULL.
_NEW = ", ".join(f'NULL::{COLUMNS[name]} AS "{name}"' for name in sorted(frozenset().union(*OLDER.values())))
ROWS = (
    "(SELECT * FROM read_parquet($files, filename = true, union_by_name = true) "
    f"UNION ALL BY NAME SELECT {_NEW} WHERE false)"
)
ORDER = 'ORDER BY kind, metric, "function", variant, id'


@contextmanager
def in_utf8(folder: Path) -> Iterator[Path]:
    """The folder under a path that DuckDB can take: it throws `std::bad_cast` at one that is not UTF-8."""
    if folder.exists() and well_formed(str(folder)) != str(folder):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield Path(f"/proc/self/fd/{opened}")
        finally:
            os.close(opened)
    else:
        yield folder


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder that DuckDB can write to."""
    with tempfile.TemporaryDirectory(prefix="profpipe-history-") as folder, in_utf8(Path(folder)) as path:
        yield path


@contextmanager
def database() -> Iterator[DuckDBPyConnection]:
    """A new database. What does not fit into memory goes to a temporary folder that is removed."""
    import duckdb

    with scratch() as spill:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY,
            "temp_directory": str(spill),
        }
        with duckdb.connect(":memory:", config=settings) as opened:
            yield opened


def names_of(paths: Sequence[Path]) -> list[str]:
    """Paths for read_parquet, escaped because it reads brackets and stars in a name as a pattern."""
    return [glob.escape(str(path)) for path in paths]


def table(rows: Sequence[Row]) -> bytes:
    """The rows as one Parquet file."""
    columns = list(zip(*rows, strict=True))
    picked = ", ".join(f'unnest($c{i}::{kind}[]) AS "{name}"' for i, (name, kind) in enumerate(COLUMNS.items()))
    values = {f"c{i}": list(column) for i, column in enumerate(columns)}
    with database() as opened:
        return copied(opened, f"SELECT * FROM (SELECT {picked}) {ORDER}", values)


def joined(paths: Sequence[Path], keep: Sequence[tuple[Path, str]]) -> bytes:
    """One Parquet file with the entries (file, id) of `keep`, read from `paths`."""
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    pairs = {"kept": [str(path) for path, _ in keep], "ids": [id_ for _, id_ in keep]}
    query = (
        f"SELECT {columns} FROM {ROWS} WHERE (filename, id) IN "
        f"(SELECT (unnest($kept::VARCHAR[]), unnest($ids::VARCHAR[]))) {ORDER}"
    )
    with database() as opened:
        return copied(opened, query, {"files": names_of(paths), **pairs})


def copied(opened: DuckDBPyConnection, query: str, values: dict[str, Any]) -> bytes:
    """The bytes that COPY writes, read from a temporary file because DuckDB neither syncs nor renames."""
    with scratch() as folder:
        target = folder / "rows.parquet"
        quoted = str(target).replace("'", "''")
        opened.execute(f"COPY ({query}) TO '{quoted}' {_FORMAT}", values)
        return target.read_bytes()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:DIGEST_LENGTH]


def file_digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:DIGEST_LENGTH]
