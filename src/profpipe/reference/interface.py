"""The seam: what a published study must provide to be set beside a run, and what it gives to a report.

To add one: a folder here whose `__init__` has a `STUDY`, and its key in registry.py. profpipe.toml names it as
`reference`; the page, the comment and report.json then show its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from profpipe.model.report import Report, SeedRow


@dataclass(frozen=True, slots=True)
class NameStyle:
    """How the tool of a published study printed a hotspot list, so that an old list can be read beside a new one.

    `name` takes a function's name as the capture has it. `listing` takes (value, `file:function`) rows and the total
    that the shares are of, and returns the text of the list.
    """

    name: Callable[[str], str]
    listing: Callable[[Iterable[tuple[int, str]], int], str]


class PublishedStudy(Protocol):
    """A published study. `title` heads its section of the page, `about` is the sentence below the title.

    `related` is the id of another study of ours that measures a part of it, or "": the newest report of that study is
    given to `rows`.
    """

    @property
    def title(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def related(self) -> str: ...

    def rows(self, report: Report, related: Report | None) -> tuple[SeedRow, ...]:
        """One row per published statement, in the order of the publication: the statement, our figure, a verdict.

        What the report does not hold is "not measured" with the reason. `related` is None while that study has no
        report. Pure: the same reports give the same rows.
        """
        ...
