"""Links to the sources that were measured, on the pages of their forge."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from profpipe.publish.interface import Pages
from profpipe.publish.place import Place
from profpipe.publish.registry import FORGES


@dataclass(frozen=True, slots=True)
class RepositoryPages:
    """The pages of one repository. `web` = its address, without a slash at the end."""

    web: str
    pages: Pages

    def commit(self, sha: str) -> str:
        return f"{self.web}/{self.pages.commit.format(sha=sha)}"

    def line(self, sha: str, path: str, line: int | None) -> str:
        where = self.pages.file.format(sha=sha, path=quote(path, errors="replace"))
        return f"{self.web}/{where}{f'#L{line}' if line is not None else ''}"


def sources_of(place: Place) -> RepositoryPages | None:
    """The pages of the repository of a place; None where its address is not known."""
    forge = FORGES.get(place.forge)
    web = place.web
    # Outside of a CI, GitLab's id of a project is no address.
    if not web and "/" in place.repository and place.api.endswith(ending := forge.api_of("")):
        web = f"{place.api.removesuffix(ending)}/{place.repository}" if ending else ""
    return RepositoryPages(web, forge.PAGES) if web else None
