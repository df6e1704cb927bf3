"""The seam: what a published study must provide to be compared with a run, and how its tool wrote hotspot lists.

To add one: a folder here with a PublishedStudy, and its key in registry.py. profpipe.toml names it as `reference`; the
page, the comment and report.json then show its rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from profpipe.model.report import Report, SeedRow


class PublishedStudy(Protocol):
    """A published study. `title` heads its section of the page, `about` is the sentence below the title.

    `related` is the id of another study of ours that measures a part of it, or "": the newest report of that study is
    given to `rows`.
    """

    title: str
    about: str
    related: str

    def rows(self, report: Report, related: Report | None) -> tuple[SeedRow, ...]:
        """One row per published statement, in the order of the publication: the statement, our figure, a verdict.

        What the report does not hold is "not measured" with the reason. `related` is None while that study has no
        report. Pure: the same reports give the same rows.
        """
        ...


class NameStyle(Protocol):
    """How the tool of a published study printed a hotspot list, so that old and new lists can be compared."""

    def name(self, name: str) -> str:
        """A function's name, as the capture has it, in the style of the tool."""
        ...

    def listing(self, rows: Iterable[tuple[int, str]], total: int) -> str:
        """The list as the tool printed it, from (value, `file:function`) rows and the total their shares are of."""
        ...
