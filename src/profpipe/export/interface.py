"""What an exporter is: one output format, bytes out of a profile."""

from __future__ import annotations

from typing import Protocol

from profpipe.model.profile import Fact, Profile


class Exporter(Protocol):
    """One output format. Each module of this room is one; other packages name theirs in `profpipe.exporters`."""

    SUFFIX: str
    """How the files of the format usually end, with the dot."""

    NEEDS: frozenset[Fact]
    """What a profile must be able to say; a profile that cannot is refused before `export` is called."""

    def export(self, profile: Profile) -> bytes:
        """The whole file. The first metric is the one to write where a format holds only one."""
