"""The command line as its users meet it: exit codes, stdout for results only, one clear message for a mistake."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from profpipe.study import read_study_file
from tests.support.command import profpipe
from tests.support.paths import DATA, ROOT

THREADS, ASYNCIO = DATA / "callgrind" / "threads.out.gz", DATA / "callgrind" / "asyncio.out.gz"
PYSPY = DATA / "folded" / "pyspy-asyncio.raw.txt"


def test_parse_prints_the_machine_contract() -> None:
    done = profpipe("parse", THREADS, "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    schema = json.loads((ROOT / "src/profpipe/model/parse.schema.json").read_text())
    jsonschema.validate(body, schema)
    metric = body["metrics"][0]
    assert metric["key"] == "instructions"
    assert sum(f["self"]["instructions"] for f in body["functions"]) == metric["total"] == metric["declared"]
    own = [f["self"]["instructions"] for f in body["functions"]]
    assert own == sorted(own, reverse=True)


def test_parse_limit_shortens_the_list_and_not_the_total() -> None:
    whole = json.loads(profpipe("parse", THREADS, "--json").stdout)
    short = json.loads(profpipe("parse", THREADS, "--json", "--limit", "3").stdout)
    assert short["functions"] == whole["functions"][:3]
    assert short["metrics"] == whole["metrics"]


def test_parse_for_people_says_the_rest() -> None:
    done = profpipe("parse", THREADS, "--limit", "3")
    assert done.returncode == 0, done.stderr
    assert "more functions" in done.stdout
    assert "instructions" in done.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x7fELF\x02\x01\x01" + bytes(64), "callgrind"),
        (b"<html></html>", "callgrind"),
        (b"events: Ir\nfn=(1) main\n1 12\n", "totals"),
    ],
)
def test_parse_names_the_file_and_what_is_wrong(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "capture"
    path.write_bytes(content)
    done = profpipe("parse", path)
    assert "capture" in done.stderr or "partial" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_compare_divides_by_the_requests_and_writes_the_report(tmp_path: Path) -> None:
    done = profpipe(
        "compare", THREADS, ASYNCIO, "--label", "threads", "--label", "asyncio",
        "--requests", "2000", "--requests", "2000", "-o", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    threads, asyncio = (v["figures"]["callgrind:instructions"]["median"] for v in report["variants"][:2])
    assert threads == pytest.approx(
        json.loads(profpipe("parse", THREADS, "--json").stdout)["metrics"][0]["total"] / 2000
    )
    assert asyncio / threads > 2
    assert (tmp_path / "out" / "report.html").exists()
    assert (tmp_path / "out" / "comment.md").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", THREADS), "at least two profiles"),
        (("compare", THREADS, ASYNCIO, "--requests", "5"), "give one per file"),
        (("compare", THREADS, THREADS), "with --label"),
        (("run", "nothing"), "no study 'nothing'; it has: concurrency"),
        (("run",), "name one: profpipe run concurrency|"),
        (("run", "head", "-t", "hed-cached"), "no target hed-cached"),
        (("run", "head", "-p", "prof"), "no profiler named 'prof'"),
        (("export", THREADS, "--to", "nonsense"), "nonsense"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_a_wrong_call_exits_2_and_says_what_to_do(words: tuple[str | Path, ...], said: str) -> None:
    done = profpipe(*words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


def test_a_report_of_nothing_says_how_to_get_one(tmp_path: Path) -> None:
    done = profpipe("report", "concurrency", "--reports", tmp_path)
    assert done.returncode == 1
    assert "run it first: profpipe run concurrency" in done.stderr


def test_export_refuses_what_the_capture_cannot_say() -> None:
    done = profpipe("export", THREADS, "--to", "folded")
    assert done.returncode == 1
    assert "stacks" in done.stderr
    folded = profpipe("export", PYSPY, "--to", "folded")
    assert folded.returncode == 0, folded.stderr
    assert folded.stdout.count("\n") > 5


def test_init_writes_a_file_that_check_accepts(tmp_path: Path) -> None:
    words = ("init", "--command", "python3 server.py --port {port}", "--language", "python")
    assert profpipe(*words, cwd=tmp_path).returncode == 0
    checked = profpipe("check", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "1 target, 1 study, no mistakes" in checked.stdout
    again = profpipe(*words, cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_init_that_finds_no_server_and_that_nobody_answers_names_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = profpipe("init", cwd=tmp_path)
    assert done.returncode == 2
    assert "the files of this folder do not say how its server is started" in done.stderr
    assert "give --command" in done.stderr
    assert not (tmp_path / "profpipe.toml").exists()


def test_init_without_a_terminal_asks_nothing_that_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = profpipe("init", "--command", "./server {port}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'language = "other"' in (tmp_path / "profpipe.toml").read_text()


def test_init_writes_the_request_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"id": 1}')
    words = ("--method", "POST", "--path", "/orders", "--header", "Content-Type: application/json", "--status", "201")
    done = profpipe("init", "--command", "./s {port}", *words, "--body-file", tmp_path / "body.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    load = read_study_file(tmp_path / "profpipe.toml").file.study["compare"].load
    assert (load.request.method, load.request.path, load.request.status) == ("POST", "/orders", 201)
    assert (load.request.body, dict(load.request.headers)) == ('{"id": 1}', {"Content-Type": "application/json"})
    assert "requests" not in load.model_fields_set
    assert "ready.tcp = true" in (tmp_path / "profpipe.toml").read_text()


@pytest.mark.parametrize("words", [("--header", "no colon"), ("--body-file", "missing.json"), ("--path", "no-slash")])
def test_init_refuses_a_request_that_cannot_be_sent(words: tuple[str, str], tmp_path: Path) -> None:
    done = profpipe("init", "--command", "./s {port}", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "profpipe.toml").exists()


def test_the_heading_of_a_hotspot_list_names_format_and_tool_once() -> None:
    assert profpipe("parse", DATA / "austin" / "uvloop.txt.gz").stdout.startswith("austin 3.7.0: ")
    assert profpipe("parse", PYSPY).stdout.startswith("folded: ")


def test_a_file_without_a_study_is_not_asked_to_choose_one(tmp_path: Path) -> None:
    (tmp_path / "profpipe.toml").write_text("schema = 1\n")
    done = profpipe("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "holds no study: add [study.NAME]" in done.stderr


def test_check_names_every_mistake_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "profpipe.toml").write_text('schema = 1\n[target.a]\ncomand = ["x"]\n[study.s]\ntargets = ["b"]\n')
    done = profpipe("check", cwd=tmp_path)
    assert done.returncode == 2
    assert 'profpipe.toml:3:1: target.a.comand: unknown key; did you mean "command"?' in done.stderr
    assert "profpipe.toml:5:" in done.stderr


@pytest.mark.programs
def test_list_and_doctor_speak_json() -> None:
    listed = json.loads(profpipe("list", "--json").stdout)
    assert {"concurrency", "head", "asgi"} <= {study["id"] for study in listed["studies"]}
    tools = {row["name"]: row for row in json.loads(profpipe("doctor", "--json").stdout)}
    assert {"clean", "callgrind", "py-spy", "pyinstrument", "yappi", "cprofile", "builtin", "wrk", "h2load"} <= set(
        tools
    )
    assert tools["clean"]["works"]
    assert all(row["works"] or row["note"] for row in tools.values())


@pytest.mark.slow
def test_compare_of_the_same_captures_is_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        done = profpipe("compare", THREADS, ASYNCIO, "-o", tmp_path / name)
        assert done.returncode == 0
        made.append([(tmp_path / name / file).read_bytes() for file in ("report.html", "report.json", "comment.md")])
    assert made[0] == made[1]
    newest = max(THREADS.stat().st_mtime, ASYNCIO.stat().st_mtime)
    assert datetime.fromtimestamp(newest, UTC).isoformat(timespec="seconds").encode() in made[0][1]


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
def test_a_capture_over_the_size_limit_is_refused_at_once_with_the_option(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    lines = b"".join(b"main;f%d;%s %d\n" % (i % 9, b"g" * (i % 300), i % 7 + 1) for i in range(6_000))
    path = tmp_path / "big.folded"
    path.write_bytes(pack(lines))
    assert len(lines) > 900_000
    for words in (
        ("parse", path),
        ("compare", path, path, "--label", "a", "--label", "b"),
        ("export", path, "--to", "csv"),
    ):
        done = profpipe(*words, "--max-size", "500k")
        assert done.returncode == 1
        assert "512,000" in done.stderr
        assert "--max-size" in done.stderr
    assert profpipe("parse", path, "--max-size", "2M").returncode == 0
    assert profpipe("parse", path, "--max-size", "much").returncode == 2
