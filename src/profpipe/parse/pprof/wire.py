"""The wire format of Protocol Buffers, as far as profiles use it.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT = 10  # bytes of a number of 64 bits


class WireError(ValueError):
    """The bytes are no message. The text says why."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned number at `at`, modulo 2**64, and where it ends. Raises WireError where it has no end."""
    value = 0
    for i, byte in enumerate(data[at : at + MAX_VARINT]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + i + 1
    raise WireError("a number has no end")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of one message in file order. Fixed-width fields, which profiles do not have, are skipped.

    Raises WireError for bytes that are no message or end in the middle of a field.
    """
    at, end = 0, len(data)
    while at < end:
        tag = data[at]
        # Numbers under 128 are most of a profile; a call for each of them would double the time.
        if tag < 0x80:
            at += 1
        else:
            tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise WireError("a field has the number 0")
        if wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
            if at > end:
                raise WireError("a number goes beyond the end")
            continue
        if at < end and data[at] < 0x80:
            value = data[at]
            at += 1
        else:
            value, at = varint(data, at)
        if wire == VARINT:
            yield number, value
        elif wire == BYTES:
            if value > end - at:
                raise WireError(f"a field of {value:,} bytes goes beyond the end; was the file cut short?")
            yield number, data[at : at + value]
            at += value
        else:
            raise WireError(f"wire type {wire} does not exist in profiles")


def signed(value: int) -> int:
    """An int64 from the unsigned number of the wire."""
    return value - (1 << 64) if value >= 1 << 63 else value


def numbers(data: bytes) -> NDArray[np.int64]:
    """All numbers of packed varints, one behind the other. Raises WireError for a number without an end. O(bytes)."""
    raw = np.frombuffer(data, np.uint8)
    last = np.flatnonzero(raw < 0x80)
    if not len(last):
        if len(raw):
            raise WireError("a number has no end")
        return np.zeros(0, np.int64)
    if last[-1] != len(raw) - 1:
        raise WireError("a number has no end")
    first = np.concatenate(([0], last[:-1] + 1))
    width = last - first + 1
    if int(width.max()) > MAX_VARINT:
        raise WireError("a number is longer than 64 bits")
    found = np.zeros(len(last), np.uint64)
    for i in range(int(width.max())):
        wide = np.flatnonzero(width > i)
        found[wide] |= (raw[first[wide] + i] & 0x7F).astype(np.uint64) << np.uint64(7 * i)
    return found.view(np.int64)


def packed(values: Iterable[int]) -> bytes:
    """Numbers from 0 to 2**64 - 1 as varints, one behind the other."""
    out = bytearray()
    for value in values:
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)
