"""A finished report to a pull request: rendered here, without a secret in it, and handed to `publish` as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from profpipe import store
from profpipe.errors import ReportError, UsageError
from profpipe.model.report import Report
from profpipe.pipeline.reporting.report import REPORT_JSON, load_report, render
from profpipe.publish.interface import DESCRIPTION, State
from profpipe.publish.locate import check_place, detect
from profpipe.publish.place import Place
from profpipe.publish.post import Message, Outcome, StatusKind, connect, forge_token, no_token, publish
from profpipe.publish.registry import FORGES
from profpipe.publish.secret import hide, secret_values
from profpipe.publish.sticky import marker
from profpipe.publish.summary import append_summary, room_left, summary_file
from profpipe.publish.wire import Wire

# Less is no summary: the first lines and the note that it was cut.
SMALLEST = 2000


@dataclass(frozen=True, slots=True)
class AttachOptions:
    """What the command line says; empty = as the environment has it."""

    forge: str = ""
    api: str = ""
    repository: str = ""
    pull: int | None = None
    sha: str = ""
    key: str = ""
    link: str = ""
    comment: bool = True
    status: StatusKind = "commit"


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """Everything that will be sent, and where; `place` None with the reason when there is nowhere."""

    report: Report
    message: Message
    place: Place | None
    why: str
    wanted: AttachOptions
    secrets: tuple[str, ...]


def find_report(name: str, reports: Path) -> Path:
    """report.json of a file, a folder that holds one, or the newest run of a study. Raises StoreError, ReportError."""
    given = Path(name)
    if given.is_file():
        return given
    if (given / REPORT_JSON).is_file():
        return given / REPORT_JSON
    folder = store.find_study_folder(reports, name)
    if not (folder / REPORT_JSON).is_file():
        raise ReportError(f"{folder}: no {REPORT_JSON} yet; make it first: profpipe report {folder}")
    return folder / REPORT_JSON


def prepare_report(path: Path, wanted: AttachOptions, environment: Mapping[str, str]) -> PreparedMessage:
    return prepare(load_report(path), wanted, environment)


def prepare_artifact(folder: Path, wanted: AttachOptions, environment: Mapping[str, str]) -> PreparedMessage:
    """The same from files that are not trusted; the pull request is the one of the event, an option cannot name it."""
    from profpipe.pipeline.attach.untrusted_report import ORIGIN, read_artifact

    if wanted.pull is not None or wanted.repository:
        raise UsageError("--from-artifact: the pull request is the one of the event; leave --pull and --repository out")
    return prepare(read_artifact(folder), wanted, environment, origin=ORIGIN)


def prepare(
    report: Report, wanted: AttachOptions, environment: Mapping[str, str], *, origin: str = ""
) -> PreparedMessage:
    """Render, without anything that the environment or the text itself gives away as secret.

    Raises UsageError for options that do not go together, ReportError for a link that is none.
    """
    from profpipe.render.comment.markdown import render_comment, verdict_line

    secrets = secret_values(environment)
    clean = _without_secrets(report, secrets)

    @cache
    def text(link: str) -> str:
        return render_comment(clean, link=link, origin=origin)

    text(wanted.link)  # a mistake in the link shows before anything is sent
    place, why = _locate(wanted, environment)
    page = None
    if place is not None and FORGES.get(place.forge).TAKES_PAGE:
        from profpipe.render.page.html import render_page

        page = render_page(clean).encode()
    key = marker(wanted.key or clean.study.id).removeprefix("<!-- profpipe:report:").removesuffix(" -->")
    message = Message(key, text, wanted.link, _state(clean), verdict_line(clean, DESCRIPTION), page)
    return PreparedMessage(clean, message, place, why, wanted, secrets)


def send(prepared: PreparedMessage, environment: Mapping[str, str], wire: Wire | None = None) -> Outcome:
    """Summary, comment, status, outputs of the step; what could not be done is a warning in the outcome."""
    first = Outcome()
    _summary(prepared, environment, first)
    place, wanted = prepared.place, prepared.wanted
    outcome = Outcome()
    if place is None:
        outcome.warnings.append(prepared.why)
    else:
        token = forge_token(place, environment)
        if token is None:
            outcome.warnings.append(no_token(place))
        else:
            wire = wire or Wire("", {})
            wire.base, wire.secrets = place.api, (*prepared.secrets, token.value)
            try:
                forge = connect(place, token, wire)
                outcome = publish(forge, token, prepared.message, comment=wanted.comment, status=wanted.status)
            finally:
                wire.close()
    outcome.done[:0] = first.done
    outcome.warnings = [hide(text, prepared.secrets) for text in (*first.warnings, *outcome.warnings)]
    _outputs(prepared, environment, outcome)
    return outcome


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
        "attached": "report.html" if message.page is not None else None,
    }


def write_files(prepared: PreparedMessage, folder: Path) -> None:
    """report.html, report.json and comment.md, as they were rendered here."""
    folder.mkdir(parents=True, exist_ok=True)
    render(prepared.report, folder)


def regressions(report: Report) -> int:
    """What the gate found; without a gate, figures of contenders that are worse."""
    if report.gate is not None:
        return len(report.gate.hits) if report.gate.failed else 0
    found = [c for v in report.variants if v.role == "contender" for c in v.against_baseline.values()]
    return sum(comparison.verdict == "worse" for comparison in found)


def _locate(wanted: AttachOptions, environment: Mapping[str, str]) -> tuple[Place | None, str]:
    found = detect(environment)
    if wanted.forge:
        forge = FORGES.get(wanted.forge)
        if found is None or found.forge != forge.NAME:
            found = Place(forge.NAME, forge.API, "")
    if found is None:
        return None, "no CI of a known forge here: give --forge, --repository and --pull to send a comment"
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
    return check_place(replace(found, **changes)), ""


def _state(report: Report) -> State:
    if report.gate is not None and report.gate.failed:
        return "failure"
    return "success" if all(v.valid for v in report.variants) else "error"


def _without_secrets(report: Report, secrets: tuple[str, ...]) -> Report:
    """All texts of the report pass `hide`; names of fields and metrics do not."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return hide(value, secrets)
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        return value

    return Report.model_validate(clean(report.model_dump(mode="json", by_alias=True)))


def _summary(prepared: PreparedMessage, environment: Mapping[str, str], outcome: Outcome) -> None:
    from profpipe.render.comment.markdown import LIMIT, render_comment

    path = summary_file(environment)
    if path is None:
        return
    text = prepared.message.render(prepared.message.link)
    try:
        room = room_left(path) - 2
        if len(text.encode()) > room:
            if room < SMALLEST:
                outcome.warnings.append("the job summary of this step is full (1 MiB): nothing was added")
                return
            text = render_comment(prepared.report, limit=min(room, LIMIT), link=prepared.message.link)
        append_summary(path, text)
    except OSError as error:
        outcome.warnings.append(f"GITHUB_STEP_SUMMARY cannot be written: {error.strerror or type(error).__name__}")
        return
    outcome.done.append("job summary written")


def _outputs(prepared: PreparedMessage, environment: Mapping[str, str], outcome: Outcome) -> None:
    """Outputs of an Actions step: numbers only, so nothing of a report can name another output."""
    path = environment.get("GITHUB_OUTPUT", "")
    if not path:
        return
    lines = [f"regressions={regressions(prepared.report)}"]
    lines += [f"comment-id={outcome.comment_id}"] if outcome.comment_id is not None else []
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        outcome.warnings.append(f"GITHUB_OUTPUT cannot be written: {error.strerror or type(error).__name__}")


def to_json(outcome: Outcome) -> str:
    return json.dumps(
        {
            "comment_id": outcome.comment_id,
            "comment_url": outcome.comment_url,
            "done": outcome.done,
            "warnings": outcome.warnings,
        },
        ensure_ascii=False,
        indent=1,
    )
