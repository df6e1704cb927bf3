"""A run folder from elsewhere: no path in it leads outside, and nothing but files is opened."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.gen_study import write_study
from profpipe import store
from profpipe.errors import StoreError
from profpipe.model.run import RunRecord
from profpipe.pipeline.reporting.calibration_file import calibration_of
from profpipe.pipeline.reporting.changed_lines import CHANGES, with_commit_changes
from profpipe.pipeline.reporting.report import build_report
from profpipe.pipeline.reporting.report_files import load_report
from profpipe.pipeline.reporting.stored_runs import load_runs

SECRET = "a line of a file outside"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("stored"), rounds=1)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    (tmp_path / "outside").write_text(SECRET)
    return shutil.copytree(whole, tmp_path / "study")


def with_path(folder: Path, path: str) -> RunRecord:
    """The record of a run whose only capture is said to be at `path`, with the digest of the file outside."""
    stored = next(s for s in store.read_runs(folder) if s.record.captures)
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    file = replace(stored.record.captures[0], path=path, sha256=digest, size=len(SECRET))
    home = stored.folder
    (home / "raw").mkdir(exist_ok=True)
    if path == "raw/pipe":
        os.mkfifo(home / path)
    if path == "raw/link":
        (home / path).symlink_to(folder.parent / "outside")
    if path == "raw/circle":
        (home / path).symlink_to("circle")
    store.write_run(home, replace(stored.record, captures=(file,)))
    for other in list(store.read_runs(folder)):
        if other.folder != home:
            shutil.rmtree(other.folder)
    ((record, _),) = load_runs(folder)
    return record


@pytest.mark.parametrize(
    "path",
    [
        "/dev/zero",
        "{outside}",
        "../../../outside",
        "raw/pipe",
        "raw/link",
        "raw/circle",
        "raw",
        "raw/\0",
        "/proc/self/environ",
    ],
)
def test_a_capture_elsewhere_is_no_capture(folder: Path, path: str) -> None:
    record = with_path(folder, path.replace("{outside}", str(folder.parent / "outside")))
    assert not record.valid
    assert record.phase == "parse"
    assert SECRET[:20] not in str(record.reason)


@pytest.mark.parametrize("name", [store.STUDY_FILE, "run.json"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_a_record_that_is_no_file_is_refused_before_it_is_opened(
    folder: Path, name: str, make: Callable[[Path], None]
) -> None:
    path = next(folder.rglob(name))
    path.unlink()
    make(path)
    with pytest.raises(StoreError, match="is not a regular file, so it is not read"):
        build_report(folder)


def test_a_report_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report.json")
    with pytest.raises(StoreError, match="is not a regular file"):
        load_report(tmp_path / "report.json")


def test_a_study_id_leads_to_no_calibration_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "reports" / "calibration").mkdir(parents=True)
    (tmp_path / "reports" / "report.json").write_text("{}")
    for study in ("../report", "diff-../report", f"{tmp_path}/reports/report"):
        with pytest.raises(StoreError, match="leads out of"):
            calibration_of(tmp_path / "reports", study, {})


def test_a_patch_elsewhere_is_a_limit_of_the_report(folder: Path) -> None:
    report = build_report(folder)[0]
    (folder / CHANGES).mkdir()
    (folder / CHANGES / f"{report.study.contenders[0]}.patch").symlink_to(folder.parent / "outside")
    limits = with_commit_changes(report, folder).limits
    assert "leads out of" in limits[-1].text
