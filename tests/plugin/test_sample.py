"""A package with one part of each kind is installed, and each is used by a real command. A broken one harms nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forge_server import HEAD_SHA, TOKEN, Forge
from tests.support.paths import SAMPLE_REPORT, TESTS
from tests.support.study_driving import Done, StudyFolder, slow

pytestmark = pytest.mark.slow  # pip builds the packages

TALLY = "# tally 1\n30\tread|input\tserver\n12\twrite\tserver\n"
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")


def installed(folder: Path, *names: str) -> Path:
    """A folder for PYTHONPATH with these packages of tests/plugin, installed as a user would, without a network."""
    sources = [str(TESTS / "plugin" / name) for name in names]
    command = [sys.executable, *PIP, "--no-build-isolation", "--target", str(folder), *sources]
    subprocess.run(command, check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("sample"), "sample")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample and the broken package, which has a broken parser of the name `tally` too."""
    return installed(tmp_path_factory.mktemp("broken"), "sample", "broken")


def profpipe(packages: Path, *words: str | Path, code: int = 0, **environment: str) -> Done:
    command = [sys.executable, "-m", "profpipe", *map(str, words)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GITEA_", "CI"))}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**plain, "PYTHONPATH": str(packages), **environment},
    )
    assert done.returncode == code, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def tally(tmp_path: Path) -> Path:
    file = tmp_path / "unknown"
    file.write_text(TALLY)
    return file


def test_the_parser_is_found_by_the_first_bytes(sample: Path, tally: Path) -> None:
    found = json.loads(profpipe(sample, "parse", tally, "--json").out)
    assert found["format"] == "tally"
    assert [(f["name"], f["self"]) for f in found["functions"]] == [
        ("read|input", {"samples": 30}),
        ("write", {"samples": 12}),
    ]


def test_the_parser_names_a_line_that_is_none(sample: Path, tally: Path) -> None:
    tally.write_text(TALLY + "many\twrite\tserver\n")
    assert f"{tally}:4: expected samples, name and place" in profpipe(sample, "parse", tally, code=1).err


def test_the_exporter_writes_what_the_parser_read(sample: Path, tally: Path) -> None:
    lines = profpipe(sample, "export", tally, "--to", "markdown").out.splitlines()
    assert lines == ["| function | samples |", "|---|---:|", r"| read\|input | 30 |", "| write | 12 |"]


def test_help_lists_the_names(sample: Path) -> None:
    wide = {"COLUMNS": "200"}
    assert "callgrind|csv|json|markdown" in profpipe(sample, "export", "--help", **wide).out
    assert "folded, tally" in profpipe(sample, "parse", "--help", **wide).out
    assert "|one-by-one]" in profpipe(sample, "run", "--help", **wide).out
    assert "forgejo|codehost" in profpipe(sample, "attach", "--help", **wide).out


@pytest.mark.real
def test_profiler_load_generator_rule_and_executor_carry_a_study(sample: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study", {"PYTHONPATH": str(sample)})
    folder.write(
        {"quick": slow(0.001), "slower": slow(0.002)},
        profilers=["clean", "thread-states"],
        load={"generator": "one-by-one", "requests": 100, "connections": 1, "warmup": 5},
        profiler={"thread-states": {"options": {"rate": 500}}},
    )
    done = folder.do("run", "s", "--on", "quiet:1000")
    assert done.code == 0, done.err
    report = folder.report()
    (states,) = [table for table in report["hotspots"] if table["metric"] == "thread-states:samples"]
    named = {f["function"]["name"] for row in states["rows"] for f in row["functions"]}
    assert "sleeping" in named
    assert {record["load"]["tool"] for record in folder.records().values()} == {"one-by-one"}
    assert [c["id"] for c in report["conclusions"] if c["rule"] == "capacity"] == ["capacity:quick", "capacity:slower"]
    assert report["environment"]["runs began at a load average of"] == "1000 at most"
    assert "thread-states" in (folder.folders()[0] / "report.html").read_text()
    folder.check_left_nothing()


def test_the_executor_refuses_an_address_that_is_none(sample: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study", {"PYTHONPATH": str(sample)})
    folder.write({"quick": slow(0.001)})
    done = folder.do("run", "s", "--on", "quiet:very")
    assert done.code == 2
    assert "--on quiet:very: expected a load average" in done.err


@pytest.mark.real
def test_the_forge_gets_its_comment_and_status(sample: Path, forge: Forge) -> None:
    environment = {
        "CODEHOST_CI": "true",
        "CODEHOST_API": forge.url,
        "CODEHOST_REPOSITORY": "acme/server",
        "CODEHOST_PULL": "7",
        "CODEHOST_COMMIT": HEAD_SHA,
        "CODEHOST_TOKEN": TOKEN,
    }
    done = profpipe(sample, "attach", SAMPLE_REPORT, **environment)
    assert "created on 7" in done.out
    assert len(forge.state.mine()) == 1
    assert [status["sha"] for status in forge.state.statuses] == [HEAD_SHA]
    del environment["CODEHOST_TOKEN"]
    assert "set PROFPIPE_TOKEN or CODEHOST_TOKEN" in profpipe(sample, "attach", SAMPLE_REPORT, **environment).err


# ------------------------------------------------------------------------------------------------ the broken package

LEFT_OUT = """\
import json
from profpipe.pipeline.doctor import left_out
print(json.dumps([str(part) for part in left_out()]))
"""
WORDS = [
    "parser 'folded' of profpipe-broken 0.1 is left out: the name is taken by profpipe itself",
    "parser 'empty' of profpipe-broken 0.1 is left out: profpipe_broken.nothing lacks SAYS, RECORD, sniff, parse",
    "parser 'tally' of profpipe-broken 0.1 is left out: profpipe_broken.tally has a parse that does not take "
    "(raw, source)",
    "profiler 'clean' of profpipe-broken 0.1 is left out: the name is taken by profpipe itself",
    "profiler 'raising' of profpipe-broken 0.1 is left out: importing profpipe_broken.raises raised RuntimeError: "
    "this plug-in needs a newer machine",
    "load generator 'wrk' of profpipe-broken 0.1 is left out: the name is taken by profpipe itself",
    "load generator 'absent' of profpipe-broken 0.1 is left out: importing profpipe_broken.no_such_module raised "
    "ModuleNotFoundError: No module named 'profpipe_broken.no_such_module'",
    "exporter 'exits' of profpipe-broken 0.1 is left out: importing profpipe_broken.exits raised SystemExit: 3",
    "forge 'nameless' of profpipe-broken 0.1 is left out: profpipe_broken.nothing lacks NAME, API, TOKENS, "
    "TOKEN_HINT, NEEDS, TAKES_PAGE, PAGES, detect, api_of, fits, forbidden, connect",
    "rule 'number' of profpipe-broken 0.1 is left out: profpipe_broken.nothing:NUMBER is int, expected a function",
    "executor 'local' of profpipe-broken 0.1 is left out: the name is taken by profpipe itself",
    "executor 'sessionless' of profpipe-broken 0.1 is left out: profpipe_broken.nothing lacks missing, session",
]


def test_every_broken_part_is_named_with_its_package_and_the_reason(broken: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(broken)}
    done = subprocess.run(
        [sys.executable, "-c", LEFT_OUT], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert json.loads(done.stdout) == WORDS


def test_an_unknown_name_is_refused_with_what_is_left_out(broken: Path, tally: Path) -> None:
    refused = profpipe(broken, "export", tally, "--to", "exits", code=2).err
    assert "exporter 'exits' of profpipe-broken 0.1 is left out" in refused
    assert "SystemExit" in refused


def test_formats_that_are_built_in_are_read_and_written_all_the_same(broken: Path, tmp_path: Path) -> None:
    file = tmp_path / "stacks"
    file.write_text("main;read 3\n")
    assert profpipe(broken, "export", file, "--to", "folded").out == "main;read 3\n"


@pytest.mark.real
def test_a_study_runs_beside_the_broken_package(broken: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study", {"PYTHONPATH": str(broken)})
    folder.write({"quick": slow(0.001), "slower": slow(0.002)})
    done = folder.do("run", "s")
    assert done.code == 0, done.err
    assert folder.report()["conclusions"]


def test_a_study_that_names_a_broken_part_is_refused_with_the_reason(broken: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study", {"PYTHONPATH": str(broken)})
    folder.write({"quick": slow(0.001)}, profilers=["raising"])
    done = folder.do("run", "s")
    assert done.code == 2
    assert WORDS[4] in done.err


@pytest.mark.real
def test_doctor_names_the_broken_parts(broken: Path) -> None:
    rows = {row["name"]: row for row in json.loads(profpipe(broken, "doctor", "--json").out)}
    assert rows["one-by-one"]["works"]
    assert rows["thread-states"]["works"]
    assert not rows["sessionless"]["works"]
    assert rows["sessionless"]["note"] == (
        "plug-in of profpipe-broken 0.1: profpipe_broken.nothing lacks missing, session"
    )
