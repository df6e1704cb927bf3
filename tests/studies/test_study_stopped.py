"""A study that cannot go on, by a full disk or by a signal: what had ended is kept, whole, and nothing runs on."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from profpipe.pipeline.reporting.report import write_report
from tests.support.processes import processes
from tests.support.study_driving import LOAD, StudyFolder, server, slow
from tests.support.tools import require

pytestmark = pytest.mark.real


# ---- no room left


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "none", str(place)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here: needs root and CAP_SYS_ADMIN")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_ends_the_study_in_words(tmp_path: Path, small_disk: Path) -> None:
    """Room for the first records, none for the page."""
    folder = StudyFolder(tmp_path / "study")
    folder.write({"a": server("serves"), "b": slow(0.0)}, rounds=2)
    folder.reports.symlink_to(small_disk)
    done = folder.do("run", "s")
    assert done.code == 1
    assert "No space left on device" in done.err
    assert "runs that had ended; report them with: profpipe report " in done.err
    assert "Traceback" not in done.err
    folder.check_left_nothing()
    assert not list(small_disk.rglob("report.html"))


@pytest.mark.parametrize(
    ("limit", "cannot", "kept"),
    # The study's record is 2,552 bytes. The latencies of 200 requests make that of a run longer, and leave what the
    # load client writes shorter.
    [(500, "study.json", [[]]), (2_700, "run.json", [[]]), (20_000, "report.html", [[2]])],
)
def test_a_file_that_may_not_grow_is_absent_not_half(
    tmp_path: Path, limit: int, cannot: str, kept: list[list[int]]
) -> None:
    """RLIMIT_FSIZE, as a quota: first the study's record does not fit, then a run's, then the report."""
    folder = StudyFolder(tmp_path)
    load = {**LOAD, "requests": 200}
    folder.write({"a": server("serves"), "b": slow(0.0)}, question="q" * 300 if limit == 500 else "", load=load)
    done = folder.do("run", "s", limit=limit)
    assert done.code == 1
    assert re.search(rf"{cannot}: cannot be written: File too large; nothing was changed", done.err), done.err
    assert "Traceback" not in done.err
    folder.check_left_nothing()
    assert [len(folder.records(path)) for path in folder.folders()] in kept


# ---- stopped in the middle


def stopping(folder: StudyFolder) -> None:
    """Four runs: two that are quick, one that lasts under load, one that is never ready."""
    folder.write(
        {
            "a": server("serves"),
            "b": slow(0.0),
            "long": slow(0.2, "long"),
            "stuck": server("never-ready", ready={"timeout": 60.0}),
        },
        load={**LOAD, "warmup": 1, "requests": 400},
    )


MOMENTS = {
    "first run": lambda s, root: processes(root, "faulty.py"),
    "between runs": lambda s, root: s.said("[2/4]"),
    "load": lambda s, root: processes(root, "long") and processes(root, "profpipe.load.client"),
}


@pytest.mark.parametrize(
    ("how", "moment", "ended"),
    [
        (signal.SIGINT, "first run", 0),
        (signal.SIGTERM, "between runs", 2),
        (signal.SIGKILL, "between runs", 2),
        (signal.SIGINT, "load", 2),
        (signal.SIGTERM, "load", 2),
        (signal.SIGKILL, "load", 2),
    ],
)
def test_a_study_that_is_stopped_keeps_what_had_ended(
    tmp_path: Path, how: signal.Signals, moment: str, ended: int
) -> None:
    folder = StudyFolder(tmp_path)
    stopping(folder)
    started = folder.start("run", "s")
    started.wait_for(lambda: MOMENTS[moment](started, tmp_path))
    started.process.send_signal(how)
    done = started.end(10)
    folder.check_left_nothing()
    assert done.code == (-signal.SIGKILL if how == signal.SIGKILL else 1)
    assert "Traceback" not in done.err
    if not ended:
        assert folder.folders() == []
        assert "stopped before any run had ended; nothing is kept" in done.err
        return
    (run_folder,) = folder.folders()
    assert len(folder.records()) == ended
    if how != signal.SIGKILL:
        assert f"{ended} of 4 runs that had ended; report them with: profpipe report {run_folder}" in done.err
        assert len(list((run_folder / "runs").iterdir())) == ended
    written = write_report(run_folder)
    (caution,) = [c for c in written.report.conclusions if c.rule == "cut-short"]
    assert caution.text.startswith(f"The study was cut short: {ended} of 4 planned runs ended.")
    assert written.report.variants[0].valid


@pytest.mark.parametrize("instrument", ["cprofile", "callgrind"])
def test_a_profpipe_that_is_killed_leaves_no_temporary_folder(tmp_path: Path, instrument: str) -> None:
    """What an instrument and {data} keep outside the run folder goes with the server, whose keeper outlives us."""
    require(*(["valgrind"] if instrument == "callgrind" else []))
    folder = StudyFolder(tmp_path)
    folder.write({"a": slow(0.2, "{data}")}, profilers=[instrument], load={**LOAD, "warmup": 1, "requests": 400})
    started = folder.start("run", "s")
    started.wait_for(lambda: processes(tmp_path, "profpipe.load.client"))
    assert len(list(folder.temporary.glob("profpipe-*"))) == 2
    (data,) = folder.temporary.glob("profpipe-data-*")
    (data / "table").mkdir()
    (data / "table" / "rows").write_text("1")
    started.process.kill()
    started.end(10)
    folder.check_left_nothing()


@pytest.mark.parametrize("seed", range(4))
def test_at_any_other_moment_too(tmp_path: Path, seed: int) -> None:
    """Servers that fork and daemonize, an instrument inside; whatever ended is reported."""
    chance = random.Random(seed)
    folder = StudyFolder(tmp_path)
    folder.write({"a": server("forks"), "b": server("double-forks")}, profilers=["clean", "cprofile"])
    started = folder.start("run", "s")
    how = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
    with suppress(subprocess.TimeoutExpired):
        started.process.wait(chance.uniform(0.3, 3.0))
    started.process.send_signal(how)
    done = started.end(10)
    folder.check_left_nothing()
    # On a busy machine the interpreter may still be starting, and then the traceback is its own.
    assert "/profpipe/" not in done.err.partition("Traceback")[2]
    for run_folder in folder.folders():
        if records := folder.records(run_folder):
            report = write_report(run_folder).report
            assert len(report.runs) == len(records)
            assert any(c.rule == "cut-short" for c in report.conclusions) == (len(records) < 4)


@pytest.mark.parametrize("generator", ["wrk", "h2load"])
def test_a_load_generator_does_not_outlive_us(tmp_path: Path, generator: str) -> None:
    """It is no child of the server's keeper, and would go on until its duration is over; killed as it begins."""
    require(generator)
    folder = StudyFolder(tmp_path)
    load = {"generator": generator, "mode": "closed", "duration": 60.0, "connections": 4, "warmup": 1}
    folder.write({"a": slow(0.01)}, load=load)
    started = folder.start("run", "s")
    started.wait_for(lambda: processes(tmp_path, generator, "http://"))
    started.process.kill()
    started.end(10)
    folder.check_left_nothing()


def test_a_study_stopped_while_it_waits_is_reported_by_the_command_line(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    stopping(folder)
    started = folder.start("run", "s", "-t", "a", "-t", "stuck")
    started.wait_for(lambda: processes(tmp_path, "never-ready"))
    started.process.send_signal(signal.SIGINT)
    assert started.end(10).code == 1
    folder.check_left_nothing()
    done = folder.do("report", "s")
    assert "The study was cut short: 1 of 2 planned runs ended." in " ".join(done.out.split())
    report = folder.report()
    assert [(v["id"], v["valid"]) for v in report["variants"]] == [("a", True), ("stuck", False)]
    # `stuck` was never measured: whoever asks for a comparison must not be told that all is well.
    assert done.code == 1
    folder.check_left_nothing()


def test_a_build_that_is_stopped_is_ended_with_its_children(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    build = [["sh", "-c", "sleep 600 & sleep 600; true"]]
    folder.write({"a": server("serves", build=build)})
    for how in (signal.SIGINT, signal.SIGKILL):
        started = folder.start("run", "s")
        started.wait_for(lambda: len(processes(tmp_path, "sleep", "600")) >= 2)
        started.process.send_signal(how)
        assert started.end(10).code == (1 if how == signal.SIGINT else -how)
        folder.check_left_nothing()
