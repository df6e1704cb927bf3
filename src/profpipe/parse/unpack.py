"""Compressed captures: which layer a file has, and a stream of what is inside. Only the standard library opens them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
from collections.abc import Callable
from typing import IO, Any, BinaryIO

MAX_MEMORY = 256 << 20  # an xz file names the memory that it needs; `xz -9` needs 65 MB, and 4 GB are possible
CHUNK = 1 << 16

Unpack = Callable[[BinaryIO], IO[bytes]]


class _Xz(io.RawIOBase):
    """An xz file of one or more streams. `lzma.LZMAFile` takes no bound of memory."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed, self._inner, self._rest = packed, self._fresh(), b""

    @staticmethod
    def _fresh() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises EOFError where the file ends inside a stream."""
        while True:
            if self._inner.eof:
                rest = (self._inner.unused_data or self._packed.read(CHUNK)).lstrip(b"\0")
                if not rest:
                    return 0
                self._inner, self._rest = self._fresh(), rest
            elif self._inner.needs_input and not self._rest:
                self._rest = self._packed.read(CHUNK)
                if not self._rest:
                    raise EOFError("the compressed file ended before its end mark")
            part = self._inner.decompress(self._rest, len(buffer))
            self._rest = b""
            if part:
                buffer[: len(part)] = part
                return len(part)


def _gzip(packed: BinaryIO) -> IO[bytes]:
    return io.BufferedReader(gzip.GzipFile(fileobj=packed), CHUNK)


def _bzip2(packed: BinaryIO) -> IO[bytes]:
    return bz2.BZ2File(packed)


def _xz(packed: BinaryIO) -> IO[bytes]:
    return io.BufferedReader(_Xz(packed), CHUNK)


LAYERS: tuple[tuple[str, re.Pattern[bytes], Unpack], ...] = (
    ("gzip", re.compile(rb"\x1f\x8b"), _gzip),
    ("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)"), _bzip2),
    ("xz", re.compile(rb"\xfd7zXZ\x00"), _xz),
)
MAGIC_BYTES = 10  # as many as the longest of these looks at


def layer(head: bytes) -> str | None:
    """The name of the compression of a file that begins so, None for one that is not compressed."""
    return next((name for name, magic, _ in LAYERS if magic.match(head)), None)


def unpacker(head: bytes) -> Unpack | None:
    """What opens a file that begins so, None for one that is not compressed."""
    return next((unpack for _, magic, unpack in LAYERS if magic.match(head)), None)
