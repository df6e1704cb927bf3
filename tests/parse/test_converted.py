"""Recordings that their own tool converts: the samples it prints are those that are read; a missing tool is named."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from profpipe.errors import ParseError, ProfpipeError, UnknownFormat
from profpipe.parse import convert, jfr_json
from profpipe.pipeline.captures import read_profile
from tests.support.parse_cases import DATA, capture, cuts, mutants, outcome, read, self_by_name
from tests.support.tools import require

JFR = capture("jfr-json/hello.json.gz")
PERF_TEXT = DATA / "perf/perf-c-relative.script.txt.gz"


def program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_self_is_the_innermost_method_of_every_execution_sample() -> None:
    theirs: Counter[str] = Counter()
    threads: set[str] = set()
    for event in json.loads(JFR)["recording"]["events"]:
        if event["type"] == "jdk.ExecutionSample":
            method = event["values"]["stackTrace"]["frames"][0]["method"]
            theirs[f"{method['type']['name'].replace('/', '.')}.{method['name']}"] += 1
            threads.add(event["values"]["sampledThread"]["javaName"])
    profile = read(jfr_json.parse, JFR)
    assert self_by_name(profile) == theirs
    assert set(profile.meta.threads) == threads
    assert theirs.total() == 45


def test_stacks_that_were_cut_are_counted_with_a_warning() -> None:
    data = JFR.replace(b'"truncated": false', b'"truncated": true')
    assert read(jfr_json.parse, data).meta.warnings == ("100.0 % of the stacks were cut: print with --stack-depth 256",)


def test_a_recording_without_samples_says_what_to_record() -> None:
    with pytest.raises(ParseError, match="settings=profile"):
        read(jfr_json.parse, JFR.replace(b"jdk.ExecutionSample", b"jdk.CPULoad"))


def test_every_cut_and_every_damage_is_a_clean_error_or_a_profile() -> None:
    for at in cuts(JFR.rstrip(), 20):
        assert isinstance(outcome(jfr_json.parse, JFR[:at]), ProfpipeError), at
    for mutant in mutants(JFR, seed=3, many=20):
        outcome(jfr_json.parse, mutant)


def test_other_files_are_not_converted(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a;b 3\n")
    assert convert.parse_converted(tmp_path / "x") is None


@pytest.mark.parametrize(("head", "command"), [(b"PERFILE2", "perf script"), (b"FLR\0\0\2\0\0", "jfr print --json")])
def test_where_the_tool_is_missing_its_command_is_named(
    head: bytes, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(head)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnknownFormat, match=command):
        convert.parse_converted(tmp_path / "x")


@pytest.mark.programs
def test_what_the_tool_prints_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "perf", f"exec /bin/gzip -dc {PERF_TEXT}")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "perf.data").write_bytes(b"PERFILE2\0\0\0")
    profile = convert.parse_converted(tmp_path / "perf.data")
    assert profile is not None
    assert profile.meta.source == str(tmp_path / "perf.data")
    assert profile.self_sum("samples") > 0


@pytest.mark.programs
@pytest.mark.parametrize(
    ("body", "words"),
    [("echo incompatible file format >&2; exit 255", "incompatible file format"), ("exit 0", "exit code 0")],
)
def test_a_tool_that_fails_gives_its_reason(
    body: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "perf", body)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "perf.data").write_bytes(b"PERFILE2")
    with pytest.raises(ParseError, match=words):
        convert.parse_converted(tmp_path / "perf.data")


@pytest.mark.programs
def test_a_tool_that_hangs_or_writes_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "perf.data").write_bytes(b"PERFILE2")
    program(tmp_path, "perf", "exec /bin/sleep 60")
    monkeypatch.setattr(convert, "TIME_LIMIT", 0.5)
    with pytest.raises(ParseError, match="did not convert it within"):
        convert.parse_converted(tmp_path / "perf.data")
    monkeypatch.setattr(convert, "TIME_LIMIT", 30.0)
    monkeypatch.setattr(convert, "FILE_LIMIT", 1 << 20)
    program(tmp_path, "perf", "exec /bin/cat /dev/zero")
    with pytest.raises(ParseError, match="cannot convert it"):
        convert.parse_converted(tmp_path / "perf.data")


@pytest.mark.real
def test_a_real_perf_data_has_the_samples_that_perf_prints(tmp_path: Path) -> None:
    require("perf")
    file = tmp_path / "perf.data"
    command = ["perf", "record", "-q", "-e", "cpu-clock:u", "-F", "999", "-g", "-o", str(file)]
    work = ["python3", "-c", "sum(i * i for i in range(3_000_000))"]
    done = subprocess.run([*command, "--", *work], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"perf cannot record here: {done.stderr.strip()[-200:]}")
    profile = convert.parse_converted(file)
    assert profile is not None
    printed = subprocess.run(
        ["perf", "script", "-i", str(file), "-F", "event"], capture_output=True, text=True, timeout=60, check=True
    )
    assert profile.self_sum("samples") == sum("cpu-clock" in line for line in printed.stdout.splitlines())


@pytest.mark.programs
def test_nothing_is_converted_unless_the_user_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "perf", "echo ran > ran; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "perf.data").write_bytes(b"PERFILE2")
    with pytest.raises(UnknownFormat, match="--convert"):
        read_profile([tmp_path / "perf.data"])
    with pytest.raises(ParseError, match="cannot convert it"):
        read_profile([tmp_path / "perf.data"], convert=True)
