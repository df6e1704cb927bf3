"""Reports from stored captures: the same bytes every time, and no damaged capture is ever a sample."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from bench.gen_study import KINDS, sources, write_study
from profpipe import store
from profpipe.errors import ReportError, StoreError
from profpipe.pipeline.reporting import report_files
from profpipe.pipeline.reporting.report import build_report, write_report
from profpipe.pipeline.reporting.report_files import report_json
from tests.support.paths import REPORT_SCHEMA


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one round."""
    return write_study(tmp_path_factory.mktemp("stored"), rounds=1)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(whole, tmp_path / "study")


def home_of(folder: Path, variant: str, profiler: str) -> Path:
    (home,) = folder.glob(f"runs/*-{variant}-{profiler}-r1")
    return home


def capture_of(folder: Path, variant: str, profiler: str) -> Path:
    (capture,) = home_of(folder, variant, profiler).glob("raw/*")
    return capture


def sign(home: Path) -> None:
    """As if the profiler itself had written what is there now."""
    (stored,) = [s for s in store.read_runs(home.parents[1]) if s.folder == home]
    (file,) = stored.record.captures
    content = (home / file.path).read_bytes()
    signed = replace(file, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    store.write_run(home, replace(stored.record, captures=(signed,)))


@pytest.mark.slow
def test_a_whole_study_has_no_invalid_run_and_keeps_its_schema(whole: Path) -> None:
    report, unmeasured = build_report(whole)
    jsonschema.validate(json.loads(report_json(report)), json.loads(REPORT_SCHEMA.read_text()))
    assert report.invalid == ()
    assert unmeasured == ()
    assert {m.profiler for m in report.metrics} == set(KINDS)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "cut before its last line": lambda content: content[: content.rstrip().rfind(b"\n")],
    "binary garbage": lambda content: bytes(range(256)) * (len(content) // 256 + 1),
    "another format": lambda content: b"<html><body>502 Bad Gateway</body></html>\n",
    "one byte": lambda content: content[: len(content) // 3] + b"\0" + content[len(content) // 3 + 1 :],
}


@pytest.mark.slow
@pytest.mark.parametrize("profiler", ["callgrind", "py-spy", "yappi"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_capture_that_changed_after_the_run_is_no_sample(folder: Path, profiler: str, damage: str) -> None:
    path = capture_of(folder, "asyncio", profiler)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    report, unmeasured = build_report(folder)
    (invalid,) = report.invalid
    assert (invalid.variant, invalid.profiler, invalid.phase) == ("asyncio", profiler, "parse")
    assert invalid.reason.startswith(f"its capture cannot be read: raw/{path.name} was changed after the run: ")
    assert unmeasured == (("asyncio", profiler),)
    check_others(report, profiler)


def check_others(report: object, profiler: str) -> None:
    """Every other figure is there, the damaged one is unknown."""
    from profpipe.model.report import Report

    assert isinstance(report, Report)
    assert all(v.valid for v in report.variants)
    known = {
        (v.id, m.key): v.figures[m.key].median is not None
        for v in report.variants
        for m in report.metrics
        if v.role != "control" and m.key in v.figures and m.profiler != "clean"
    }
    assert known
    lost = {pair for pair, there in known.items() if not there}
    assert lost == {(v, key) for v, key in known if v == "asyncio" and key.startswith(f"{profiler}:")}
    assert not [w for w in report.waterfall if w.contender == "asyncio" and w.metric.startswith(f"{profiler}:")]


@pytest.mark.slow
@pytest.mark.parametrize("profiler", ["callgrind", "py-spy", "yappi"])
@pytest.mark.parametrize("damage", ["empty", "cut in half", "binary garbage", "another format"])
def test_a_capture_that_was_written_damaged_is_no_sample(folder: Path, profiler: str, damage: str) -> None:
    """The digest is right, since the profiler wrote it so: the reader must notice."""
    path = capture_of(folder, "asyncio", profiler)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    sign(path.parents[1])
    report, _ = build_report(folder)
    (invalid,) = report.invalid
    assert (invalid.variant, invalid.profiler, invalid.phase) == ("asyncio", profiler, "parse")
    assert str(folder) not in invalid.reason
    check_others(report, profiler)


def test_a_capture_of_another_profiler_is_no_sample(folder: Path) -> None:
    path = capture_of(folder, "asyncio", "callgrind")
    path.write_bytes(sources("asyncio")["yappi"].content())
    sign(path.parents[1])
    report, _ = build_report(folder)
    assert [i.phase for i in report.invalid] == ["parse"]


def test_a_capture_that_is_gone_is_named(folder: Path) -> None:
    path = capture_of(folder, "asyncio", "callgrind")
    path.unlink()
    report, _ = build_report(folder)
    (invalid,) = report.invalid
    assert invalid.reason == "its capture cannot be read: raw/callgrind.out.1 no longer exists"


def test_a_record_that_is_broken_is_named(folder: Path) -> None:
    path = home_of(folder, "asyncio", "callgrind") / "run.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(StoreError, match=r"callgrind-r1/run\.json: .*Invalid JSON"):
        build_report(folder)


def test_a_study_that_was_cut_short_says_how_far_it_came(folder: Path) -> None:
    for home in sorted((folder / "runs").iterdir())[5:]:
        shutil.rmtree(home)
    report, unmeasured = build_report(folder)
    (caution,) = [c for c in report.conclusions if c.rule == "cut-short"]
    assert caution.text.startswith("The study was cut short: 5 of 14 planned runs ended.")
    assert unmeasured == ()
    assert not [c for c in build_report(folder)[0].conclusions if c.rule == "lost"]


def test_a_study_without_a_finished_run_has_no_report(folder: Path) -> None:
    shutil.rmtree(folder / "runs")
    with pytest.raises(ReportError, match="no run has ended yet"):
        write_report(folder)
    assert not (folder / "report.json").exists()


def test_a_refusal_is_no_failure(folder: Path) -> None:
    """A blind spot that the profiler finds out itself is told and is no reason for exit 1."""
    home = home_of(folder, "asyncio", "yappi")
    (stored,) = [s for s in store.read_runs(folder) if s.folder == home]
    why = "the serving threads were not seen"
    store.write_run(home, replace(stored.record, reason=why, phase="save", refused=True, captures=()))
    report, unmeasured = build_report(folder)
    assert [i.reason for i in report.invalid] == [why]
    assert unmeasured == ()


@pytest.mark.slow
def test_the_report_of_the_same_captures_is_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    """Whatever the order in which the runs lie in the folder."""
    names = (report_files.REPORT_JSON, report_files.REPORT_HTML, report_files.COMMENT)
    first = write_report(whole)
    elsewhere = tmp_path / "other place"
    for home in sorted((whole / "runs").iterdir(), reverse=True):
        shutil.copytree(home, elsewhere / "runs" / home.name)
    shutil.copy(whole / "study.json", elsewhere)
    write_report(elsewhere)
    for name in names:
        assert (elsewhere / name).read_bytes() == (first.json.parent / name).read_bytes()


def test_report_json_is_read_back_as_it_was_written(whole: Path, tmp_path: Path) -> None:
    written = write_report(whole)
    assert report_files.load_report(written.json) == written.report
    (tmp_path / "x.json").write_text(written.json.read_text().replace("profpipe.report/2", "profpipe.report/9"))
    with pytest.raises(ReportError, match=r"schema: .*this version reads profpipe\.report/1 and profpipe\.report/2"):
        report_files.load_report(tmp_path / "x.json")


@pytest.mark.slow
def test_the_old_report_stays_when_the_new_one_cannot_be_written(
    whole: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    write_report(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    store.write_study(folder, replace(store.read_study(folder), question="another?"))
    calls = []

    def full_at_the_second(_handle: int) -> None:
        calls.append(_handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(StoreError, match=r"report\.html: cannot be written: No space left on device"):
        write_report(folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert after.keys() == before.keys()
    assert all(after[name] == before[name] for name in before if name != "study.json")
