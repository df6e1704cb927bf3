"""Turns a finished report into the message for its pull request: rendered, without secrets, with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from profpipe.credentials import secret_values
from profpipe.errors import ReportError, UsageError
from profpipe.model.report import Report
from profpipe.pipeline.gate.judge import regressions
from profpipe.pipeline.gate.rules import gate_rule
from profpipe.pipeline.reporting.report_files import load_report, without_credentials
from profpipe.publish.interface import DESCRIPTION, Annotation, State
from profpipe.publish.locate import check_place, detect
from profpipe.publish.place import Place
from profpipe.publish.post import Message, StatusKind
from profpipe.publish.registry import FORGES
from profpipe.publish.sources import sources_of
from profpipe.publish.sticky import marker


@dataclass(frozen=True, slots=True)
class AttachOptions:
    """Options of the command line; an empty one is taken from the environment."""

    forge: str = ""
    api: str = ""
    repository: str = ""
    pull: int | None = None
    sha: str = ""
    key: str = ""
    link: str = ""
    comment: bool = True
    status: StatusKind = "commit"
    fail_on: tuple[str, ...] = ()
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """What will be sent, and where. `place` is None, with the reason in `why`, when there is no place."""

    report: Report
    message: Message
    place: Place | None
    why: str
    wanted: AttachOptions
    secrets: tuple[str, ...]


def prepare_report(path: Path, wanted: AttachOptions, environment: Mapping[str, str]) -> PreparedMessage:
    return prepare(load_report(path), wanted, environment)


def prepare_artifact(folder: Path, wanted: AttachOptions, environment: Mapping[str, str]) -> PreparedMessage:
    """Prepare a report from untrusted files, judged by the rules of the checkout in the working directory.

    Only the event names the pull request; an option cannot. Raises UsageError for such an option, ReportError for a
    file that is refused.
    """
    from profpipe.pipeline.attach.target_branch import target_branch
    from profpipe.pipeline.attach.untrusted_report import ORIGIN, read_artifact

    if wanted.pull is not None or wanted.repository:
        raise UsageError("--from-artifact takes the pull request from the event; omit --pull and --repository")
    report = read_artifact(folder, lambda study: target_branch(study, wanted.fail_on, wanted.config, Path.cwd()))
    place, _ = _locate(wanted, environment)
    _same_commit(report, place)
    return prepare(report, wanted, environment, origin=ORIGIN)


def _same_commit(report: Report, place: Place | None) -> None:
    """Raises ReportError when the last contender is another commit than the one that the event is about."""
    commit = [v.commit for v in report.variants if v.role == "contender"][-1]
    if commit is not None and place is not None and place.sha and commit.commit != place.sha:
        raise ReportError(
            f"the artifact is of commit {hash_of(commit.commit)}, and the pull request is at {place.sha[:12]}: "
            "nothing is posted"
        )


def hash_of(text: str) -> str:
    """The first digits of a hash that may be any text."""
    return text[:12] if text.isalnum() and text.isascii() else "..."


def prepare(
    report: Report, wanted: AttachOptions, environment: Mapping[str, str], *, origin: str = ""
) -> PreparedMessage:
    """Render the report without the secrets that are recognised in the environment or by their form.

    Raises UsageError for options that contradict each other, ReportError for an invalid link.
    """
    from profpipe.render.comment.links import Links
    from profpipe.render.comment.markdown import render_comment, verdict_line

    secrets = secret_values(environment)
    clean = without_credentials(report, secrets)
    place, why = _locate(wanted, environment)
    sources = sources_of(place) if place is not None else None

    @cache
    def text(link: str) -> str:
        return render_comment(clean, links=Links(link, sources), origin=origin)

    text(wanted.link)  # an invalid link is reported before anything is sent
    page = None
    if place is not None and FORGES.get(place.forge).TAKES_PAGE:
        from profpipe.render.page.html import render_page

        page = render_page(clean).encode()
    key = marker(wanted.key or clean.study.id).removeprefix("<!-- profpipe:report:").removesuffix(" -->")
    state = _state(clean, own=not origin)
    message = Message(
        key=key,
        render=text,
        link=wanted.link,
        state=state,
        description=verdict_line(clean, DESCRIPTION),
        page=page,
        annotations=_annotations(clean, failure=state == "failure"),
    )
    return PreparedMessage(clean, message, place, why, wanted, secrets)


def _annotations(report: Report, *, failure: bool) -> tuple[Annotation, ...]:
    """What the report says on changed lines, made visible as on the page: a name of it may hold anything."""
    from profpipe.render.content.findings import findings
    from profpipe.render.content.roles import named_by_role
    from profpipe.render.visible import visible_report

    return tuple(
        Annotation(path=each.path, first=each.first, last=each.last, title=each.title, text=each.text, failure=failure)
        for each in findings(named_by_role(visible_report(report)))
    )


def describe(prepared: PreparedMessage) -> dict[str, Any]:
    """What `send` would send, for --dry-run."""
    place, message = prepared.place, prepared.message
    where: dict[str, Any] = {"why": prepared.why}
    if place is not None:
        pull: int | str | None = place.pull
        if pull is None and place.head is not None:
            branch = "".join(sign if sign.isprintable() else "?" for sign in f"{place.head.owner}:{place.head.branch}")
            pull = f"the open one from {branch[:200]} at {place.sha}"
        where = {"forge": place.forge, "api": place.api, "repository": place.repository, "pull": pull, "sha": place.sha}
    status = {"state": message.state, "context": f"profpipe/{message.key}", "description": message.description}
    return {
        "place": where,
        "comment": f"{marker(message.key)}\n{message.render(message.link)}" if prepared.wanted.comment else None,
        "status": status if prepared.wanted.status != "none" else None,
        "annotations": [asdict(each) for each in message.annotations],
        "attached": "report.html" if message.page is not None else None,
    }


def _locate(wanted: AttachOptions, environment: Mapping[str, str]) -> tuple[Place | None, str]:
    found = detect(environment)
    if wanted.forge:
        forge = FORGES.get(wanted.forge)
        if found is None or found.forge != forge.NAME:
            found = Place(forge.NAME, forge.API, "")
    if found is None:
        return None, "not in the CI of a known forge: give --forge, --repository and --pull to send a comment"
    given = {
        "api": wanted.api,
        "repository": wanted.repository,
        "pull": wanted.pull,
        "sha": wanted.sha,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value}
    if wanted.pull is not None:
        changes["head"] = None
    if wanted.repository:
        changes["status_repository"] = ""
    if wanted.sha or wanted.pull is not None:
        changes["newest"] = False
    return check_place(replace(found, **changes)), ""


def _state(report: Report, *, own: bool) -> State:
    """A tick only where nothing is worse. `own` = measured by this workflow; any other report has to prove a pass."""
    gate = report.gate
    if gate is not None and gate.failed:
        return "failure"
    if not all(v.valid for v in report.variants):
        return "error"
    if own:
        worse = gate is None and regressions(report, [gate_rule("regression")])
        return "neutral" if worse else "success"
    return "neutral" if gate is None or gate.undecided else "success"
