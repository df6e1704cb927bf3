"""Sends a prepared message: the job summary, the comment, the status, and the outputs of the CI step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from profpipe import store
from profpipe.credentials import hide
from profpipe.errors import PartFailed
from profpipe.model.report import Report
from profpipe.pipeline.attach.message import PreparedMessage
from profpipe.pipeline.reporting.report_files import render
from profpipe.publish.annotations import code_quality, workflow_command
from profpipe.publish.post import Outcome, connect, forge_token, no_token, publish
from profpipe.publish.registry import FORGES
from profpipe.publish.summary import append_summary, room_left, summary_file
from profpipe.publish.wire import Wire

# A shorter summary would be little more than its first lines and the note that it was cut.
SMALLEST = 2000


def send(prepared: PreparedMessage, environment: Mapping[str, str], wire: Wire | None = None) -> Outcome:
    """Write the job summary, send comment and status, write the outputs of the step.

    What fails is a warning of the outcome, and the rest is still done.
    """
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
                with FORGES.blaming(place.forge):
                    forge = connect(place, token, wire)
                    outcome = publish(forge, token, prepared.message, comment=wanted.comment, status=wanted.status)
            except PartFailed as error:
                outcome.warnings.append(str(error))
            finally:
                wire.close()
    outcome.done[:0] = first.done
    outcome.warnings = [hide(text, prepared.secrets) for text in (*first.warnings, *outcome.warnings)]
    _outputs(prepared, environment, outcome)
    return outcome


def regressions(report: Report) -> int:
    """The number of regressions that the gate found; without a gate, of contender figures that are worse."""
    if report.gate is not None:
        return len(report.gate.hits) if report.gate.failed else 0
    found = [c for v in report.variants if v.role == "contender" for c in v.against_baseline.values()]
    return sum(comparison.verdict == "worse" for comparison in found)


def write_files(prepared: PreparedMessage, folder: Path) -> None:
    """Write report.html, report.json and comment.md without the secrets that were taken out."""
    folder.mkdir(parents=True, exist_ok=True)
    render(prepared.report, folder)


def write_code_quality(prepared: PreparedMessage, path: Path) -> None:
    """GitLab's Code Quality report of what is worse; an empty list where nothing is."""
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    store.write_output(path.absolute(), code_quality(prepared.message.annotations))


def annotations_in_the_log(prepared: PreparedMessage, environment: Mapping[str, str], *, own: bool) -> tuple[str, ...]:
    """Lines that GitHub shows on the changed lines of this commit; none where a check run has them.

    `own` = this job belongs to the pull request: a job that posts for another one would annotate its own commit.
    """
    if environment.get("GITHUB_ACTIONS") != "true" or not own or prepared.wanted.status == "check":
        return ()
    return tuple(workflow_command(each) for each in prepared.message.annotations)


def _summary(prepared: PreparedMessage, environment: Mapping[str, str], outcome: Outcome) -> None:
    from profpipe.render.comment.links import Links
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
            text = render_comment(prepared.report, limit=min(room, LIMIT), links=Links(prepared.message.link))
        append_summary(path, text)
    except OSError as error:
        outcome.warnings.append(f"GITHUB_STEP_SUMMARY cannot be written: {error.strerror or type(error).__name__}")
        return
    outcome.done.append("job summary written")


def _outputs(prepared: PreparedMessage, environment: Mapping[str, str], outcome: Outcome) -> None:
    """Write the outputs of an Actions step: only numbers, so that no text of a report can name another output."""
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
