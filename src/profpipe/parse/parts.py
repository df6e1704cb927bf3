"""Formats whose captures hold one process each: the captures of a server's processes, read and added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

from profpipe.errors import InvalidProfile, ParseError
from profpipe.model.join import joined
from profpipe.model.profile import Profile


def add_up(parse: Callable[[BinaryIO, str], Profile], parts: Sequence[tuple[BinaryIO, str]]) -> Profile:
    """The captures of all processes as one profile. Raises ParseError, also when two of them do not count the same."""
    profiles = [parse(raw, source) for raw, source in parts]
    try:
        return joined(profiles)
    except (InvalidProfile, OverflowError) as error:
        raise ParseError(parts[0][1], f"cannot be added up with the captures next to it: {error}") from error
