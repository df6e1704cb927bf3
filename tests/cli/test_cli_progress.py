"""What a study tells on stderr: plain lines where nobody looks on, and what is kept when it ends early."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.cli.progress import Progress
from profpipe.model.run import LoadResult, RunRecord
from profpipe.pipeline.events import Building, Event, Note, PhaseEntered, RunEnded, RunStarted, StudyStarted
from profpipe.pipeline.prepare.schedule import RunPlan

FOLDER = Path("/srv/my reports/s/20260102-030405")


def ran(order: int, reason: str | None = None, *, control: bool = False, log: tuple[str, ...] = ()) -> list[Event]:
    plan = RunPlan(order, "threads", "callgrind", 2, control)
    load = LoadResult("builtin", "1", (), "closed", "none", 4, 1, 12_345, 0.5)
    record = RunRecord(
        "s", "threads", "callgrind", 2, order, (), "", reason=reason, phase=reason and "load", log_tail=log, load=load
    )
    return [RunStarted(plan), PhaseEntered(plan, "load"), RunEnded(plan, record)]


def told(capsys: pytest.CaptureFixture[str], *events: Event, cut_short: bool = False) -> list[str]:
    with Progress() as progress:
        for event in events:
            progress.show(event)
        if cut_short:
            progress.print_what_is_kept()
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_finished_run_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, StudyStarted(FOLDER, 2), Building("threads", "cc -O2"), *ran(1), *ran(2, control=True))
    assert lines[0].startswith("[1/2] callgrind threads round 2: 12,345 requests, ")
    assert lines[1] == "[2/2] callgrind threads (A/A control) round 2: 12,345 requests, 0 s left"
    assert len(lines) == 2


def test_a_failed_run_says_its_phase_and_the_servers_last_five_lines(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "the server ended under load: killed by SIGSEGV"
    lines = told(capsys, StudyStarted(FOLDER, 1), *ran(1, reason, log=tuple("abcdefg")))
    assert lines == [
        "[1/1] callgrind threads round 2: INVALID: load: the server ended under load: killed by SIGSEGV",
        *(f"    {line}" for line in "cdefg"),
    ]


def test_a_reason_is_printed_in_full_once(capsys: pytest.CaptureFixture[str]) -> None:
    reason, again = "exit status 3", "not tried again after two failed runs: exit status 3"
    lines = told(
        capsys, StudyStarted(FOLDER, 3), *ran(1, reason, log=("x",)), *ran(2, reason, log=("x",)), *ran(3, again)
    )
    assert [line.partition("INVALID: load: ")[2] for line in lines] == [
        "exit status 3", "", "same reason as before", "not tried again after two failed runs",
    ]  # fmt: skip


def test_lines_are_never_broken_and_their_brackets_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A line of a log file is for grep; `[bold]` in a server's output is no markup."""
    text = f"[bold]left out[/bold]: {'word ' * 60}end"
    assert told(capsys, Note(text)) == [text]


def test_a_study_cut_short_says_what_is_kept_and_how_to_report_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, StudyStarted(FOLDER, 9), *ran(1), *ran(2), cut_short=True)
    assert lines[-1] == (
        "kept the 2 of 9 runs that had ended; report them with: "
        "profpipe report '/srv/my reports/s/20260102-030405'"
    )  # fmt: skip
    assert told(capsys, StudyStarted(FOLDER, 9), cut_short=True) == [
        "stopped before any run had ended; nothing is kept"
    ]
    assert told(capsys, cut_short=True) == []


def test_studies_that_follow_each_other_are_counted_on(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, StudyStarted(FOLDER, 1), *ran(1), StudyStarted(FOLDER, 1), *ran(1))
    assert [line.split("]")[0] for line in lines] == ["[1/1", "[2/2"]
