"""`profpipe compare` of runs that were measured before, maybe at another time or on another machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.gen_study import write_study
from profpipe import store
from profpipe.errors import Refused, UsageError
from profpipe.model.report import Report
from profpipe.model.run import RunRecord
from profpipe.model.study import StudyRecord
from profpipe.pipeline.reporting.compare_runs import compare_folders, side
from tests.support.command import profpipe


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("measured"), rounds=2)


def copy(measured: Path, to: Path, study: Callable[[StudyRecord], StudyRecord] | None = None) -> Path:
    shutil.copytree(measured, to)
    if study is not None:
        store.write_study(to, study(store.read_study(to)))
    return to


def change_runs(folder: Path, change: Callable[[RunRecord], RunRecord]) -> None:
    for stored in store.read_runs(folder):
        store.write_run(stored.folder, change(stored.record))


def compared(*texts: str) -> Report:
    return compare_folders([side(text, Path("reports"), f"side{i}") for i, text in enumerate(texts)])


def limits(report: Report) -> list[str]:
    return [f"{limit.profiler}: {limit.text}" for limit in report.limits]


def names(measured: Path) -> list[str]:
    return [v.id for v in store.read_study(measured).variants]


@pytest.mark.slow
def test_a_variant_beside_itself_from_another_folder_costs_the_same(measured: Path, tmp_path: Path) -> None:
    variant = names(measured)[0]
    again = copy(measured, tmp_path / "again")
    report = compared(f"{measured}:{variant}", f"{again}:{variant}")
    assert {v.id for v in report.variants if v.role != "control"} == {"side0", "side1"}
    found = report.variants[1].against_baseline["callgrind:instructions"]
    assert (found.verdict, found.ratio) == ("no change", 1.0)
    assert any("measured one after the other, not in turns" in text for text in limits(report))


def test_two_variants_of_one_folder_differ_as_they_do_in_its_own_report(measured: Path) -> None:
    first, second, *_ = names(measured)
    report = compared(f"{measured}:{first}", f"{measured}:{second}")
    assert report.variants[1].against_baseline["callgrind:instructions"].verdict in ("better", "worse")


def test_on_another_machine_only_counts_are_compared(measured: Path, tmp_path: Path) -> None:
    variant = names(measured)[0]
    far = copy(
        measured,
        tmp_path / "far",
        lambda s: replace(s, environment={**s.environment, "CPU": "A far one", "kernel": "L 9"}),
    )
    report = compared(f"{measured}:{variant}", f"{far}:{variant}")
    assert {m.profiler for m in report.metrics if m.instrument in ("clean", "sampled")} == set()
    assert any("not compared: measured on different machines" in text for text in limits(report))
    assert any("counts depend on CPU" in text for text in limits(report))
    assert " | side1: A far one" in report.environment["CPU"]


def test_another_version_or_option_of_a_profiler_is_refused(measured: Path, tmp_path: Path) -> None:
    variant = names(measured)[0]
    other = copy(measured, tmp_path / "other")
    change_runs(other, lambda r: replace(r, profiler_facts={**r.profiler_facts, "options": "--cache-sim=yes"}))
    with pytest.raises(
        Refused, match=r"cannot be compared: .*measured with different options \(options: .* and --cache-sim=yes"
    ):
        compared(f"{measured}:{variant}", f"{other}:{variant}")


def test_another_load_is_labelled(measured: Path, tmp_path: Path) -> None:
    variant = names(measured)[0]
    other = copy(measured, tmp_path / "other", lambda s: replace(s, load="another load"))
    report = compared(f"{measured}:{variant}", f"{other}:{variant}")
    assert any("different loads: another load; side0 had" in text for text in limits(report))


def test_which_variant_is_meant_must_be_clear(measured: Path) -> None:
    with pytest.raises(UsageError, match=r"has .* variants; name one"):
        side(str(measured), Path("reports"))
    with pytest.raises(UsageError, match="has no variant nobody; it has"):
        side(f"{measured}:nobody", Path("reports"))


def test_the_command_line_says_what_does_not_go_together(measured: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.folded"
    file.write_text("main;a 1\n")
    variant = names(measured)[0]
    for words, message in (
        ((f"{measured}:{variant}", str(file)), "compare captures with captures and runs with runs"),
        ((f"{measured}:{variant}", f"{measured}:{variant}"), "two sides have the same name"),
        (
            (f"{measured}:{variant}", f"{measured}:{variant}", "--requests", "5", "--requests", "5"),
            "--requests is for captures",
        ),
        (("nothing", "there"), "nothing, there: neither a capture file nor a run folder or study"),
    ):
        done = profpipe("compare", *words)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr


@pytest.mark.slow
def test_the_report_of_the_same_runs_is_the_same_bytes(measured: Path, tmp_path: Path) -> None:
    sides = [f"{measured}:{name}" for name in names(measured)[:2]]
    made = []
    for time in (1_000_000_000, 2_000_000_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.time", lambda time=time: float(time))
            out = tmp_path / str(time)
            assert profpipe("compare", *sides, "-o", out).returncode == 0
            made.append([(out / name).read_bytes() for name in ("report.html", "report.json", "comment.md")])
    assert made[0] == made[1]
    assert store.read_study(measured).created.encode() in made[0][1]
