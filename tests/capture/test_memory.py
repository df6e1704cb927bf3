"""The memory that is left: of the machine, or less where a control group sets a limit; and what fits into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.capture.server.memory import Free, free_memory, no_room, roomy, too_much

MIB = 1 << 20
HERE = Free(1000 * MIB, "this machine")


def proc(folder: Path, group: str, available_kib: int = 4096 * 1024) -> Path:
    (folder / "self").mkdir(parents=True)
    (folder / "meminfo").write_text(f"MemTotal:  8388608 kB\nMemAvailable:  {available_kib} kB\n")
    (folder / "self" / "cgroup").write_text(group)
    return folder


def group(folder: Path, names: tuple[str, str], limit: str, used: int, dropped: str) -> None:
    folder.mkdir(parents=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{dropped}\n")


V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
V2 = ("memory.max", "memory.current")


def test_without_groups_it_is_what_the_machine_has_available(tmp_path: Path) -> None:
    assert free_memory(proc(tmp_path / "proc", "0::/\n"), tmp_path / "none") == Free(4096 * MIB, "this machine")


def test_the_limit_of_any_group_above_counts_and_pages_that_can_be_dropped_are_free(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    group(groups / "pod", V2, str(600 * MIB), 300 * MIB, f"inactive_file {100 * MIB}")
    group(groups / "pod" / "one", V2, "max", 200 * MIB, "inactive_file 0")
    found = free_memory(proc(tmp_path / "proc", "0::/pod/one\n"), groups)
    assert found == Free(400 * MIB, "the memory limit of this container")


def test_a_group_of_version_1_whose_path_is_the_hosts_is_read_at_the_mounted_top(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    group(groups / "memory", V1, str(256 * MIB), 100 * MIB, f"total_inactive_file {MIB}")
    found = free_memory(proc(tmp_path / "proc", "5:cpu,memory:/docker/0123\n"), groups)
    assert found == Free(157 * MIB, "the memory limit of this container")


def test_a_limit_above_what_the_machine_has_is_none(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    group(groups / "memory", V1, "9223372036854771712", MIB, "total_inactive_file 0")
    assert free_memory(proc(tmp_path / "proc", "8:memory:/\n"), groups) == Free(4096 * MIB, "this machine")


def test_where_nothing_can_be_read_it_is_unknown(tmp_path: Path) -> None:
    assert free_memory(tmp_path, tmp_path) is None


def test_this_machine_has_some() -> None:
    found = free_memory()
    assert found is not None
    assert 0 < found.size < 1 << 50


def test_servers_that_need_more_than_is_left_do_not_fit_and_each_is_named() -> None:
    assert too_much({"a": 300 * MIB, "b": 500 * MIB}, HERE) is None
    assert too_much({"a": 300 * MIB, "b": 700 * MIB}, HERE) == (
        "all servers at once need up to 1,000.0 MiB of memory (a 300.0 MiB, b 700.0 MiB), "
        "and this machine leaves 1,000.0 MiB"
    )


@pytest.mark.parametrize(("peak", "fits", "surely"), [(100, True, True), (400, True, False), (950, False, False)])
def test_one_more_server_is_expected_to_need_as_much_as_the_largest(peak: int, fits: bool, surely: bool) -> None:
    peaks = {"small": MIB, "large": peak * MIB}
    reason = no_room(peaks, "next", HERE)
    assert (reason is None) == fits
    assert roomy(peaks, 2, HERE) == surely
    if reason is not None:
        assert reason == (
            "there is no memory for next next to the others: large needs 950.0 MiB, and this machine leaves 1,000.0 MiB"
        )
