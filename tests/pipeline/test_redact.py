"""A report tells no folder of its user and no value of a server's environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from profpipe.model.report import LeftOut, Limit
from profpipe.model.run import LoadResult, RunRecord
from profpipe.model.study import StudyRecord
from profpipe.pipeline.measure.redact import Redactor, redactor
from profpipe.study import Target


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    monkeypatch.setenv("HOME", "/home/ann")
    env = {"TOKEN": "tok-1234567", "URL": "http://u:tok-1234567@db", "LEVEL": "info"}
    return redactor([Path("/home/ann/code/shop $(x)")], [Target(command=("x",), env=env)])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('File "/home/ann/code/shop $(x)/app.py", line 3', 'File "./app.py", line 3'),
        ("cwd 'x' is not a folder under /home/ann/code/shop $(x).", "cwd 'x' is not a folder under .."),
        ("/home/ann/.cache/y and /home/ann", "~/.cache/y and ~"),
        ("/home/anna /home/ann-b /srv/home/ann /home/ann.b", "/home/anna /home/ann-b /srv/home/ann /home/ann.b"),
        (f"{sys.executable} -m pip install yappi", "python -m pip install yappi"),
        ("denied: tok-1234567", "denied: $TOKEN"),
        ("cannot reach http://u:tok-1234567@db", "cannot reach $URL"),
        ("some info", "some info"),
    ],
)
def test_a_text_is_shown_without_them(hidden: Redactor, text: str, shown: str) -> None:
    assert hidden.redact(text) == shown


def test_a_home_that_is_the_root_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert redactor([Path("/srv/x")]).redact("/etc/passwd in /srv/x/y") == "/etc/passwd in ./y"


def test_a_record_holds_no_header_and_no_value_of_a_secret_option() -> None:
    words = (
        "wrk",
        "-H",
        "Authorization: Bearer abc.def-123",
        "-H",
        "Cookie: a=s3cr3t1; b=s3cr3t2",
        "--password",
        "hunter22",
    )
    load = LoadResult("wrk", "4", words, "closed", "none", 1, 1, 5, 1.0, output="plain-value-7 was sent")
    run = RunRecord("s", "a", "clean", 1, 1, words, "", load=load, profiler_facts={"x": "plain-value-7"})
    shown = str(Redactor(credentials=("plain-value-7",)).redact_run(run))
    assert not [part for part in ("abc.def-123", "s3cr3t1", "s3cr3t2", "hunter22", "plain-value-7") if part in shown]


def test_every_text_of_a_record_that_reaches_a_report_is_hidden(hidden: Redactor) -> None:
    secret = "/home/ann/x tok-1234567"
    run = RunRecord(
        "s", "a", "clean", 1, 1, ("/home/ann/x",), "", reason=secret, log_tail=(secret,), warnings=(secret,)
    )
    told = hidden.redact_run(run)
    assert (told.reason, told.log_tail, told.warnings) == ("~/x $TOKEN", ("~/x $TOKEN",), ("~/x $TOKEN",))
    assert hidden.redact_run(RunRecord("s", "a", "clean", 1, 1, (), "")).reason is None
    study = StudyRecord(
        "s",
        "",
        "a",
        (),
        1,
        "",
        "",
        "",
        "",
        "",
        {},
        {},
        left_out=(LeftOut(target="b", reason=secret),),
        limits=(Limit(profiler="p", text=secret, variants=("a",)),),
    )
    shown = hidden.redact_study(study)
    assert shown.left_out == (LeftOut(target="b", reason="~/x $TOKEN"),)
    assert shown.limits == (Limit(profiler="p", text="~/x $TOKEN", variants=("a",)),)
