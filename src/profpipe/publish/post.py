"""Post one report to one pull request: comment, status, attached file.

What a forge refuses becomes a sentence with what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from profpipe.publish.interface import Action, Annotation, Check, Connection, State
from profpipe.publish.place import Place
from profpipe.publish.registry import FORGES
from profpipe.publish.secret import Token, find_token
from profpipe.publish.sticky import Upserted, upsert
from profpipe.publish.wire import ForgeError, Wire

StatusKind = Literal["commit", "check", "none"]


@dataclass(frozen=True, slots=True)
class Message:
    """All text that is sent, rendered already. `render(link)` = the comment with a link to the report."""

    key: str
    render: Callable[[str], str] = field(repr=False)
    link: str
    state: State
    description: str
    page: bytes | None = field(default=None, repr=False)
    annotations: tuple[Annotation, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What was done, and what was not done and why, as one line each."""

    done: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    comment_id: int | None = None
    comment_url: str = ""


def forge_token(place: Place, environment: Mapping[str, str]) -> Token | None:
    return find_token(environment, FORGES.get(place.forge).TOKENS)


def connect(place: Place, token: Token, wire: Wire) -> Connection:
    """A connection to the forge of the place; its token goes into the wire's headers and nowhere else."""
    return FORGES.get(place.forge).connect(place, token, wire)


def no_token(place: Place) -> str:
    forge = FORGES.get(place.forge)
    hint = f". {forge.TOKEN_HINT}" if forge.TOKEN_HINT else ""
    return (
        f"no token: nothing was sent to {place.forge}; set {' or '.join(forge.TOKENS)} in the environment of this "
        f"step{hint}"
    )


def publish(forge: Connection, token: Token, message: Message, *, comment: bool, status: StatusKind) -> Outcome:
    """Post the comment and set the status, each even when the other fails. Raises no ForgeError."""
    outcome = Outcome()
    if comment:
        try:
            _comment(forge, message, outcome)
        except ForgeError as error:
            outcome.warnings.append(f"{error}. {advice(forge.place, token, error, 'comment')}")
    if status != "none":
        try:
            _status(forge, message, status, outcome)
        except ForgeError as error:
            outcome.warnings.append(f"{error}. {advice(forge.place, token, error, status)}")
    return outcome


def _comment(forge: Connection, message: Message, outcome: Outcome) -> None:
    place = forge.place
    if place.pull is None and place.head is not None:
        place = replace(place, pull=forge.find_pull(place.head, place.sha))
        forge.place = place
    if place.pull is None:
        outcome.warnings.append(
            f"no comment: {place.why or 'the pull request is not known'}; give --pull N to name one"
        )
        return
    pull = forge.pull()
    if not pull.open:
        outcome.warnings.append(f"no comment: pull request {pull.number} is closed")
        return
    if place.newest and place.sha != pull.head:
        outcome.warnings.append(
            f"no comment: pull request {pull.number} has moved on since {place.sha[:12]} was measured"
        )
        return
    if pull.locked:
        outcome.done.append(f"the conversation of pull request {pull.number} is locked; trying anyway")
    me, say = forge.me(), outcome.done.append
    kept = upsert(forge, message.key, message.render(message.link), me, say)
    if message.page is not None:
        kept = _attach(forge, message, kept, outcome)
    outcome.comment_id, outcome.comment_url = kept.comment.id, kept.comment.url
    outcome.done.append(f"comment {kept.comment.id} {'created' if kept.created else 'updated'} on {pull.number}")
    if kept.removed:
        outcome.done.append(f"{kept.removed} duplicates of our comment removed")


def _attach(forge: Connection, message: Message, kept: Upserted, outcome: Outcome) -> Upserted:
    """The page at the comment, and a link to it in the comment unless another was given."""
    try:
        url = forge.attach(kept.comment.id, "report.html", message.page or b"")
    except ForgeError as error:
        outcome.warnings.append(f"{error}. The comment was posted without the attached report")
        return kept
    if url is None:
        return kept
    outcome.done.append("report.html attached to the comment")
    if message.link or not url:
        return kept
    body = message.render(url)
    found = upsert(forge, message.key, body, kept.comment.author, outcome.done.append)
    return replace(kept, comment=found.comment)


def _status(forge: Connection, message: Message, kind: StatusKind, outcome: Outcome) -> None:
    if not forge.place.sha:
        outcome.warnings.append("no status: the commit is not known; give --sha")
        return
    context, url = f"profpipe/{message.key}", message.link or outcome.comment_url or forge.place.run_url
    if kind == "check":
        forge.check(
            Check(
                state=message.state,
                description=message.description,
                context=context,
                url=url,
                summary=message.render(message.link),
                annotations=message.annotations,
            )
        )
    else:
        forge.status(message.state, message.description, context, url)
    outcome.done.append(f"{kind} status of {forge.place.sha[:12]}: {message.state}")


def advice(place: Place, token: Token, error: ForgeError, what: Action) -> str:
    """What to do about it, in one sentence."""
    forge = FORGES.get(place.forge)
    if "locked" in error.detail.lower():
        return "The conversation is locked: unlock it, or leave the comment out with --no-comment"
    if error.status == 401:
        hint = f". {forge.TOKEN_HINT}" if forge.TOKEN_HINT else ""
        return f"The token in {token.name} is not accepted: has it expired, and is it of this forge?{hint}"
    if error.status == 403:
        return forge.forbidden(forge.NEEDS[what], token)
    if error.missing:
        return "Does it exist, and may this token see it?"
    if error.status == 422 and what != "comment":
        return "Is the commit in that repository?"
    if error.status == 429:
        return "The forge's rate limit is spent: run the job again later"
    if error.status is None or error.status >= 500:
        return "The report itself is complete: run the job again when the forge answers"
    return "The report itself is complete"
