"""Links of a comment: to the report, to commits and to lines of the sources, where the forge is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from profpipe.errors import ReportError
from profpipe.render.comment.escape_markdown import Md, code

# An absolute URL without characters that could end the parentheses of a Markdown link.
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,2000}")
_HASH = re.compile(r"[0-9a-f]{7,64}")
# Characters of a hash that readers compare by eye; git's own default.
SHORT = 7


class Sources(Protocol):
    """Where a forge shows the commits of the repository that was measured."""

    def commit(self, sha: str) -> str:
        """The page of a commit."""

    def line(self, sha: str, path: str, line: int | None) -> str:
        """The page of a file at a commit, at a line where one is known."""


@dataclass(frozen=True, slots=True)
class Links:
    """`report` = where report.html can be opened, empty = unknown. `sources` = None where no forge is known."""

    report: str = ""
    sources: Sources | None = None

    def check(self) -> None:
        """Raises ReportError when the link to the report is not one that Markdown could hold."""
        if self.report and not _LINK.fullmatch(self.report):
            raise ReportError("the link to the report is not http:// or https:// with the signs of a URL: leave it out")

    def commit(self, sha: str) -> Md:
        """The short hash, as a link where there is one."""
        url = self.sources.commit(sha) if self.sources is not None and _HASH.fullmatch(sha) else ""
        return _linked(code(sha[:SHORT]), url)

    def place(self, sha: str, path: str, line: int | None, text: str) -> Md:
        """A place in the sources, as a link where there is one."""
        known = self.sources is not None and path and _HASH.fullmatch(sha)
        url = self.sources.line(sha, path, line) if self.sources is not None and known else ""
        return _linked(code(text), url)


def _linked(text: Md, url: str) -> Md:
    return Md(f"[{text}]({url})") if _LINK.fullmatch(url) else text
