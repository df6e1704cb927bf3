"""Cut a window of a callgrind file into lines and numbers with numpy: no Python per line unless a line is odd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

# The columns of a window take some 12 times its size.
WINDOW = 1 << 20
MAX_COUNT = 2**63 - 1

Index = NDArray[np.int64]

# What a line is. CALLS and all above it change what the cost lines after them belong to.
BLANK, COST, JUMP, OTHER, CALLS, OBJECT, FILE, FN, COBJECT, CFILE, CFN, JFILE, JFN = range(13)
_KEYWORDS = {
    b"fn=": FN, b"fl=": FILE, b"fi=": FILE, b"fe=": FILE, b"ob=": OBJECT,
    b"cfn=": CFN, b"cfi=": CFILE, b"cfl=": CFILE, b"cob=": COBJECT, b"jfi=": JFILE, b"jfn=": JFN,
    b"calls=": CALLS, b"jump=": JUMP, b"jcnd=": JUMP,
}  # fmt: skip

# Newlines on both sides let numbers be loaded 8 bytes at a time, ending before or starting after the window.
PAD = b"\n" * 8


def _first_byte_kinds() -> NDArray[np.uint8]:
    kinds = np.full(256, OTHER, np.uint8)
    kinds[list(b"0123456789+-*")] = COST
    kinds[list(b"\n#")] = BLANK
    return kinds


def _alphabet() -> bytes:
    """Byte -> 0 where it may stand in a cost or calls line, 1 in a jump line only, 2 nowhere in them."""
    table = bytearray([2] * 256)
    for byte in b"0123456789abcdefABCDEFxX+-* \t\n":
        table[byte] = 0
    table[ord("/")] = 1
    return bytes(table)


_FIRST = _first_byte_kinds()
_ALPHABET = _alphabet()


class LineTooLong(Exception):
    """A line that no window holds; the reader adds which one."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a file. `number` is the line number of row 0; the padding counts as blank lines.

    `start` and `end` (of the newline) are byte offsets into `text`; `separators` are the offsets of all blanks and
    newlines, `first` the index there of a line's first one; `tokens` how many words a line has, an empty one between
    two blanks included. `foreign` = a cost or calls line with a byte that neither may hold.
    """

    text: bytes
    data: NDArray[np.uint8]
    start: Index
    end: Index
    kind: NDArray[np.uint8]
    separators: Index
    first: Index
    tokens: Index
    foreign: NDArray[np.bool_]
    number: int

    def __len__(self) -> int:
        """How many lines of the file these are."""
        return len(self.start) - 2 * len(PAD)

    def line(self, row: int) -> bytes:
        return self.text[self.start[row] : self.end[row]]


def windows(raw: BinaryIO, size: int = WINDOW) -> Iterator[tuple[bytes, bool]]:
    """Pieces of whole lines, each ending in a newline, and whether the last line had its newline in the file.

    A piece never ends between a `calls=` line and its cost line. A last line without a newline comes as a piece of
    its own (with its `calls=` line, if it follows one). Raises LineTooLong for one that no window holds.
    """
    buffer = bytearray(size)
    view = memoryview(buffer)
    held = 0
    while True:
        got = _fill(raw, view[held:])
        held += got
        whole = buffer.rfind(b"\n", 0, held) + 1
        ended = held < size
        cut = whole if ended and whole == held else _before_open_call(buffer, whole)
        if cut == 0 and not ended:
            raise LineTooLong(f"this line exceeds {size:,} bytes: not a callgrind file, or a damaged one")
        if cut:
            yield _unix(bytes(view[:cut])), True
        if ended:
            if cut < held:
                yield _unix(bytes(view[cut:held]) + b"\n"), False
            return
        buffer[: held - cut] = buffer[cut:held]
        held -= cut


def _unix(piece: bytes) -> bytes:
    return piece.replace(b"\r\n", b"\n") if b"\r" in piece else piece


def _fill(raw: BinaryIO, room: memoryview) -> int:
    """Read until the room is full or the file ends: pipes and gzip streams give short reads before their end."""
    got = 0
    while got < len(room):
        read: int | None = raw.readinto(room[got:])  # type: ignore[attr-defined]
        if not read:
            break
        got += read
    return got


def _before_open_call(buffer: bytearray, whole: int) -> int:
    """`whole`, or the start of the last `calls=` line when its cost line is not before `whole`."""
    call = buffer.rfind(b"\ncalls=", 0, whole) + 1
    if call == 0 and not buffer.startswith(b"calls="):
        return whole
    after = buffer.find(b"\n", call, whole) + 1
    while after < whole:
        if buffer[after] not in b"\n\r#":
            return whole
        after = buffer.find(b"\n", after, whole) + 1
    return call


def split(piece: bytes, number: int) -> Lines:
    """Cut a piece of whole lines, whose first line has that number, into rows."""
    text = b"".join((PAD, piece, PAD))
    data = np.frombuffer(text, np.uint8)
    separators = np.flatnonzero((data == 32) | (data == 10) | (data == 9))
    last = np.flatnonzero(data[separators] == 10)
    end = separators[last]
    first = np.concatenate((np.zeros(1, np.int64), last[:-1] + 1))
    start = np.concatenate((np.zeros(1, np.int64), end[:-1] + 1))
    kind = _kinds(data, start)
    # A blank before the newline (callgrind writes one after calls=) ends no word of its own.
    tokens = last - first + 1 - ((data[end - 1] != 10) & (data[end - 1] <= 32))
    foreign = _foreign(piece, kind, start)
    kind[foreign & (kind == JUMP)] = OTHER
    return Lines(text, data, start, end, kind, separators, first, tokens, foreign, number - len(PAD))


def _kinds(data: NDArray[np.uint8], start: Index) -> NDArray[np.uint8]:
    kind = _FIRST[data[start]]
    words = np.flatnonzero(kind == OTHER)
    at = start[words]
    at = np.minimum(at, len(data) - 8)
    head = data[at].astype(np.uint64)
    for i in range(1, 6):
        head |= data[at + i].astype(np.uint64) << np.uint64(8 * i)
    found = kind[words]
    for word, code in _KEYWORDS.items():
        mask = np.uint64((1 << (8 * len(word))) - 1)
        found[(head & mask) == np.uint64(int.from_bytes(word, "little"))] = code
    kind[words] = found
    return kind


def _foreign(piece: bytes, kind: NDArray[np.uint8], start: Index) -> NDArray[np.bool_]:
    """Cost, calls and jump lines with a byte that has no business there.

    Positions are checked for their alphabet only, since they are not kept; counts are checked digit by digit.
    """
    table = np.frombuffer(bytearray(len(PAD)) + bytearray(piece).translate(_ALPHABET) + bytearray(len(PAD)), np.uint8)
    for code, width in ((CALLS, 6), (JUMP, 5)):
        at = start[kind == code]
        for i in range(width):
            table[at + i] = 0
    worst = np.maximum.reduceat(table, start)
    allowed = np.full(len(_FIRST), 2, np.uint8)
    allowed[[COST, CALLS]] = 0
    allowed[JUMP] = 1
    return worst > allowed[kind]


def decimals(data: NDArray[np.uint8], start: Index, end: Index) -> tuple[Index, NDArray[np.bool_]]:
    """The decimal numbers in data[start:end], and which of them are one (digits only, not empty, below 2**63).

    Eight digits at a time: one 64-bit load that ends with the number, then three multiplications.
    """
    length = end - start
    good = (length > 0) & (length <= 19)
    words = np.ndarray((len(data) - 7,), "<u8", data, 0, (1,))
    low = words[np.maximum(end - 8, 0)]
    blank = ((8 - np.clip(length, 1, 8)) * 8).astype(np.uint64)
    low = ((low ^ np.uint64(0x3030303030303030)) >> blank) << blank
    good &= ((low | (low + np.uint64(0x7676767676767676))) & np.uint64(0x8080808080808080)) == 0
    low = low * np.uint64(10) + (low >> np.uint64(8))
    pairs = np.uint64(0x000000FF000000FF)
    low = (low & pairs) * np.uint64(0x000F424000000064) + ((low >> np.uint64(16)) & pairs) * np.uint64(0x271000000001)
    value = (low >> np.uint64(32)).astype(np.int64)
    longer = np.flatnonzero(good & (length > 8))
    if len(longer):
        high, fine = decimals(data, start[longer], end[longer] - 8)
        fine &= high < MAX_COUNT // 10**8
        good[longer] &= fine
        value[longer] += np.where(fine, high, 0) * 10**8
    return value, good
