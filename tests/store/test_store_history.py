"""The history folder: nothing is lost of a report, files are whole or absent, damage is named and never read."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from profpipe.errors import StoreError, UsageError
from profpipe.model.machine import machine_key, machine_text
from profpipe.model.report import Report
from profpipe.pipeline.history import Narrowed, ask, merge, overview, record
from profpipe.store.history import folder as history_files
from profpipe.store.history.parquet import database, digest, names_of, table
from profpipe.store.history.rows import COLUMNS, report_id, report_rows
from tests.support.examples import examples
from tests.support.history_cases import REAL, at, document
from tests.support.hostile_names import NAMES
from tests.support.paths import ROOT

REACHING = tuple(name for name in NAMES if "\ud800" not in name)


def folder_of(reports: Path) -> Path:
    return reports / "history"


def stored(reports: Path) -> list[Path]:
    return sorted(folder_of(reports).glob("*.parquet"))


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.parent.name)
def test_every_figure_of_a_real_report_comes_back(path: Path, tmp_path: Path) -> None:
    report = Report.model_validate_json(path.read_bytes())
    file = record(report, tmp_path, tmp_path / "s" / "1" / "report.json")
    with database() as opened:
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        rows = opened.execute(f"SELECT {names} FROM read_parquet(?)", names_of([file])).fetchall()
    columns = list(COLUMNS)
    kind, variant, metric, value = (columns.index(name) for name in ("kind", "variant", "metric", "value"))
    told = {(row[variant], row[metric]): row[value] for row in rows if row[kind] == "metric"}
    for each in report.variants:
        for key, series in each.figures.items():
            assert told[each.id, key] == series.median
    own = [row[value] for row in rows if row[kind] == "function"]
    cells = [
        cell.self for hot in report.hotspots for c in hot.rows for f in c.functions for cell in f.cells.values()
        if cell.self is not None
    ]  # fmt: skip
    assert len(own) == len(cells)
    assert math.isclose(math.fsum(own), math.fsum(cells))
    assert {row[columns.index("report")] for row in rows} == {"s/1/report.json"}


def test_the_same_report_twice_replaces_itself(tmp_path: Path) -> None:
    record(at(1), tmp_path)
    record(at(1, factor=2.0), tmp_path)
    assert len(stored(tmp_path)) == 1
    (trend, *_) = ask(tmp_path, "clean:cpu_us", Narrowed(variant="threads")).trends
    once = document()["variants"][0]["figures"]["clean:cpu_us"]["median"]
    assert [point.value for point in trend.points] == [pytest.approx(2 * once)]


def test_a_report_that_is_made_again_keeps_its_id_and_two_runs_never_share_one() -> None:
    data = document()
    first = report_id(Report.model_validate(data))
    data["conclusions"], data["profpipe"] = [], "9.9"
    assert report_id(Report.model_validate(data)) == first
    data["runs"][0]["seconds"] += 0.001
    assert report_id(Report.model_validate(data)) != first


@pytest.mark.programs
def test_packing_loses_nothing_and_a_report_made_again_outranks_its_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_files, "PACK_AT", 4)
    for number in range(6):
        record(at(number), tmp_path)
    names = [path.name for path in stored(tmp_path)]
    assert sum(name.startswith("pack-") for name in names) == 1
    assert len(names) == 3
    record(at(1, factor=3.0), tmp_path)
    (trend, *_) = ask(tmp_path, "clean:cpu_us", Narrowed(variant="threads")).trends
    values = [point.value for point in trend.points]
    assert [round(value / values[0], 6) for value in values if value] == [1, 3, 1, 1, 1, 1]


@pytest.mark.programs
def test_entries_are_in_the_order_of_commits(tmp_path: Path) -> None:
    for number in (5, 1, 3):
        record(at(number), tmp_path)
    (trend, *_) = ask(tmp_path, "clean:cpu_us", Narrowed(variant="threads")).trends
    assert [point.commit for point in trend.points] == [f"{number:012x}" for number in (1, 3, 5)]


@pytest.mark.programs
def test_commits_of_one_target_are_points_of_its_series(tmp_path: Path) -> None:
    data = document()
    for number, variant in enumerate(data["variants"][:2]):
        time_ = f"2026-02-0{number + 1}T10:00:00+00:00"
        variant["commit"] = {"commit": f"{number:040x}", "subject": f"commit {number}", "time": time_}
    report = Report.model_validate(data)
    record(report, tmp_path, targets={variant.id: "server" for variant in report.variants[:2]})
    (trend,) = ask(tmp_path, "clean:cpu_us", Narrowed(variant="server")).trends
    assert trend.label == "server"
    assert [(p.commit, p.subject) for p in trend.points] == [(f"{n:040x}", f"commit {n}") for n in range(2)]


def test_machines_are_never_one_series(tmp_path: Path) -> None:
    record(at(1), tmp_path)
    record(at(2, cpu="another"), tmp_path)
    trends = ask(tmp_path, "clean:cpu_us", Narrowed(variant="threads")).trends
    assert len(trends) == 2
    assert {len(trend.points) for trend in trends} == {1}
    (one,) = ask(tmp_path, "clean:cpu_us", Narrowed(variant="threads", machine="ANOTHER")).trends
    assert one.machine_text.startswith("another;")


def test_a_machine_is_its_facts_not_its_name_and_not_its_kernels_patch_level() -> None:
    facts = {"CPU": "X", "processors": "1 of 2", "kernel": "Linux 6.1.2-a", "virtual machine": "no", "memory": "8 GiB"}
    assert machine_text(facts) == "X; 2 processors; Linux 6; virtual machine: no; container: unknown"
    assert machine_text(facts) == machine_text(facts | {"kernel": "Linux 6.9", "memory": "9 GiB", "host": "h"})
    assert machine_key(machine_text(facts)) != machine_key(machine_text(facts | {"container": "docker"}))


@pytest.mark.programs
def test_a_function_that_a_report_does_not_list_is_unknown_not_zero(tmp_path: Path) -> None:
    record(at(1), tmp_path)
    data = at(2).model_dump(mode="json", by_alias=True)
    for table_ in data["hotspots"]:
        for row in table_["rows"]:
            row["functions"] = [f for f in row["functions"] if f["function"]["name"] != "_PyEval_EvalFrameDefault"]
    record(Report.model_validate(data), tmp_path)
    answer = ask(tmp_path, "_PyEval_EvalFrameDefault", Narrowed(variant="threads", metric="callgrind:instructions"))
    (trend,) = answer.trends
    assert [point.value for point in trend.points] == [4348.23, None]
    assert "not listed" in (trend.points[1].why or "")


def test_an_ambiguous_name_lists_its_choices(tmp_path: Path) -> None:
    record(at(1), tmp_path)
    with pytest.raises(UsageError, match=r"is ambiguous \(4 matches\)(.|\n)*clean:cpu_us  CPU time per request"):
        ask(tmp_path, "cpu", Narrowed())
    with pytest.raises(UsageError, match="has no metric or function 'no such thing'"):
        ask(tmp_path, "no such thing", Narrowed())


@pytest.mark.programs
def test_rows_of_before_throughput_had_a_key_join_its_series(tmp_path: Path) -> None:
    record(at(1), tmp_path)
    report = at(2)
    old = {"clean:throughput": "throughput", "clean:p99_us": "p99_us"}
    place = list(COLUMNS).index("metric")
    rows = [(*row[:place], old.get(row[place], row[place]), *row[place + 1 :]) for row in report_rows(report)]
    history_files.write_entry(folder_of(tmp_path), report_id(report), rows)
    for name in ("throughput", "p99_us", "clean:p99_us"):
        answer = ask(tmp_path, name, Narrowed())
        assert answer.trends, name
        assert {len(trend.points) for trend in answer.trends} == {2}, name


@pytest.mark.slow
def test_hostile_names_are_kept_as_they_are(tmp_path: Path) -> None:
    data = document()
    model = data["hotspots"][0]["rows"][0]["functions"][0]
    data["hotspots"][0]["rows"][0]["functions"] = [
        model | {"id": f"h{i}", "function": model["function"] | {"name": name}} for i, name in enumerate(REACHING)
    ]
    record(Report.model_validate(data), tmp_path)
    for i, name in enumerate(REACHING):
        assert ask(tmp_path, f"h{i}", Narrowed()).what == name


@pytest.mark.parametrize("name", ["a[b]c", "with 'quote", "star*", "ü"])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    record(at(1), tmp_path / name)
    assert ask(tmp_path / name, "throughput", Narrowed()).trends


# ---- damage


@pytest.mark.slow
def test_cut_off_anywhere_a_file_is_named_and_left_out(tmp_path: Path) -> None:
    record(at(1), tmp_path)
    (path,) = stored(tmp_path)
    whole = path.read_bytes()
    for size in [0, 1, 3, 4, 12, *range(100, len(whole), len(whole) // examples(25)), len(whole) - 9, len(whole) - 1]:
        path.write_bytes(whole[:size])
        answer = overview(tmp_path, Narrowed())
        assert answer.trends == ()
        assert [p for p, _ in answer.damaged] == [path]
    path.write_bytes(whole)
    assert overview(tmp_path, Narrowed()).trends


@pytest.mark.slow
def test_one_changed_byte_anywhere_is_found(tmp_path: Path) -> None:
    record(at(1), tmp_path)
    record(at(2), tmp_path)
    path = stored(tmp_path)[0]
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // examples(40)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        answer = overview(tmp_path, Narrowed())
        assert [p for p, _ in answer.damaged] == [path]
        assert {len(trend.points) for trend in answer.trends} == {1}
        with pytest.raises(StoreError, match=rf"nothing was merged:\n  .*{path.name}"):
            merge([tmp_path], tmp_path / "other", machines=False)
    assert not (tmp_path / "other").exists()


def _record(folder: str, number: int) -> None:
    record(at(number), Path(folder))


@pytest.mark.slow
def test_two_writers_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_files, "PACK_AT", 5)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_record, args=(str(tmp_path), number % 9)) for number in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    (trend, *_) = ask(tmp_path, "clean:cpu_us", Narrowed(variant="threads")).trends
    assert [point.commit for point in trend.points] == [f"{number:012x}" for number in range(9)]


WRITER = """
import sys
from pathlib import Path
from profpipe.pipeline.history import record
from tests.support.examples import examples
from tests.support.history_cases import at
print("ready", flush=True)
number = 0
while True:
    number += 1
    record(at(number % 200), Path(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_while_it_writes_it_leaves_no_half_file(number: signal.Signals, tmp_path: Path) -> None:
    for attempt in range(4):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        root = ROOT
        writer = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.3 + 0.17 * attempt)
        os.kill(writer.pid, number)
        writer.communicate(timeout=60)
        listing = history_files.list_history(folder_of(tmp_path))
        assert listing.damaged == ()
    record(at(500), tmp_path)  # the lock went with its holder
    assert overview(tmp_path, Narrowed()).trends


# ---- merge


def crafted(folder: Path, change: dict[str, object], report: Report | None = None) -> Path:
    """A history file with the right name and digest whose first row is not what profpipe writes."""
    rows = [list(row) for row in report_rows(report or at(7))]
    for name, value in change.items():
        rows[0][list(COLUMNS).index(name)] = value
    folder.mkdir(parents=True, exist_ok=True)
    data = table([tuple(row) for row in rows])
    path = folder / f"{report_id(report or at(7))}-{digest(data)}.parquet"
    path.write_bytes(data)
    return path


@pytest.mark.programs
def test_merge_joins_and_the_same_entry_twice_is_one(tmp_path: Path) -> None:
    for name, numbers in (("a", (1, 2)), ("b", (2, 3))):
        for number in numbers:
            record(at(number), tmp_path / name)
    done = merge([tmp_path / "a", tmp_path / "b" / "history"], tmp_path / "all", machines=False)
    assert (len(done.new), done.known) == (3, 0)
    (trend, *_) = ask(tmp_path / "all", "clean:cpu_us", Narrowed(variant="threads")).trends
    assert len(trend.points) == 3
    again = merge([tmp_path / "a"], tmp_path / "all", machines=False)
    assert (len(again.new), again.known) == (0, 2)


@pytest.mark.slow
def test_merge_copies_a_pack_of_new_entries_and_takes_only_what_is_new_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_files, "PACK_AT", 2)
    for name, numbers in (("a", (1, 2)), ("b", (3, 4)), ("ours", (3,))):
        for number in numbers:
            record(at(number), tmp_path / name)
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "ours", machines=False)
    contents = {path.read_bytes() for path in stored(tmp_path / "ours")}
    (copied,), (other,) = stored(tmp_path / "a"), stored(tmp_path / "b")
    assert copied.read_bytes() in contents
    assert other.read_bytes() not in contents
    (trend, *_) = ask(tmp_path / "ours", "clean:cpu_us", Narrowed(variant="threads")).trends
    assert [point.commit for point in trend.points] == [f"{number:012x}" for number in (1, 2, 3, 4)]


def test_merge_refuses_to_mix_machines_silently(tmp_path: Path) -> None:
    record(at(1), tmp_path / "a")
    record(at(2, cpu="another CPU"), tmp_path / "b")
    with pytest.raises(
        UsageError,
        match=r"these are reports of 2 machines(.|\n)*another CPU(.|\n)*--machines",
    ):
        merge([tmp_path / "b"], tmp_path / "a", machines=False)
    assert len(stored(tmp_path / "a")) == 1
    merge([tmp_path / "b"], tmp_path / "a", machines=True)
    assert len(ask(tmp_path / "a", "clean:cpu_us", Narrowed(variant="threads")).trends) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": math.inf}, "not finite"),
        ({"values": [1.0, math.nan]}, "not finite"),
        ({"machine": "00000000"}, "does not belong to its facts"),
        ({"commit": "--exec=x"}, "not a hash"),
        ({"created": "yesterday"}, "is not a time"),
        ({"study": None}, "a required column is empty"),
        ({"role": "x"}, "role is unknown"),
        ({"better": "x"}, "neither lower nor higher"),
        ({"report": "../../etc/passwd"}, "leads outside"),
        ({"subject": "x" * 200_000}, "longer than 100,000 bytes"),
        ({"id": "0" * 16}, "not the one of its name"),
        ({"id": "../x"}, "an id does not have the form"),
    ],
)
def test_merge_checks_every_row_of_a_file_it_did_not_write(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    path = crafted(tmp_path / "theirs", change)
    with pytest.raises(StoreError, match=words) as caught:
        merge([tmp_path / "theirs"], tmp_path / "ours", machines=False)
    assert path.name in str(caught.value)
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize(
    "kind", ["foreign", "empty", pytest.param("bomb", marks=pytest.mark.slow), "text", "link", "nothing"]
)
def test_merge_refuses_what_is_no_history(kind: str, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    target = theirs / "made.parquet"
    with database() as opened:
        if kind == "foreign":
            opened.execute(f"COPY (SELECT 1 AS x) TO '{target}' (FORMAT parquet)")
        if kind == "bomb":
            marked = "(FORMAT parquet, KV_METADATA {schema: 'profpipe.history/2'})"
            columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in COLUMNS.items())
            opened.execute(f"COPY (SELECT {columns} FROM range(20_000_001)) TO '{target}' {marked}")
    if kind in ("empty", "text"):
        target.write_bytes(b"" if kind == "empty" else b"PAR1 is how it begins PAR1")
    if target.exists():
        target.rename(theirs / f"{'0' * 16}-{digest(target.read_bytes())}.parquet")
    if kind == "link":
        (theirs / f"{'0' * 16}-{'0' * 16}.parquet").symlink_to("/etc/passwd")
    said = {
        "foreign": "is not marked", "empty": "cannot be read as Parquet", "bomb": "would unfold to",
        "link": "is a link",        "text": "cannot be read as Parquet", "nothing": "has no history",
    }  # fmt: skip
    with pytest.raises(StoreError, match=said[kind]):
        merge([theirs], tmp_path / "ours", machines=False)
    assert not (tmp_path / "ours").exists()


@pytest.mark.programs
def test_a_file_of_before_the_gate_was_kept_is_read_beside_new_ones_and_merged(tmp_path: Path) -> None:
    record(at(1), tmp_path / "theirs")
    (new,) = stored(tmp_path / "theirs")
    columns = ", ".join(f'"{name}"' for name in COLUMNS if name != "gate")
    marked = "(FORMAT parquet, KV_METADATA {schema: 'profpipe.history/1'})"
    with database() as opened:
        opened.execute(f"COPY (SELECT {columns} FROM read_parquet('{new}')) TO '{tmp_path / 'old'}' {marked}")
    new.unlink()
    data = (tmp_path / "old").read_bytes()
    (folder_of(tmp_path / "theirs") / f"{report_id(at(1))}-{digest(data)}.parquet").write_bytes(data)
    record(at(2), tmp_path / "ours")
    assert len(merge([tmp_path / "theirs"], tmp_path / "ours", machines=False).new) == 1
    (trend, *_) = ask(tmp_path / "ours", "clean:cpu_us", Narrowed(variant="threads")).trends
    assert [point.gate for point in trend.points] == [None, None]
    (alone, *_) = ask(tmp_path / "theirs", "clean:cpu_us", Narrowed(variant="threads")).trends
    assert len(alone.points) == 1
