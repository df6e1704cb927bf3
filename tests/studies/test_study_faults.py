"""Everything that goes wrong with a server or an instrument, by the whole tool: named, and the others are reported."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import processes
from tests.support.study_driving import LOAD, Done, StudyFolder, kill, server, slow
from tests.support.tools import require

pytestmark = pytest.mark.real


# ---- one study with everything that goes wrong with a server


@pytest.fixture(scope="module")
def foreign_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory, foreign_port: int) -> tuple[StudyFolder, Done]:
    folder = StudyFolder(tmp_path_factory.mktemp("faults"))
    quick = {"timeout": 1.0}
    tells = "import os, sys; sys.exit('cannot log in as ' + os.environ['DATABASE_URL'])"
    folder.write(
        {
            "good": server("serves"),
            "not-found": {"command": ["./no-such-server", "{port}"]},
            "no-program": {"command": ["faulty.py", "{port}"], "build": [["{python}", "-c", "print('built')"]]},
            "never-ready": server("never-ready", ready=quick),
            "dies-at-start": server("dies-at-start"),
            "dies-at-warm-up": server("dies-at-warm-up"),
            "dies-under-load": server("dies-under-load"),
            "serves-500": server("serves-500", ready=quick),
            "500-under-load": server("500-under-load"),
            "port-taken": server("serves", port=foreign_port),
            "build-fails": server("serves", build=[["{python}", "-c", "import sys; sys.exit('no compiler here')"]]),
            "tells-secrets": {"command": ["{python}", "-c", tells, "{port}"], "env": {"DATABASE_URL": "db://me:pw@db"}},
            "module-missing": server("serves", requires={"modules": ["no_such_module"], "install": "make it so"}),
            "ignores-sigterm": server("ignores-sigterm"),
            "forks": server("forks"),
            "prints-for-ever": server("prints-for-ever"),
            "daemonizes": server("daemonizes"),
        },
    )
    return folder, folder.do("run", "s")


FAULTS = {
    "not-found": ("start", "the command cannot be run: ./no-such-server: No such file or directory"),
    "no-program": ("start", "the command cannot be run: faulty.py: No such file or directory"),
    "never-ready": ("ready", "not ready after 1 s: nothing listened on port "),
    "dies-at-start": ("ready", "the server ended before it was ready: exit status 3"),
    "dies-at-warm-up": ("warm-up", "the server ended during warm-up: exit status 7"),
    "dies-under-load": ("load", "the server ended under load: killed by SIGSEGV"),
    "serves-500": ("ready", "not ready after 1 s: GET / was answered with status 500, expected 200"),
    "500-under-load": ("load", "requests failed (status 500: "),
    "port-taken": ("start", "is taken by another process: stop it, or set another `port`"),
    "build-fails": ("build", "failed: exit status 1"),
    "tells-secrets": ("ready", "the server ended before it was ready: exit status 1"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_variant_and_phase(faults: tuple[StudyFolder, Done], name: str) -> None:
    folder, done = faults
    phase, cause = FAULTS[name]
    (line,) = [line for line in done.err.splitlines() if f"] clean {name} round 1: " in line]
    assert f"INVALID: {phase}: " in line
    assert cause in line
    (row,) = [row for row in folder.report()["invalid"] if row["variant"] == name]
    assert (row["phase"], row["profiler"]) == (phase, "clean")
    assert cause in row["reason"]


def test_the_others_are_measured_and_reported_all_the_same(faults: tuple[StudyFolder, Done]) -> None:
    folder, done = faults
    assert done.code == 1
    valid = {v["id"]: v["figures"]["clean:cpu_us"]["median"] for v in folder.report()["variants"] if v["valid"]}
    assert set(valid) == {"good", "ignores-sigterm", "forks", "prints-for-ever", "daemonizes"}
    assert all(cost > 0 for cost in valid.values())
    (why,) = [line for line in done.err.splitlines() if line.startswith("profpipe: no valid runs for ")]
    assert set(re.findall(r"([\w-]+) \(clean\)", why)) == set(FAULTS)


def test_a_target_whose_requirement_is_missing_is_left_out_by_name(faults: tuple[StudyFolder, Done]) -> None:
    folder, done = faults
    assert "module-missing is left out: no_such_module not found: make it so" in done.err
    assert folder.report()["study"]["left_out"] == [
        {"target": "module-missing", "reason": "no_such_module not found: make it so"}
    ]
    assert "left out" in done.out


def test_the_servers_last_words_come_with_its_fault_and_no_secret_in_them(faults: tuple[StudyFolder, Done]) -> None:
    folder, done = faults
    tails = {row["variant"]: row["log_tail"] for row in folder.report()["invalid"]}
    assert tails["dies-at-start"] == ["no configuration"]
    assert tails["build-fails"] == ["no compiler here"]
    assert tails["tells-secrets"] == ["cannot log in as $DATABASE_URL"]
    assert "    no configuration" in done.err.splitlines()
    assert "db://me:pw@db" not in done.err + done.out + (folder.folders()[0] / "report.html").read_text()


def test_what_had_to_be_forced_is_a_warning_of_a_good_run(faults: tuple[StudyFolder, Done]) -> None:
    warned = {row["variant"]: " ".join(row["warnings"]) for row in faults[0].report()["runs"]}
    assert "did not exit within 1 s of SIGTERM and was killed" in warned["ignores-sigterm"]
    assert "left 2 processes running" in warned["forks"]
    assert "warnings" not in warned["good"]


def test_faults_leave_no_process_and_no_half_a_file(faults: tuple[StudyFolder, Done]) -> None:
    folder, _ = faults
    folder.check_left_nothing()
    logs = [path.stat().st_size for path in folder.reports.rglob("server.log")]
    assert max(logs) < 140_000


def test_a_baseline_that_dies_takes_the_verdict_and_nothing_else(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write({"base": server("dies-at-start"), "good": server("serves")}, rounds=3)
    done = folder.do("run", "s")
    assert done.code == 1
    report = folder.report()
    assert [(v["id"], v["valid"]) for v in report["variants"]] == [("base", False), ("good", True)]
    assert not [c for c in report["conclusions"] if c["kind"] in {"cause", "not-the-cause"}]
    (verdict,) = [c for c in report["conclusions"] if c["kind"] == "verdict"]
    assert "is undecided" in verdict["text"]
    assert verdict["certainty"] == "hint"
    # Two tries are enough to know: a server that is never ready would be waited for in every round.
    again = [row["reason"] for row in report["invalid"]]
    assert [reason.startswith("not tried again after two failed runs: ") for reason in again] == [
        False, False, True,
    ]  # fmt: skip
    folder.check_left_nothing()


# ---- an instrument that dies


def test_a_profiler_killed_under_load_loses_its_run_alone(tmp_path: Path) -> None:
    require("valgrind", "py-spy")
    folder = StudyFolder(tmp_path)
    # busy, in a closed loop: of an idle server py-spy may see nothing in two seconds, a fault of the variant spared.
    load = {"generator": "builtin", "mode": "closed", "duration": 2.0, "connections": 4, "warmup": 0}
    targets = {"a": slow(0.0, "first", "busy"), "victim": slow(0.0, "second", "busy")}
    folder.write(targets, profilers=["callgrind", "py-spy"], load=load, placement="free")
    started = folder.start("run", "s")
    for words, place in ((("valgrind", "second"), "[1/4]"), (("py-spy", "record"), "[3/4]")):
        started.wait_for(lambda place=place: started.said(place))
        started.wait_for(lambda: processes(tmp_path, "second") and processes(tmp_path, "profpipe.load.client"))
        (pid,) = processes(tmp_path, *words)
        kill(pid)
    done = started.end()
    assert done.code == 1
    report = folder.report()
    assert {(row["variant"], row["profiler"], row["phase"]) for row in report["invalid"]} == {
        ("victim", "callgrind", "load"), ("victim", "py-spy", "save"),
    }  # fmt: skip
    assert all("killed by SIGKILL" in row["reason"] for row in report["invalid"])
    assert "no valid runs for victim (callgrind, py-spy)" in done.err
    first, second = report["variants"]
    assert first["figures"]["callgrind:instructions"]["median"] > 0
    assert second["figures"]["callgrind:instructions"]["median"] is None
    folder.check_left_nothing()


def test_a_server_without_a_front_page_is_ready_when_the_studys_path_answers(tmp_path: Path) -> None:
    only = (
        "import http.server, sys\n"
        "class Only(http.server.BaseHTTPRequestHandler):\n"
        "    protocol_version = 'HTTP/1.1'\n"
        "    def do_GET(self):\n"
        "        self.send_response(200 if self.path == '/items' else 404)\n"
        "        self.send_header('Content-Length', '0')\n"
        "        self.end_headers()\n"
        "http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Only).serve_forever()\n"
    )
    folder = StudyFolder(tmp_path)
    target = {"command": ["{python}", "-c", only, "{port}"], "language": "python", "ready": {"timeout": 5.0}}
    folder.write({"a": target}, load={**LOAD, "request": {"path": "/items"}})
    assert folder.do("run").code == 0
    (record,) = folder.records().values()
    assert (record["reason"], record["load"]["served"]) == (None, 100)
