"""Run folders: whole or absent, read back as written, the newest found by name."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from profpipe import store
from profpipe.errors import StoreError
from profpipe.model.run import CaptureFile, Histogram, LoadResult, RunRecord, Usage
from profpipe.model.study import StudyRecord, VariantFacts

RUN = RunRecord(
    study="s",
    variant="threads",
    profiler="callgrind",
    round=2,
    order=7,
    command=("python3", "threads.py"),
    started="2026-01-02T03:04:05+00:00",
    load=LoadResult(
        "builtin", "1", ("x",), "closed", "none", 20, 1, 300, 0.5, latency=Histogram.of([1.0, 2.5, 15_371.0])
    ),
    usage=Usage(0.5, cpu_ns=123_456_789),
    captures=(CaptureFile("raw/callgrind.out.1", "callgrind", "ab", 10),),
)
STUDY = StudyRecord(
    study="s",
    question="why?",
    baseline="threads",
    variants=(VariantFacts("threads", "Threads", "python", ("python3", "threads.py")),),
    rounds=7,
    load="300 requests",
    placement="same core",
    command="profpipe run s",
    created="2026-01-02T03:04:05+00:00",
    profpipe="0.1.0",
    kinds={"callgrind": "counted"},
    environment={"cpu": "some"},
)


def test_a_study_folder_is_read_back_as_written(tmp_path: Path) -> None:
    folder = store.new_study_folder(tmp_path, "s", "20260102-030405")
    store.write_study(folder, STUDY)
    for order in (2, 1):
        home = store.new_run_folder(folder, order, "threads", "callgrind", 1, control=order == 2)
        store.write_run(home, replace(RUN, order=order))
    assert store.read_study(folder) == STUDY
    assert [stored.record for stored in store.read_runs(folder)] == [replace(RUN, order=1), replace(RUN, order=2)]


def test_two_studies_in_one_second_do_not_share_a_folder(tmp_path: Path) -> None:
    folders = {store.new_study_folder(tmp_path, "s", "20260102-030405") for _ in range(3)}
    assert len(folders) == 3


def test_a_run_that_was_cut_off_is_no_run(tmp_path: Path) -> None:
    folder = store.new_study_folder(tmp_path, "s", "x")
    store.new_run_folder(folder, 1, "threads", "clean", 1, control=False)
    ended = store.new_run_folder(folder, 2, "threads", "clean", 2, control=False)
    store.write_run(ended, RUN)
    assert [stored.folder for stored in store.read_runs(folder)] == [ended]
    store.remove_unfinished_runs(folder)
    assert list((folder / store.RUNS).iterdir()) == [ended]


def test_the_newest_run_folder_is_found_by_the_studys_name(tmp_path: Path) -> None:
    for at, stamp in enumerate(("a", "b")):
        folder = store.new_study_folder(tmp_path, "s", stamp)
        store.write_study(folder, STUDY)
        os.utime(folder / store.STUDY_FILE, (at, at))
    assert store.find_study_folder(tmp_path, "s").name == "b"
    assert store.find_study_folder(tmp_path, str(tmp_path / "s" / "a")).name == "a"


def test_a_folder_with_runs_goes_before_a_newer_one_without(tmp_path: Path) -> None:
    """A study that was killed before its first run had ended must not hide the last good one."""
    for at, stamp in enumerate(("good", "killed")):
        folder = store.new_study_folder(tmp_path, "s", stamp)
        store.write_study(folder, STUDY)
        os.utime(folder / store.STUDY_FILE, (at, at))
    store.write_run(store.new_run_folder(tmp_path / "s" / "good", 1, "threads", "clean", 1, control=False), RUN)
    assert store.find_study_folder(tmp_path, "s").name == "good"


def test_files_that_belong_together_take_their_names_together(tmp_path: Path) -> None:
    old = {tmp_path / "a": "1", tmp_path / "b": "1"}
    store.write_together(old)
    with pytest.raises(StoreError, match=r"missing/c: cannot be written: No such file or directory; nothing was"):
        store.write_together({tmp_path / "a": "2", tmp_path / "b": "2", tmp_path / "missing" / "c": "2"})
    assert {path: path.read_text() for path in tmp_path.iterdir()} == old


def test_a_record_is_one_line(tmp_path: Path) -> None:
    store.write_run(tmp_path, RUN)
    assert (tmp_path / store.RUN_FILE).read_text().count("\n") == 1


def test_an_unknown_study_says_how_to_run_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="run it first: profpipe run nothing"):
        store.find_study_folder(tmp_path, "nothing")


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    store.write_whole(path, "old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device; nothing was changed"):
        store.write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "study.json: Invalid JSON"),
        ('{"study": "s"}', "Field required"),
        ("[]", "cut short, or written by another version"),
    ],
)
def test_a_broken_record_names_the_file_and_the_field(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / store.STUDY_FILE).write_text(text)
    with pytest.raises(StoreError, match=words):
        store.read_study(tmp_path)


def test_what_is_written_through_a_symlink_replaces_the_link_not_its_target(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    (tmp_path / "report.html").symlink_to(outside)
    store.write_whole(tmp_path / "report.html", "report")
    assert outside.read_text() == "untouched"
    assert (tmp_path / "report.html").read_text() == "report"
