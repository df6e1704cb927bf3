"""Codehost: an imaginary forge with GitHub's routes under /api, and a CI of its own that sets CODEHOST_CI."""

from __future__ import annotations

from collections.abc import Mapping

from profpipe.publish.interface import Action, Pages
from profpipe.publish.issues import Issues, is_owner_and_name
from profpipe.publish.place import Place, pull_number
from profpipe.publish.secret import Token
from profpipe.publish.wire import Wire

NAME = "codehost"
API = ""
TOKENS = ("PROFPIPE_TOKEN", "CODEHOST_TOKEN")
TOKEN_HINT = "A token is made under Settings, Applications"
NEEDS: Mapping[Action, str] = {"comment": "pulls", "commit": "statuses", "check": "statuses"}
TAKES_PAGE = False
PAGES = Pages(commit="commit/{sha}", file="blob/{sha}/{path}")


def detect(environment: Mapping[str, str]) -> Place | None:
    if environment.get("CODEHOST_CI") != "true":
        return None
    return Place(
        NAME,
        environment.get("CODEHOST_API", ""),
        environment.get("CODEHOST_REPOSITORY", ""),
        pull_number(environment.get("CODEHOST_PULL")),
        environment.get("CODEHOST_COMMIT", ""),
        why="the job does not belong to a pull request",
    )


def api_of(url: str) -> str:
    return f"{url}/api"


def fits(repository: str) -> bool:
    return is_owner_and_name(repository)


def forbidden(need: str, token: Token) -> str:
    return f"The token in {token.name} needs the scope `{need}`"


def connect(place: Place, token: Token, wire: Wire) -> Issues:
    wire.headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}
    return Issues(wire, place)
