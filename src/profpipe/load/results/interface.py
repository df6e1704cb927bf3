"""What a reader of a load generator's result is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from profpipe.model.run import LoadResult


class ResultReader(Protocol):
    """One tool's result. Each module of the registry is one; other packages name theirs in `profpipe.load_results`."""

    def recognises(self, text: str) -> bool:
        """Whether this tool wrote the text."""

    def read(self, text: str) -> LoadResult:
        """The result. What the tool does not say is None. LoadError where the text is not as the tool writes it."""
