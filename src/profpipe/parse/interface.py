"""What a parser is: one capture format, recognised by its first bytes and read into a Profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol, runtime_checkable

from profpipe.model.profile import Fact, Profile


class Parser(Protocol):
    """One format. Each module of this room is one; other packages name theirs in `profpipe.parsers`.

    A parser runs nothing, opens nothing and unpickles nothing: it sees bytes only, and these are hostile.
    """

    SAYS: frozenset[Fact]
    """What captures of this format can say at most. A profile says less where the capture does."""

    RECORD: str
    """A command that makes such a capture, or how else one is made: for the table of formats in the documentation."""

    def sniff(self, head: bytes, filename: str) -> bool | None:
        """Whether a file that begins with `head` is of this format; None when more bytes are needed to decide.

        `head` is unzipped and at least one byte. Raises nothing, whatever the bytes. The name is only a hint.
        """

    def parse(self, raw: BinaryIO, source: str) -> Profile:
        """Read one capture; `source` is its name for messages.

        Raises ParseError with the line or byte and what was expected. A capture that was cut short is an error or a
        profile with `meta.partial`; what the format cannot say is None, never 0.
        """


@runtime_checkable
class PartsParser(Parser, Protocol):
    """A parser of a format whose captures may be several files."""

    def parse_parts(self, parts: Sequence[tuple[BinaryIO, str]]) -> Profile:
        """Read the parts of one capture into one profile. Raises as `parse` does."""
