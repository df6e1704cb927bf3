"""What a forge is: a kind of code host where a report can be attached to a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from profpipe.publish.place import Head, Place
from profpipe.publish.secret import Token
from profpipe.publish.sticky import Thread
from profpipe.publish.wire import Wire

DESCRIPTION = 140  # characters of a status' description that every forge takes
# neutral: nothing failed, and nothing proves that nothing is worse. Each forge shows it as something other than a tick.
State = Literal["success", "failure", "error", "neutral"]
Action = Literal["comment", "commit", "check"]


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request or merge request. `head` is the hash of its newest commit."""

    number: int
    open: bool
    locked: bool
    head: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """A sentence on lines of the commit. `first` and `last` count from 1; `failure` = it fails the change."""

    path: str
    first: int
    last: int
    title: str
    text: str
    failure: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A status with more to say. `summary` is Markdown."""

    state: State
    description: str
    context: str
    url: str
    summary: str
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a forge shows sources, below the address of a repository: templates of {sha} and {path}."""

    commit: str
    file: str


class Connection(Thread, Protocol):
    """One repository of a forge, and its comments on the pull request of `place`. Every method raises ForgeError."""

    place: Place

    def me(self) -> str | None:
        """The login that the token belongs to; None when this token may not ask."""

    def find_pull(self, head: Head, sha: str) -> int | None:
        """The number of the open pull request from that branch at that commit; None where this cannot be asked."""

    def pull(self) -> Pull:
        """The pull request of `place`."""

    def attach(self, comment: int, name: str, data: bytes) -> str | None:
        """Attach a file to one of our comments; the address where it can be opened. None where files are not taken."""

    def status(self, state: State, description: str, context: str, url: str) -> None:
        """Set the status `context` of the commit of `place`; an empty `url` = no link."""

    def check(self, check: Check) -> None:
        """The status as a check run with its annotations; a plain status where check runs do not exist."""


class Forge(Protocol):
    """One kind of forge. The modules of the registry are forges; other packages name theirs in `profpipe.forges`."""

    NAME: str
    """The value of `Place.forge`, and the name in messages."""

    API: str
    """The address of the API when it is always the same, else empty."""

    TOKENS: tuple[str, ...]
    """Environment variables that may hold the token, the first one set is used."""

    TOKEN_HINT: str
    """What to know about this forge's tokens when there is none or it is not accepted; may be empty."""

    NEEDS: Mapping[Action, str]
    """The permission or scope that the token needs for each action."""

    TAKES_PAGE: bool
    """Whether report.html can be attached to a comment."""

    PAGES: Pages
    """Where the forge shows a commit, and a file at a commit; `#L6` behind it is line 6."""

    def detect(self, environment: Mapping[str, str]) -> Place | None:
        """Where the report goes when this forge's own CI runs us; None elsewhere.

        Raises UsageError when a file of the CI cannot be read.
        """

    def api_of(self, url: str) -> str:
        """The address of the API of the forge whose pages are at `url`."""

    def fits(self, repository: str) -> bool:
        """Whether this can be the name or id of a repository: it becomes part of the paths that are asked for."""

    def forbidden(self, need: str, token: Token) -> str:
        """What to do when the token lacks the permission `need` (status 403), in one sentence."""

    def connect(self, place: Place, token: Token, wire: Wire) -> Connection:
        """A connection whose token is in the wire's headers and nowhere else. Sends nothing yet."""
