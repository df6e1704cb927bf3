"""One report on one pull request: comment, status, attached file; a refusal becomes a sentence with what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from profpipe.publish.gitea import Gitea, gitea
from profpipe.publish.github import GitHub, github
from profpipe.publish.gitlab import JOB_TOKEN, GitLab, gitlab
from profpipe.publish.issues import State
from profpipe.publish.place import TOKENS, Place
from profpipe.publish.secret import Token, find_token
from profpipe.publish.sticky import Upserted, upsert
from profpipe.publish.wire import ForgeError, Wire

StatusKind = Literal["commit", "check", "none"]
AnyForge = GitHub | Gitea | GitLab


@dataclass(frozen=True, slots=True)
class Message:
    """All text that is sent, rendered already. `render(link)` = the comment with a link to the report."""

    key: str
    render: Callable[[str], str] = field(repr=False)
    link: str
    state: State
    description: str
    page: bytes | None = field(default=None, repr=False)


@dataclass(slots=True)
class Outcome:
    """What was done, and what was not with the reason: both in words, one line each."""

    done: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    comment_id: int | None = None
    comment_url: str = ""


def forge_token(place: Place, environment: Mapping[str, str]) -> Token | None:
    return find_token(environment, TOKENS[place.forge])


def connect(place: Place, token: Token, wire: Wire) -> AnyForge:
    """The forge of the place; its token goes into the wire's headers and nowhere else."""
    made: dict[str, Callable[[Place, Token, Wire], AnyForge]] = {"github": github, "gitea": gitea, "gitlab": gitlab}
    return made[place.forge](place, token, wire)


def no_token(place: Place, environment: Mapping[str, str]) -> str:
    names = " or ".join(TOKENS[place.forge])
    more = f". {JOB_TOKEN}" if place.forge == "gitlab" and environment.get("CI_JOB_TOKEN") else ""
    return f"no token: nothing was sent to {place.forge}; set {names} in the environment of this step{more}"


def publish(forge: AnyForge, token: Token, message: Message, *, comment: bool, status: StatusKind) -> Outcome:
    """Comment and status; each of them tried, whatever becomes of the other. Raises nothing of the forge's."""
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


def _comment(forge: AnyForge, message: Message, outcome: Outcome) -> None:
    place = forge.place
    if place.pull is None and place.head is not None and isinstance(forge, GitHub):
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
        outcome.done.append(f"the conversation of pull request {pull.number} is locked; trying all the same")
    me, say = forge.me(), outcome.done.append
    kept = upsert(forge, message.key, message.render(message.link), me, say)
    if isinstance(forge, Gitea) and message.page is not None:
        kept = _attach(forge, message, kept, outcome)
    outcome.comment_id, outcome.comment_url = kept.comment.id, kept.comment.url
    outcome.done.append(f"comment {kept.comment.id} {'created' if kept.created else 'updated'} on {pull.number}")
    if kept.removed:
        outcome.done.append(f"{kept.removed} more of our comments with this key removed")


def _attach(forge: Gitea, message: Message, kept: Upserted, outcome: Outcome) -> Upserted:
    """The page at the comment, and a link to it in the comment unless another was given."""
    try:
        url = forge.attach(kept.comment.id, "report.html", message.page or b"")
    except ForgeError as error:
        outcome.warnings.append(f"{error}. The comment stands without the attached report")
        return kept
    outcome.done.append("report.html attached to the comment")
    if message.link or not url:
        return kept
    body = message.render(url)
    found = upsert(forge, message.key, body, kept.comment.author, outcome.done.append)
    return replace(kept, comment=found.comment)


def _status(forge: AnyForge, message: Message, kind: StatusKind, outcome: Outcome) -> None:
    if not forge.place.sha:
        outcome.warnings.append("no status: the commit is not known; give --sha")
        return
    context, url = f"profpipe/{message.key}", message.link or outcome.comment_url or forge.place.run_url
    if kind == "check" and isinstance(forge, GitHub):
        forge.check_run(message.state, message.description, context, url, message.render(message.link))
    else:
        forge.status(message.state, message.description, context, url)
    outcome.done.append(f"{kind} status of {forge.place.sha[:12]}: {message.state}")


_NEEDS = {
    "github": {"comment": "pull-requests: write", "commit": "statuses: write", "check": "checks: write"},
    "gitea": {"comment": "write:issue", "commit": "write:repository", "check": "write:repository"},
    "gitlab": {"comment": "api", "commit": "api", "check": "api"},
}


def advice(place: Place, token: Token, error: ForgeError, what: str) -> str:
    """What to do about it, in one sentence."""
    need = _NEEDS[place.forge][what]
    if "locked" in error.detail.lower():
        return "The conversation is locked: unlock it, or leave the comment out with --no-comment"
    if error.status == 401:
        more = f". {JOB_TOKEN}" if place.forge == "gitlab" else ""
        return f"The token in {token.name} is not accepted: has it expired, and is it of this forge?{more}"
    if error.status == 403 and place.forge == "github":
        return (
            f"The job needs `permissions: {need}`; a pull request from a fork has a read-only token whatever the "
            "workflow says: use the two workflows for forks in docs/ci.md"
        )
    if error.status == 403:
        return f"The token in {token.name} needs the scope `{need}`"
    if error.missing:
        return "Does it exist, and may this token see it?"
    if error.status == 422 and what != "comment":
        return "Is the commit in that repository?"
    if error.status == 429:
        return "The forge's rate limit is spent: run the job again later"
    if error.status is None or error.status >= 500:
        return "The report itself is whole: run the job again when the forge answers"
    return "The report itself is whole"
