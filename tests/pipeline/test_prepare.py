"""Before the first run: what can run here, what is left out, and the command that makes the report again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from profpipe.errors import UsageError
from profpipe.model.report import LeftOut
from profpipe.pipeline.prepare.options import RunOptions
from tests.support.prepared_study import TARGET, prepared


def test_a_target_that_says_what_it_needs_is_left_out_without_it(tmp_path: Path) -> None:
    needs = TARGET | {"requires": {"programs": ["no-such-program"], "install": "make tools"}}
    found = prepared(tmp_path, {"a": TARGET, "b": needs})
    assert found.left_out == (LeftOut(target="b", reason="no-such-program not found: make tools"),)
    assert list(found.targets) == ["a"]


def test_a_command_that_is_not_there_is_left_to_fail_by_name(tmp_path: Path) -> None:
    """A typing error must not end with exit 0 and a report in which the variant is only mentioned."""
    found = prepared(tmp_path, {"a": TARGET, "b": {"command": ["./srever", "{port}"]}})
    assert found.left_out == ()
    assert {run.variant for run in found.runs} == {"a", "b"}


def test_a_baseline_that_is_not_there_ends_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"study s: the baseline a cannot run: \./srever not found"):
        prepared(tmp_path, {"a": {"command": ["./srever", "{port}"]}, "b": TARGET})


@pytest.mark.programs
def test_the_interpreter_of_a_target_is_looked_for_in_the_studys_folder(tmp_path: Path) -> None:
    """`venv/bin/python` stands relative to profpipe.toml, wherever profpipe is called."""
    (tmp_path / "venv").mkdir()
    python = tmp_path / "venv" / "python3"
    python.write_text('#!/bin/sh\necho "yappi"\n')
    python.chmod(0o755)
    target = {"command": ["venv/python3", "x.py", "{port}"], "language": "python"}
    found = prepared(tmp_path, {"a": target}, profilers=["clean", "yappi"])
    assert [limit.text for limit in found.limits if limit.profiler == "yappi"] == [
        f"not measured: yappi is not installed for {python}: {python} -m pip install yappi"
    ]
    assert {run.profiler for run in found.runs} == {"clean"}


@pytest.mark.parametrize(
    ("study", "said"),
    [
        ({"profilers": ["py-spy"], "profiler": {"py-spy": {"options": {"rats": 9}}}}, "py-spy has no option rats; it"),
        ({"profilers": ["clean"], "profiler": {"clean": {"options": {"x": 1}}}}, "clean has no option x; it has: none"),
        ({"profilers": ["callgrind"], "profiler": {"callgrind": {"options": {"start_at": "noon"}}}}, "not 'noon'"),
        ({"profilers": ["perf"], "profiler": {"perf": {"options": {"frequency": 0}}}}, "frequency is 0; give samples"),
        ({"latency": {"mode": "rate", "rate": 10.0, "generator": "h2load"}}, "latency of a: "),
    ],
)
def test_what_would_fail_in_an_hour_fails_at_once(tmp_path: Path, study: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        prepared(tmp_path, {"a": TARGET}, **study)
    assert str(caught.value).startswith("study s")
    assert said in str(caught.value)


def test_the_command_of_the_report_is_what_one_types_beside_the_study_file() -> None:
    assert RunOptions().command("s") == "profpipe run s"
    options = RunOptions(("a", "b c"), ("clean",), 3, 100, "wrk")
    assert options.command("s", "other.toml") == (
        "profpipe run s --config other.toml -t a -t 'b c' -p clean -r 3 -n 100 --generator wrk"
    )
    assert RunOptions().command("s", "pyproject.toml") == "profpipe run s"


def test_throughput_on_a_shared_processor_is_labelled_as_that_of_both(tmp_path: Path) -> None:
    closed = {"mode": "closed", "generator": "builtin"}

    def said(**study: Any) -> bool:
        limits = prepared(tmp_path, {"a": TARGET}, load={"generator": "builtin"}, **study).limits
        return any("share one processor" in limit.text for limit in limits)

    assert said(placement="same-core", throughput=closed)
    assert not said(placement="free", throughput=closed)
    assert not said(placement="same-core")
