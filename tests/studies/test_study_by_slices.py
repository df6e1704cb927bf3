"""A study measured by slices, by the real command line: its starts are kept, judged, and cut by nothing but whole."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from profpipe.model.metric_keys import CPU
from profpipe.pipeline.reporting.report import build_report
from tests.support.paths import SERVERS
from tests.support.study_driving import LOAD, StudyFolder

pytestmark = pytest.mark.real
SLICES = {"slices": "auto", "budget": 4.0, "seed": 7, "load": {**LOAD, "connections": 4, "warmup": 16}}


def goes(fault: str = "none", after: int = 0, **more: object) -> dict[str, object]:
    """A target of tests/servers/goes_wrong.py."""
    command = ["{python}", "goes_wrong.py", "{port}", fault, str(after)]
    return {"command": command, "language": "python", "stop_timeout": 1.0, **more}


def study(tmp_path: Path, targets: dict[str, dict[str, object]], **settings: object) -> StudyFolder:
    folder = StudyFolder(tmp_path)
    folder.write(targets, **{**SLICES, **settings})
    shutil.copy(SERVERS / "goes_wrong.py", folder.root)
    return folder


def test_a_study_is_measured_by_slices_and_reported_again_from_its_files(tmp_path: Path) -> None:
    # The first look decides so coarse a question, a few seconds on a quiet machine; a busy one gets as many starts.
    folder = study(tmp_path, {"plain": goes(), "grows": goes("slower", 10**6)}, budget=12.0, resolution=0.5)
    done = folder.do("run", "s")
    assert done.code == 0, done.err
    assert "CPU time is measured by slices: slices of" in done.err
    report = folder.report()
    slices = report["study"]["slices"]
    assert slices["seed"] == 7
    assert slices["starts"] >= 3
    assert slices["lost"] == []
    assert 0 < slices["load_share"] < 1
    plain, grows, control = report["variants"]
    assert len(plain["figures"][CPU]["values"]) == slices["starts"]
    assert plain["lottery"][CPU]["low"] <= plain["figures"][CPU]["median"] <= plain["lottery"][CPU]["high"]
    assert plain["idle_cpu"] < 0.05
    assert control["role"] == "control"
    assert control["idle_cpu"] < 0.05
    compared = grows["against_baseline"][CPU]
    assert compared["paired"]
    assert compared["ratio"] > 1.2, "it burns 20 us for every request"
    assert report["control"]["figures"][CPU]["verdict"] in {"no change", "cannot tell"}
    (home,) = folder.folders()
    assert len(list(home.glob("starts/*.json"))) >= slices["starts"]
    again = build_report(home)[0]
    assert json.loads(again.model_dump_json(by_alias=True))["variants"] == report["variants"]
    folder.check_left_nothing()


def test_a_variant_that_loses_every_start_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    folder = study(tmp_path, {"plain": goes(), "other": goes(), "dies": goes("die", 300)})
    done = folder.do("run", "s")
    report = folder.report()
    slices = report["study"]["slices"]
    assert [(each["target"], "killed by SIGSEGV" in each["reason"]) for each in slices["left_out"]] == [("dies", True)]
    assert report["variants"][1]["against_baseline"][CPU]["ratio"] is not None
    assert report["variants"][2]["figures"][CPU]["median"] is None
    assert "killed by SIGSEGV" in report["variants"][2]["figures"][CPU]["why"]
    assert "Traceback" not in done.err
    folder.check_left_nothing()


def test_one_fixed_port_for_two_is_measured_in_rounds_and_the_report_gives_the_reason(tmp_path: Path) -> None:
    port = {"command": ["{python}", "goes_wrong.py", "18473", "none", "0"], "port": 18473}
    folder = study(tmp_path, {"one": goes(**port), "two": goes(**port)})
    done = folder.do("run", "s")
    assert done.code == 0, done.err
    report = folder.report()
    assert report["study"]["slices"] is None
    (limit,) = [each["text"] for each in report["limits"] if "not by slices" in each["text"]]
    assert "one and two both listen on port 18473" in limit
    assert len(report["variants"][0]["figures"][CPU]["values"]) == 1


LOCK = """
import fcntl, os, sys
lock = open("lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
os.set_inheritable(lock.fileno(), True)
os.execv(sys.executable, [sys.executable, "goes_wrong.py", sys.argv[1], "none", "0"])
"""


def test_servers_that_exclude_each_other_are_measured_in_rounds(tmp_path: Path) -> None:
    locks = {"command": ["{python}", "-c", LOCK, "{port}"]}
    folder = study(tmp_path, {"one": goes(**locks), "two": goes(**locks)})
    done = folder.do("run", "s")
    assert done.code == 0, done.err
    report = folder.report()
    (limit,) = [each["text"] for each in report["limits"] if "not by slices" in each["text"]]
    assert "fails when the others run next to it" in limit
    assert "BlockingIOError" in limit or "exit status 1" in limit
    assert all(variant["figures"][CPU]["median"] is not None for variant in report["variants"])
    assert not list(folder.reports.glob("s/*/starts"))
    folder.check_left_nothing()


def test_slices_that_are_demanded_and_impossible_are_an_error(tmp_path: Path) -> None:
    port = {"command": ["{python}", "goes_wrong.py", "18474", "none", "0"], "port": 18474}
    done = study(tmp_path, {"one": goes(**port), "two": goes(**port)}, slices=True).do("run", "s")
    assert done.code == 2
    assert "slices = true, and it cannot be measured by slices: one and two both listen on port 18474" in done.err


def test_a_stop_within_a_start_keeps_the_starts_before_it_and_no_process(tmp_path: Path) -> None:
    folder = study(tmp_path, {"plain": goes(), "other": goes()}, budget=60.0, resolution=0.0001)
    started = folder.start("run", "s")
    started.wait_for(lambda: len(list(folder.reports.glob("s/*/starts/0*.json"))) >= 2)
    started.process.send_signal(signal.SIGINT)
    done = started.end()
    assert done.code not in {0, 2}
    assert "report them with: profpipe report " in done.err
    folder.check_left_nothing()
    (home,) = folder.folders()
    kept = build_report(home)[0].study.slices
    assert kept is not None
    assert kept.starts == len(list(home.glob("starts/*.json")))
    assert kept.stopped == "cut short"
