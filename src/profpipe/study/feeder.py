"""A CSV file whose rows give values to the requests of a load: `{csv:COLUMN}`."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr

from profpipe.study.requests import Part

SIZE_LIMIT = 16 << 20
Rows = tuple[tuple[str, ...], ...]


class Feeder(Part):
    """A CSV file (RFC 4180, UTF-8) with a header: each request that has `{csv:COLUMN}` takes one row."""

    file: str = Field(description="the file, relative to profpipe.toml")
    order: Literal["sequence", "random"] = Field(
        "sequence", description="random: every row once in an order that is the same in every run, then once more"
    )
    at_end: Literal["repeat", "stop"] = Field(
        "repeat", description="after the last row: begin again, or end the load, whose run is then invalid"
    )

    # No keys of the file: its content.
    _columns: tuple[str, ...] = PrivateAttr(())
    _rows: Rows = PrivateAttr(())

    @property
    def columns(self) -> tuple[str, ...]:
        return self._columns

    @property
    def rows(self) -> Rows:
        return self._rows

    def filled(self, root: Path) -> Feeder:
        """The feeder with the content of its file. Raises ValueError as `read_rows`."""
        found = self.model_copy()
        found._columns, found._rows = read_rows(root, self.file)
        return found


def read_rows(root: Path, name: str) -> tuple[tuple[str, ...], Rows]:
    """Columns and rows of a CSV file below `root`. ValueError says what is wrong with it, with the line it is in."""
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{name} is outside the folder of this file; a feeder stays inside it")
    if not path.is_file():
        raise ValueError(f"no such file: {name} (relative to this file)")
    if (size := path.stat().st_size) > SIZE_LIMIT:
        raise ValueError(f"{name} has {size:,} bytes; a feeder has {SIZE_LIMIT:,} at most")
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}:{line}: not UTF-8 (byte 0x{raw[error.start]:02x})") from error
    return _parsed(name, text)


def _parsed(name: str, text: str) -> tuple[tuple[str, ...], Rows]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    line = 1
    try:
        for fields in reader:
            if fields and not columns:
                columns = _header(f"{name}:{line}", fields)
            elif fields and len(fields) != len(columns):
                has = f"{len(fields)} field{'s' * (len(fields) > 1)}"
                raise ValueError(f"{name}:{line}: it has {has}, and the header has {len(columns)}")
            elif fields:
                rows.append(tuple(fields))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{name}:{line}: not CSV: {error}") from error
    if not columns:
        raise ValueError(f"{name} is empty: its first line names the columns")
    if not rows:
        raise ValueError(f"{name} has a header and no rows")
    return columns, tuple(rows)


def _header(place: str, fields: list[str]) -> tuple[str, ...]:
    columns = tuple(field.strip() for field in fields)
    for number, column in enumerate(columns, 1):
        if not column or not column.isascii() or any(sign in column for sign in "{}\r\n"):
            raise ValueError(f"{place}: column {number} has no name that fits into {{csv:NAME}}: {column!r}")
        if columns.index(column) != number - 1:
            raise ValueError(f"{place}: two columns have the name {column!r}")
    return columns
