"""The whole tool as a user meets it: one command, real servers, one report, and nothing told that should not be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.study_driving import Done, StudyFolder, read_report, server, slow
from tests.support.tools import require

pytestmark = pytest.mark.real


# ---- a study that goes well, in a folder with the worst of names


HOSTILE = "</script><img src=x onerror=alert(1)> $(touch pwned) `id` ' \" & <b>"
INHERITED = (
    "LOGNAME",
    "USER",
    "GOPATH",
    "GOCACHE",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "JAVA_HOME",
    "NODE_PATH",
    "GOROOT",
)
STRANGERS = ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DATABASE_URL", "CI_JOB_TOKEN", "NPM_TOKEN", "PGPASSWORD")
OWN = ("API_KEY", "SMTP_PASSWORD", "SESSION_SECRET", "SENTRY_DSN", "REDIS_URL")
CANARIES = {name: f"canary-{number}-{name[::-1]}" for number, name in enumerate((*INHERITED, *STRANGERS, *OWN))}


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, Done]:
    require("yappi")
    home = tmp_path_factory.mktemp("home-of-somebody")
    environment = {name: CANARIES[name] for name in (*INHERITED, *STRANGERS)} | {"HOME": str(home)}
    folder = StudyFolder(home / "check out $(touch pwned) %p 'x'", environment)
    own = {name: CANARIES[name] for name in OWN}
    folder.write(
        {
            "a": server("serves", label="plain"),
            "b": slow(0.0, "--token=hidden-in-reports") | {"label": HOSTILE, "env": own},
        },
        profilers=["clean", "yappi"],
        control=True,
        question=HOSTILE,
    )
    return folder, folder.do("run", "s")


def test_all_is_well_with_exit_0_results_on_stdout_and_progress_on_stderr(well: tuple[StudyFolder, Done]) -> None:
    folder, done = well
    assert done.code == 0, done.err
    (run_folder,) = folder.folders()
    assert done.out.rstrip().endswith(f"report: {(run_folder / 'report.html').relative_to(folder.root)}")
    assert "CPU" in done.out
    lines = done.err.splitlines()
    assert [line.partition(":")[0] for line in lines[:5]] == [
        "[1/5] clean a round 1",
        "[2/5] clean b round 1",
        "[3/5] clean a (A/A control) round 1",
        "[4/5] yappi a round 1",
        "[5/5] yappi b round 1",
    ]
    assert lines[5:] == ["reading the captures and comparing"]
    assert "\x1b" not in done.err + done.out


def test_the_report_keeps_its_schema_and_holds_the_control(well: tuple[StudyFolder, Done]) -> None:
    report = well[0].report()
    assert [(v["id"], v["role"], v["valid"]) for v in report["variants"]] == [
        ("a", "baseline", True), ("b", "contender", True), ("a+control", "control", True),
    ]  # fmt: skip
    assert report["control"]["figures"]["clean:cpu_us"]["ratio"] > 0
    assert report["invalid"] == []
    assert report["study"]["planned_runs"] == len(report["runs"]) == 5
    assert [run["served"] for run in report["runs"]] == [100] * 5
    functions = {
        row["function"]["name"] for table in report["hotspots"] for c in table["rows"] for row in c["functions"]
    }
    assert "answer" in functions


def test_the_report_is_made_again_byte_by_byte(well: tuple[StudyFolder, Done]) -> None:
    folder, _ = well
    (run_folder,) = folder.folders()
    names = ("report.json", "report.html", "comment.md")
    before = {name: (run_folder / name).read_bytes() for name in names}
    elsewhere = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "COLUMNS": "300", "PATH": "/nowhere"}
    again = folder.do("report", "s", **elsewhere)
    assert again.code == 0, again.err
    assert {name: (run_folder / name).read_bytes() for name in names} == before
    assert again.err == ""


def test_no_value_of_the_environment_is_shown(well: tuple[StudyFolder, Done]) -> None:
    folder, done = well
    assert len(CANARIES) == 20
    told = {path: path.read_text() for path in folder.reports.rglob("*") if path.suffix in {".json", ".html", ".md"}}
    assert {"report.json", "report.html", "comment.md", "study.json", "run.json"} <= {path.name for path in told}
    for name, value in CANARIES.items():
        assert not [path for path, text in told.items() if value in text], name
        assert value not in done.out + done.err


def test_no_folder_of_this_machine_is_shown(well: tuple[StudyFolder, Done]) -> None:
    folder, _ = well
    (run_folder,) = folder.folders()
    for name in ("report.json", "report.html", "comment.md"):
        text = (run_folder / name).read_text()
        assert "home-of-somebody" not in text
        assert str(ROOT) not in text
    assert folder.report()["study"]["command"] == "profpipe run s"


def test_the_command_is_shown_as_in_the_study_file_but_for_secrets(well: tuple[StudyFolder, Done]) -> None:
    folder, _ = well
    variants = {v["id"]: v["command"] for v in folder.report()["variants"]}
    assert variants["b"] == ["{python}", "slow.py", "{port}", "0.0", "--token=[hidden]"]
    (run_folder,) = folder.folders()
    for path in run_folder.rglob("*"):
        assert path.is_dir() or b"hidden-in-reports" not in path.read_bytes(), path


def test_hostile_names_stay_text(well: tuple[StudyFolder, Done]) -> None:
    folder, _ = well
    assert folder.report()["variants"][1]["label"] == HOSTILE
    page = (folder.folders()[0] / "report.html").read_text()
    assert "<img src=x" not in page
    assert not list(folder.root.parent.rglob("pwned*"))


def test_a_good_run_leaves_records_captures_and_the_servers_log_alone(well: tuple[StudyFolder, Done]) -> None:
    folder, _ = well
    folder.check_left_nothing()
    (run_folder,) = folder.folders()
    left = {
        re.sub(r"\d+\.json$", "N.json", str(p.relative_to(run_folder))) for p in run_folder.rglob("*") if p.is_file()
    }
    runs = [f"runs/000{n}" for n in ("1-a-clean", "2-b-clean", "3-a-control-clean", "4-a-yappi", "5-b-yappi")]
    assert left == {
        "study.json", "report.json", "report.html", "comment.md",
        *(f"{run}-r1/{file}" for run in runs for file in ("run.json", "server.log")),
        "runs/0004-a-yappi-r1/raw/yappi.N.json", "runs/0005-b-yappi-r1/raw/yappi.N.json",
    }  # fmt: skip
    # A histogram with a value a line made a record of 100 requests 3 kB and one of 10,000 some 30 kB.
    assert all(path.read_text().count("\n") == 1 for path in run_folder.glob("runs/*/run.json"))


def test_a_reader_who_wants_json_gets_json_alone(well: tuple[StudyFolder, Done]) -> None:
    done = well[0].do("report", "s", "--json")
    assert done.code == 0
    body = json.loads(done.out)
    assert Path(body["html"]).is_file()
    assert body["invalid"] == []


# ---- before the first run: exit 2, in words, and nothing written


def refused(folder: StudyFolder, done: Done, *words: str) -> None:
    assert done.code == 2, done.err
    assert done.out == ""
    assert not [word for word in words if word not in done.err], done.err
    assert "Traceback" not in done.err
    assert folder.folders() == []


def test_a_baseline_that_cannot_run_ends_it(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write({"base": server("serves", requires={"modules": ["no_such_module"]}), "good": server("serves")})
    refused(folder, folder.do("run", "s"), "the baseline base cannot run: no_such_module not found", "-m pip install")


def test_no_instrument_at_all_ends_it(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write({"a": server("serves")}, profilers=["callgrind"])
    refused(
        folder, folder.do("run", "s", PATH="/nowhere"), "none of its instruments works here", "apt install valgrind"
    )


def test_a_misspelt_option_is_found_before_an_hour_of_runs(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    options = {"callgrind": {"options": {"seperate_recs": 1}}}
    folder.write({"a": server("serves")}, profilers=["clean", "callgrind"], profiler=options)
    refused(folder, folder.do("run", "s"), "study s: callgrind has no option seperate_recs; it has: ", "separate_recs")


def test_a_load_that_nobody_can_drive_is_found_before_the_first_run(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write({"a": server("serves")}, load={"mode": "count", "requests": 50, "generator": "h2load"})
    refused(folder, folder.do("run", "s", PATH="/nowhere"), "study s, load: ", "h2load is not installed")


def test_without_the_generator_of_an_extra_load_the_rest_is_measured_and_the_report_says_so(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write({"a": server("serves")}, throughput={"mode": "closed", "generator": "wrk"})
    done = folder.do("run", "s", PATH="/nowhere")
    assert done.code == 0, done.err
    assert "throughput not measured: wrk is not installed" in done.err
    assert any("throughput not measured: wrk" in row["text"] for row in folder.report()["limits"])


def test_without_valgrind_the_rest_is_measured_and_the_report_says_so(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write({"a": server("serves"), "b": slow(0.0)}, profilers=["clean", "callgrind"])
    done = folder.do("run", "s", PATH="/nowhere")
    assert done.code == 0, done.err
    assert "callgrind on a, b: not measured: valgrind, vgdb not found: apt install valgrind" in done.err
    (limit,) = [row for row in folder.report()["limits"] if row["profiler"] == "callgrind"]
    assert limit["text"].startswith("not measured: valgrind, vgdb not found")
    assert limit["variants"] == ["a", "b"]


# ---- two at once


def test_two_studies_at_once_do_not_mix(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.write({"a": server("serves"), "b": slow(0.0)}, placement="free")
    both = [folder.start("run", "s", "-n", str(requests)) for requests in (60, 80)]
    ends = [started.end() for started in both]
    assert [done.code for done in ends] == [0, 0], ends
    folders = folder.folders()
    assert len(folders) == 2
    served = [{row["served"] for row in read_report(path)["runs"]} for path in folders]
    assert sorted(served, key=min) == [{60}, {80}]
    assert [len(read_report(path)["runs"]) for path in folders] == [2, 2]
    assert all(str(path.relative_to(tmp_path)) in ends[0].out + ends[1].out for path in folders)
    folder.check_left_nothing()


def test_a_terminal_sees_the_phases_and_stdout_stays_clean(tmp_path: Path) -> None:
    """stderr is a terminal, stdout a pipe, as in `profpipe run s | tee log`."""
    folder = StudyFolder(tmp_path)
    folder.write({"a": server("serves"), "b": slow(0.0)})
    ours, theirs = os.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "profpipe", "run", "s", "--reports", str(folder.reports)],
        stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(theirs)
    seen = _read_terminal(ours)
    assert started.stdout is not None
    with started.stdout:
        out = started.stdout.read()
    assert started.wait(30) == 0
    assert b"\x1b" not in out
    assert out.rstrip().endswith(b"report.html")
    assert "clean a round 1: load" in seen
    assert "100 requests" in seen


def _read_terminal(fd: int) -> str:
    data = b""
    while True:
        try:
            more = os.read(fd, 65536)
        except OSError:  # the last writer is gone
            break
        if not more:
            break
        data += more
    os.close(fd)
    return data.decode(errors="replace")
