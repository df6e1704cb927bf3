"""A load generator of the user's own: told the address, counted by its exit code, its text or its JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from profpipe import load
from profpipe.errors import LoadError, Refused
from profpipe.load.command import filled
from profpipe.model.run import LoadResult, RunRecord
from profpipe.pipeline.execute.judge import judge
from profpipe.study.schema import LoadPlan
from tests.support.paths import DATA
from tests.support.processes import wait_until
from tests.support.study_file import SERVER, mistakes

ASKED = {"unit": "SET", "requests": 500, "connections": 7}
ADDRESS = "{address}"


def plan(code: str = "", *, arguments: tuple[str, ...] = (), **more: Any) -> LoadPlan:
    return LoadPlan(command=("{python}", "-c", code, ADDRESS, *arguments), **{**ASKED, **more})


def run(asked: LoadPlan, folder: Path) -> LoadResult:
    return load.run(load.choose(asked), asked, "127.0.0.1", 9, cpus=(), folder=folder)


def test_it_is_told_everything_by_placeholders(tmp_path: Path) -> None:
    words = ("{host}", "{port}", "{url}", "n={requests}", "{connections}x{threads}", "{rate}", "{duration}", "{out}")
    asked = plan(arguments=words, mode="rate", rate=2.5, request={"path": "/a?b"})
    assert filled(asked, "::1", 80, tmp_path / "result") == [
        sys.executable, "-c", "", "[::1]:80", "::1", "80", "http://[::1]:80/a?b", "n=500", "7x1", "2.5", "3",
        str(tmp_path / "result"),
    ]  # fmt: skip


@pytest.mark.programs
@pytest.mark.parametrize(
    ("code", "count", "served", "failed"),
    [
        ("", {"exit": True}, 500, 0),
        ("print('done: 1,234 ops')", {"pattern": r"done: ([\d,]+) ops"}, 1234, 0),
        ("print('a 3\\nb 4')", {"pattern": r"^\w (\d+)$"}, 7, 0),  # several lines are added up
        ("print('ok 9 bad 1')", {"pattern": r"ok (\d+)", "failed": r"bad (\d+)"}, 9, 1),
        ('print(\'{"a/b": [{"n": 5}], "no": 2}\')', {"pointer": "/a~1b/0/n", "failed": "/no"}, 5, 2),
        ("import sys; sys.stderr.write('41 done')", {"pattern": r"(\d+) done"}, 41, 0),
    ],
    ids=["exit code", "text", "sum", "failed", "json", "stderr"],
)
def test_how_its_operations_are_counted(
    code: str, count: dict[str, object], served: int, failed: int, tmp_path: Path
) -> None:
    asked = plan(code, arguments=("{requests}",), count=count)
    found = run(asked, tmp_path)
    assert (found.served, found.failed, found.unit) == (served, failed, "SET")
    assert found.client_cpu_s is not None


@pytest.mark.programs
@pytest.mark.parametrize("tool", ["auto", "redis-benchmark"])
def test_a_known_tools_result_is_read(tool: str, tmp_path: Path) -> None:
    text = DATA / "load" / "redis_benchmark.txt"
    code = f"print(open({str(text)!r}).read())"
    found = run(plan(code, arguments=("{connections}",), count={"result": tool}), tmp_path)
    assert (found.tool, found.served, found.seconds, found.mean_us, found.connections) == (
        "redis-benchmark", 20_000, 0.26, pytest.approx(187), 7,
    )  # fmt: skip


@pytest.mark.programs
def test_the_result_may_be_in_a_file(tmp_path: Path) -> None:
    code = "import sys; print('noise'); open(sys.argv[-1], 'w').write('{\"n\": 3}')"
    assert run(plan(code, arguments=("{out}",), count={"pointer": "/n"}), tmp_path).served == 3


@pytest.mark.programs
@pytest.mark.parametrize(
    ("code", "count", "words"),
    [
        ("", {"pattern": r"(\d+) ops"}, r"nothing it printed matches '\(.*: it printed nothing"),
        ("print('many ops')", {"pattern": r"(\w+) ops"}, "gives 'many', which is no number"),
        ("print('1.5 ops')", {"pattern": r"([\d.]+) ops"}, "gives 1.5, which is no number of operations"),
        ("print('oops')", {"pointer": "/n"}, "what it wrote is not JSON .*: oops"),
        ("print('{}')", {"pointer": "/a/n"}, r"nothing is at /a/n of what it wrote \('a' is missing\)"),
        ("print('hello')", {"result": "auto"}, "no known load generator writes this: it begins with 'hello'"),
        ("print('hello')", {"result": "ab"}, "this is not what ab prints"),
        ("import sys; sys.exit('no server there')", {"result": "ab"}, "failed with exit code 1: no server there"),
    ],
    ids=["nothing", "word", "fraction", "no JSON", "no key", "unknown", "other tool", "it failed"],
)
def test_what_it_prints_instead_is_said(code: str, count: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=words):
        run(plan(code, count=count), tmp_path)


@pytest.mark.programs
def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    code = "import os, subprocess, sys, time; subprocess.Popen(['sleep', '77']); time.sleep(77)"
    with pytest.raises(LoadError, match=r"did not end within 0.1 s and was killed; raise load.timeout"):
        run(plan(code, count={"pattern": r"(\d+)"}, timeout=0.1), tmp_path)
    # SIGKILL has been sent to all of them, and takes effect when each is next scheduled.
    wait_until(lambda: not any(_is(path, b"sleep\x0077\x00") for path in Path("/proc").glob("[0-9]*/cmdline")), 15)


def _is(path: Path, command: bytes) -> bool:
    try:
        return path.read_bytes() == command
    except OSError:
        return False


def test_a_program_that_is_not_there_is_refused_before_anything_runs() -> None:
    with pytest.raises(Refused, match=r"load.command: there is no program no-such-tool: install it, or give its path"):
        load.choose(LoadPlan(command=("no-such-tool", "{port}"), unit="query", count={"exit": True}))
    with pytest.raises(Refused, match=r"count.result: no reader for 'siege'; there are: auto, wrk"):
        load.choose(plan(count={"result": "siege"}))


@pytest.mark.programs
def test_it_warms_up_itself(tmp_path: Path) -> None:
    asked = plan(arguments=("{requests}",), count={"exit": True}, warmup=20)
    assert load.warm_up(asked, "127.0.0.1", 9, cpus=(), folder=tmp_path).served == 20
    assert load.warm_up(asked.model_copy(update={"warmup": 0}), "127.0.0.1", 9, cpus=(), folder=tmp_path).served == 0


def record(**result: Any) -> RunRecord:
    found = LoadResult(
        tool="mine", version="1", command=(), loop=None, correction=None, connections=None, threads=None, seconds=1.0,
        **result,
    )  # fmt: skip
    return RunRecord("s", "v", "clean", 1, 1, (), "", load=found)


def test_a_run_needs_the_number_that_was_asked_for() -> None:
    asked = plan(arguments=("{requests}",), count={"pattern": r"(\d+)"})
    assert judge(record(served=500), asked) == (None, None)
    assert "499 of 500 requests were answered" in str(judge(record(served=499), asked)[0])
    assert judge(record(served=0), asked)[0] == "mine counted no SET (no error reported)"
    free = plan(count={"pattern": r"(\d+)"})
    assert judge(record(served=499), free) == (None, None)  # as many as it likes
    assert "10 of 100 requests failed" in str(judge(record(served=90, failed=10), free)[0])


PLAN = '[study.s]\ntargets = ["a"]\n[study.s.load]\n'
GOOD = 'command = ["x", "{port}"]\nunit = "SET"\ncount.pattern = "(1)"\n'


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (GOOD, []),
        ('unit = "SET"\n', ["unit: has no effect without a command of your own: set load.command"]),
        (
            GOOD.replace("{port}", "80"),
            ["command: it is not told the server's address: use {port}, {address}, {url} or {socket}"],
        ),
        (GOOD.replace("{port}", "{prot}"), ['{prot}; did you mean "port"?', "it is not told"]),
        (GOOD.replace('unit = "SET"\n', ""), ['command: needs unit = "NAME"']),
        (GOOD.replace("{port}", "{port} {requests}"), ["command: uses {requests}: set requests = NUMBER"]),
        (GOOD + "count.exit = true\n", ["pattern and exit is set", "count.exit: the command must be told how many"]),
        (GOOD.replace('count.pattern = "(1)"\n', ""), ["nothing is set"]),
        (GOOD.replace("(1)", "1"), ["pattern: needs one group, around the count; it has 0"]),
        (GOOD.replace("(1)", "(1"), ["pattern: not a regular expression"]),
        (GOOD.replace('pattern = "(1)"', 'pointer = "a"'), ["pointer: a JSON pointer starts with `/`"]),
    ],
    ids=range(11),
)
def test_mistakes_in_the_study_file(keys: str, words: list[str], tmp_path: Path) -> None:
    found = mistakes(tmp_path, SERVER + PLAN + keys)
    assert len(found) == len(words), found
    assert all(any(word in line for line in found) for word in words), found


def test_a_target_may_have_a_data_folder_and_its_checkout(tmp_path: Path) -> None:
    text = SERVER.replace('"{port}"', '"{port}", "{data}", "{checkout}", "{env}"')
    assert mistakes(tmp_path, text) == []


@pytest.mark.programs
def test_the_captured_text_stays_with_the_result(tmp_path: Path) -> None:
    found = run(plan("print('7 ops')", count={"pattern": r"(\d+)"}), tmp_path)
    assert (found.output, json.loads(json.dumps(found.command))[-1]) == ("7 ops\n", "127.0.0.1:9")
