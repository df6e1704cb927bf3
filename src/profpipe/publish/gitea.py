"""Gitea and Forgejo: GitHub's routes under /api/v1, and files attached to a comment."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from profpipe.publish.actions import from_actions, is_gitea
from profpipe.publish.interface import Action, Pages
from profpipe.publish.issues import Issues, is_owner_and_name
from profpipe.publish.place import Place
from profpipe.publish.secret import Token
from profpipe.publish.wire import ForgeError, Wire

NAME = "gitea"
API = ""
TOKENS = ("PROFPIPE_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN")
TOKEN_HINT = ""
NEEDS: Mapping[Action, str] = {"comment": "write:issue", "commit": "write:repository", "check": "write:repository"}
TAKES_PAGE = True
PAGES = Pages(commit="commit/{sha}", file="src/commit/{sha}/{path}")


def detect(environment: Mapping[str, str]) -> Place | None:
    """The pull request of a job of Gitea's or Forgejo's Actions."""
    return from_actions(NAME, API, environment) if is_gitea(environment) else None


def api_of(url: str) -> str:
    return f"{url}/api/v1"


def fits(repository: str) -> bool:
    return is_owner_and_name(repository)


def forbidden(need: str, token: Token) -> str:
    return f"The token in {token.name} needs the scope `{need}`"


def connect(place: Place, token: Token, wire: Wire) -> Gitea:
    wire.headers = {
        "Authorization": f"token {token.value}",
        "Accept": "application/json",
        "User-Agent": "profpipe",
    }
    return Gitea(wire, place)


@dataclass(slots=True)
class Gitea(Issues):
    """The routes of Issues, and the report as an asset of the comment."""

    neutral: str = "warning"
    page_size: int = 50  # a server's MAX_RESPONSE_ITEMS by default

    def attach(self, comment: int, name: str, data: bytes) -> str:
        """Attach the file, in place of our earlier one of the same name; where it can be opened.

        Servers take .html only where their administrator allows it; zipped it is taken by default.
        """
        path = f"{self.repo}/issues/comments/{comment}/assets"
        earlier = [asset for asset in self.wire.pages(path) if _name(asset) in (name, f"{name}.zip")]
        try:
            made = self._upload(path, name, data, "text/html")
        except ForgeError as error:
            if error.status not in (400, 413, 415, 422):
                raise
            made = self._upload(path, f"{name}.zip", _zip(name, data), "application/zip")
        for asset in earlier:
            self.wire.call("DELETE", f"{path}/{asset['id']}")
        return made

    def _upload(self, path: str, name: str, data: bytes, kind: str) -> str:
        answer = self.wire.call("POST", path, files={"attachment": (name, data, kind)}).body
        url = answer.get("browser_download_url") if isinstance(answer, dict) else None
        if not isinstance(url, str):
            raise ForgeError("the forge's response is not an attached file")
        return url


def _name(asset: Any) -> str:
    return str(asset.get("name", "")) if isinstance(asset, dict) and isinstance(asset.get("id"), int) else ""


def _zip(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: the same report gives the same file.
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
