"""Which processors server and load run on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profpipe.capture import (
    Placement,
    place,
)
from profpipe.capture.server import ports
from profpipe.model.run import LoadResult
from profpipe.study.schema import PlacementChoice
from tests.support.capture_driving import Drive, ours, run


@pytest.mark.parametrize(
    ("choice", "cpus", "server", "load", "text"),
    [
        ("auto", {0}, 0, (0,), "same core: server and load on processor 0 (1 processor usable)"),
        ("auto", {0, 1}, 1, (1,), "same core: server and load on processor 1 (2 processors usable)"),
        ("auto", {0, 1, 2, 3}, 2, (3,), "split: server on processor 2, load on processor 3"),
        ("split", {0, 1}, 0, (1,), "split: server on processor 0, load on processor 1"),
        ("split", {5}, 5, (5,), "same core: server and load on processor 5 (1 processor usable)"),
        ("same-core", {0, 1, 2, 3}, 3, (3,), "same core: server and load on processor 3 (asked for)"),
        (
            "spread",
            {0, 1},
            1,
            (1, 0),
            "spread: server on processor 1, the load's threads in turn on processors 1 and 0",
        ),
        ("spread", {5}, 5, (5,), "same core: server and load on processor 5 (1 processor usable)"),
        ("free", {0, 1}, None, (), "free: the kernel places server and load on 2 processors"),
    ],
)
def test_placement(
    choice: PlacementChoice, cpus: set[int], server: int | None, load: tuple[int, ...], text: str
) -> None:
    assert place(choice, cpus) == Placement(server, load, text)


@pytest.mark.alone
@pytest.mark.real
def test_the_server_runs_where_it_was_placed(tmp_path: Path) -> None:
    seen = []
    placed = place("same-core")

    def look(host: str, port: int) -> LoadResult:
        mine = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if owns(pid, port)]  # noqa: PTH208
        seen.extend(os.sched_getaffinity(pid) for pid in mine)
        return Drive(5)(host, port)

    run(ours("threads"), tmp_path, placement=placed, load=look)
    assert seen == [{placed.server_cpu}]


def owns(pid: int, port: int) -> bool:
    return ports.is_ours(port, [pid]) is True
