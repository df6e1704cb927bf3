"""Cut a window of a callgrind file into lines and numbers with numpy: no Python per line unless a line is odd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

# The columns of a window take some 12 times its size.
WINDOW = 1 << 20

Index = NDArray[np.int64]

# What a line is. CALLS and all above it change what the cost lines after them belong to.
BLANK, COST, JUMP, JCND, OTHER, CALLS, OBJECT, FILE, FN, COBJECT, CFILE, CFN, JFILE, JFN = range(14)
_KEYWORDS = {
    b"fn=": FN, b"fl=": FILE, b"fi=": FILE, b"fe=": FILE, b"ob=": OBJECT,
    b"cfn=": CFN, b"cfi=": CFILE, b"cfl=": CFILE, b"cob=": COBJECT, b"jfi=": JFILE, b"jfn=": JFN,
    b"calls=": CALLS, b"jump=": JUMP, b"jcnd=": JCND,
}  # fmt: skip

# Newlines on both sides let numbers be loaded 8 bytes at a time, ending before or starting after the window.
PAD = b"\n" * 8


def _first_byte_kinds() -> NDArray[np.uint8]:
    kinds = np.full(256, OTHER, np.uint8)
    kinds[list(b"0123456789+-*")] = COST
    kinds[list(b"\n#")] = BLANK
    return kinds


def _keyword_slots() -> tuple[int, NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint8]]:
    """A modulus under which the first three bytes of all keywords differ; per slot mask, word and kind."""
    heads = {int.from_bytes(word[:3], "little"): word for word in _KEYWORDS}
    modulus = next(m for m in range(len(heads), 1000) if len({head % m for head in heads}) == len(_KEYWORDS))
    mask, word, code = np.zeros(modulus, np.uint64), np.ones(modulus, np.uint64), np.full(modulus, OTHER, np.uint8)
    for head, text in heads.items():
        mask[head % modulus] = (1 << 8 * len(text)) - 1
        word[head % modulus] = int.from_bytes(text, "little")
        code[head % modulus] = _KEYWORDS[text]
    return modulus, mask, word, code


_FIRST = _first_byte_kinds()
_MODULUS, _MASK, _WORD, _CODE = _keyword_slots()
# What a cost line may hold, and how many other bytes the lines of each kind have: those of their keyword, and jcnd's /.
_ALPHABET = b"0123456789abcdefABCDEFxX+-* \t"
_LEFT = np.full(JFN + 1, -1, np.int64)
_LEFT[[COST, CALLS, JUMP, JCND]] = [
    len(text.translate(None, _ALPHABET)) for text in (b"", b"calls=", b"jump=", b"jcnd=/")
]


class LineTooLong(Exception):
    """A line that no window holds; the reader adds which one."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a file. `number` is the line number of row 0; the padding counts as blank lines.

    `start` and `end` (of the newline) are byte offsets into `text`; `separators` are the offsets of all bytes up to the
    blank, `first` the index there of a line's first one; `tokens` how many words a line has, an empty one between
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
            raise LineTooLong(
                f"no whole line or call in {size:,} bytes from here: not a callgrind file, or a damaged one"
            )
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
    separators = np.flatnonzero(data <= 32)
    last = np.flatnonzero(data[separators] == 10)
    end = separators[last]
    first = np.zeros(len(end), np.int64)
    np.add(last[:-1], 1, out=first[1:])
    start = np.zeros(len(end), np.int64)
    np.add(end[:-1], 1, out=start[1:])
    kind = _kinds(data, start)
    foreign = _foreign(text, kind)
    kind[foreign & ((kind == JUMP) | (kind == JCND))] = OTHER
    for row in np.flatnonzero((kind == OTHER) & (data[start] <= 32)).tolist():
        if not text[start[row] : end[row]].strip(b" \t"):
            kind[row] = BLANK
    # A blank before the newline (callgrind writes one after calls=) ends no word of its own.
    before = data[end - 1]
    tokens = last - first + 1 - ((before <= 32) & (before != 10))
    return Lines(text, data, start, end, kind, separators, first, tokens, foreign, number - len(PAD))


def eight_bytes(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The 8 bytes from every offset on, as one number; a view, aligned or not."""
    return np.ndarray((len(data) - 7,), "<u8", data, 0, (1,))


def _kinds(data: NDArray[np.uint8], start: Index) -> NDArray[np.uint8]:
    """What each line is, by its first byte, and for letters by its keyword."""
    kind = _FIRST[data[start]]
    worded = np.flatnonzero(kind == OTHER)
    head = eight_bytes(data)[start[worded]]
    slot = (head & np.uint64(0xFFFFFF)) % np.uint64(_MODULUS)
    kind[worded] = np.where((head & _MASK[slot]) == _WORD[slot], _CODE[slot], OTHER)
    return kind


def _foreign(text: bytes, kind: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Cost, calls and jump lines with a byte that has no business there: all others deleted, see what is left of each.

    Positions are checked for their alphabet only, since they are not kept; counts are checked digit by digit.
    """
    left = np.frombuffer(text.translate(None, _ALPHABET), np.uint8)
    count = np.diff(np.flatnonzero(left == 10), prepend=-1) - 1
    due = _LEFT[kind]
    foreign: NDArray[np.bool_] = (count != due) & (due >= 0)
    return foreign
