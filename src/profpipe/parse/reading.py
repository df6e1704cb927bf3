"""What every reader needs: captures opened with bounds, text decoded without losing bytes, numbers that fit."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import lzma
import math
import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, Meta, Profile
from profpipe.parse.other_formats import folder_text
from profpipe.parse.unpack import MAGIC_BYTES, unpacker

MAX_BYTES = 2 << 30
# Deflate reaches 1,028:1 on zeros; of our captures the most repetitive, austin with 20 threads, has 83:1.
# Small files may always grow to GROWTH_FLOOR.
MAX_RATIO = 300
GROWTH_FLOOR = 64 << 20
CHUNK = 16 << 20
BLOCK = 1 << 20
INT64_MAX = (1 << 63) - 1
INT32_MAX = (1 << 31) - 1
PYTHON_FILES = (".py", ".pyw", ".pyx", ".pxd", ".ipynb")


@contextmanager
def open_capture(path: Path, *, limit: int = MAX_BYTES) -> Iterator[BinaryIO]:
    """The bytes of a capture, one layer of gzip, bzip2 or xz taken off while reading.

    Raises ParseError for anything but a regular file (a FIFO would hang), for a damaged layer, and as soon as more
    than `limit` bytes, or more than MAX_RATIO times the file's size, would come out.
    """
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise ParseError(path, f"not a regular file but {folder_text(path)}")
        if not stat.S_ISREG(info.st_mode):
            raise ParseError(path, "not a regular file; give the file the profiler wrote")
        with path.open("rb") as plain:
            unpack = unpacker(plain.read(MAGIC_BYTES))
            plain.seek(0)
            if unpack is None:
                if info.st_size > limit:
                    raise ParseError(
                        path, f"{info.st_size:,} bytes; profpipe reads at most {limit:,}, or what --max-size says"
                    )
                yield plain
                return
            bound = min(limit, max(GROWTH_FLOOR, MAX_RATIO * info.st_size))
            with unpack(plain) as inflated:
                yield io.BufferedReader(_Bounded(inflated, path, bound), 1 << 20)
    except (gzip.BadGzipFile, zlib.error, EOFError, lzma.LZMAError) as error:
        raise ParseError(path, f"damaged gzip, bzip2 or xz file ({error}); was it cut short?") from error
    except OSError as error:
        raise ParseError(path, f"cannot be read: {error.strerror or error}") from error


class _Bounded(io.RawIOBase):
    """A stream that stops with ParseError at its limit: memory is bounded while inflating, not after."""

    def __init__(self, inner: IO[bytes], path: Path, limit: int) -> None:
        self._inner, self._path, self._limit, self._seen = inner, path, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._inner.read(len(buffer))
        self._seen += len(chunk)
        if self._seen > self._limit:
            raise ParseError(
                self._path,
                f"inflates to more than {self._limit:,} bytes: refused as a compression bomb; --max-size bounds it",
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)


def read_all(raw: BinaryIO, source: str, *, limit: int = MAX_BYTES) -> bytes:
    """Everything, or ParseError over `limit` bytes and on nothing at all."""
    # read(limit + 1) would ask for that much memory at once.
    chunks, size = [], 0
    while chunk := raw.read(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise ParseError(source, f"over {limit:,} bytes; profpipe reads no larger captures")
    data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if not data:
        raise empty(source)
    return data


def empty(source: str) -> ParseError:
    return ParseError(
        source,
        "empty file: the profiler saved nothing. It was killed before it wrote, it saw no sample in the window, or it "
        "watched a parent whose forked workers did the work (py-spy: --subprocesses; valgrind: --trace-children=yes "
        "with %p in the file name)",
    )


class TextLines:
    """Lines of a text capture as (number from 1, text), ended by LF, CRLF or CR, in UTF-8 or, with its mark, UTF-16.

    Bytes that are not text become \\xNN. After iteration: `replaced` = lines with such bytes, `complete` = the last
    line has its line end (a writer that was killed leaves it without), `any` = there was at least one byte.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.replaced = 0
        self.complete = True
        self.any = False

    def __iter__(self) -> Iterator[tuple[int, str]]:
        number = 1
        for block in self._blocks():
            lines = self._lines(block)
            yield from enumerate(lines, number)
            number += len(lines)

    def _lines(self, block: bytes) -> list[str]:
        """The lines of a block: all at once where it is plain text, since a capture may have a million of them."""
        self.complete = block.endswith((b"\n", b"\r"))
        block = block.removesuffix(b"\n")
        try:
            text = block.decode()
        except UnicodeDecodeError:
            pass
        else:
            if "\r" not in text:
                return text.split("\n")
        return [part for data in block.split(b"\n") for part in self._text(data).removesuffix("\r").split("\r")]

    def _text(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.replaced += 1
            return line.decode(errors="backslashreplace")

    def _blocks(self) -> Iterator[bytes]:
        """Whole lines, BLOCK bytes or more at a time, without a byte order mark."""
        block = self._raw.readline()
        if block[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            everything = (block + self._raw.read()).decode("utf-16", errors="backslashreplace")
            block = everything.encode(errors="backslashreplace")
        self.any = bool(block)
        block = block.removeprefix(codecs.BOM_UTF8)
        while block:
            yield block
            block = self._raw.read(BLOCK)
            if not block.endswith(b"\n"):
                block += self._raw.readline()

    def warnings(self) -> tuple[str, ...]:
        return (f"{self.replaced:,} lines hold bytes that are not UTF-8; shown as \\xNN",) if self.replaced else ()


def opens_json(head: bytes, opening: tuple[bytes, ...] = (b"{",)) -> bool:
    """Whether these first bytes can begin a JSON document of that kind: by default an object."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(opening)


def read_json(raw: BinaryIO, source: str) -> Any:
    """A JSON document, or ParseError: cut short, too deep for the reader, NaN or Infinity, numbers of 5,000 digits."""
    return parse_json(read_all(raw, source), source)


def parse_json(data: bytes, source: str) -> Any:
    """The same of bytes that were read already."""
    try:
        return json.loads(data, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ParseError(source, f"not whole JSON: {error.msg}; was it cut short?", line=error.lineno) from error
    except UnicodeDecodeError as error:
        raise ParseError(source, "not text in UTF-8, UTF-16 or UTF-32", offset=error.start) from error
    except RecursionError as error:
        raise ParseError(source, "nested too deep for a profile; save the session instead of the tree") from error
    except ValueError as error:
        raise ParseError(source, f"a number that no profile holds: {error}") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} instead of a number")


def clean(text: str) -> str:
    """Text without lone surrogates (JSON and marshal can hold them); they become \\udNNN."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def nanoseconds(value: object, source: str, what: str) -> int:
    """Seconds to whole nanoseconds. ParseError unless a finite number from 0 to 292 years."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParseError(source, f"{what} is {_short(value)}, expected seconds")
    if isinstance(value, int) and abs(value) > INT32_MAX * 4:
        raise ParseError(source, f"{what} is {_short(value)}, too large for seconds")
    if not math.isfinite(value) or value < 0 or value * 1e9 >= INT64_MAX:
        raise ParseError(source, f"{what} is {_short(value)}, expected seconds from 0 on")
    return round(value * 1e9)


def whole(value: object, source: str, what: str) -> int:
    """A count from 0 to int64's end, or ParseError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= INT64_MAX:
        raise ParseError(source, f"{what} is {_short(value)}, expected a whole number from 0 on")
    return value


def text_field(value: object, source: str, what: str) -> str:
    if not isinstance(value, str):
        raise ParseError(source, f"{what} is {_short(value)}, expected text")
    return clean(value)


def list_field(value: object, source: str, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ParseError(source, f"{what} is {_short(value)}, expected a list")
    return value


def object_field(value: object, source: str, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ParseError(source, f"{what} is {_short(value)}, expected an object")
    return value


def _short(value: object) -> str:
    if isinstance(value, int) and not -INT64_MAX <= value <= INT64_MAX:
        return "a number of over 64 bits"  # repr of 5,000 digits raises
    if isinstance(value, dict | list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    shown = clean(repr(value))
    return shown if len(shown) <= 60 else shown[:57] + "..."


_DIGITS = re.compile(r"\d{1,10}", re.ASCII)


def line_number(value: object) -> int:
    """A source line; 0 = unknown for what is none (py-spy writes -59649 for a torn frame)."""
    if isinstance(value, str):
        value = int(value) if _DIGITS.fullmatch(value) else 0
    return value if isinstance(value, int) and 0 < value <= INT32_MAX else 0


def runtime_of(file: str) -> int:
    """Python for source files and names like <string>; native for the rest (socketmodule.c)."""
    return PYTHON if file.endswith(PYTHON_FILES) or file.startswith("<") else NATIVE


def finish(builder: Builder, meta: Meta, declared: Mapping[str, int | None] | None = None) -> Profile:
    """The checked profile. ParseError when it is empty or when a count or a sum leaves int64."""
    source = meta.source or meta.format
    try:
        profile = builder.freeze(meta, declared)
    except OverflowError as error:
        raise ParseError(source, "a count does not fit 64 bits") from error
    tables = (profile.samples, profile.costs, profile.calls, profile.measured)
    for table in tables:
        for key, column in table.values.items() if table is not None else ():
            if float(column.sum(dtype=np.float64)) > INT64_MAX * 0.999:
                raise ParseError(source, f"the sum of {key} does not fit 64 bits")
    if not profile.functions.name:
        raise ParseError(source, "no function in it: nothing was recorded in the window")
    return profile


def share(part: int, whole_: int) -> str:
    """A part of a whole in percent; a part that is neither nothing nor all never reads as 0.0 % or 100.0 %."""
    if not whole_ or not part:
        return "0 %"
    percent = 100 * part / whole_
    if percent < 0.05:
        return "less than 0.1 %"
    return f"{percent:.1f} %" if part == whole_ or percent < 99.95 else "more than 99.9 %"
