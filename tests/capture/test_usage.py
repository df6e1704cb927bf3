"""CPU, memory and context switches of a server, measured from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profpipe.capture.server import usage
from profpipe.capture.server.usage import Moment, Process, cpu_ns
from profpipe.model.run import LoadResult
from tests.support.capture_driving import Drive, faulty, ours, run


def process(**fields: float) -> Process:
    numbers = {"cpu_ns": 0, "user_s": 0.0, "system_s": 0.0, "waited_user_s": 0.0, "waited_system_s": 0.0}
    return Process(**{**numbers, "peak_bytes": 1000, **fields})  # type: ignore[arg-type]


def moment(at: float, tree: dict[int, Process], *, waited: float = 0.0, busy: float | None = None) -> Moment:
    return Moment(at, tree, waited, busy, 0)


def load_result(client_cpu_s: float | None) -> LoadResult:
    return LoadResult("t", "0", (), "closed", "none", 1, 1, 10, 1.0, client_cpu_s=client_cpu_s)


def test_living_processes_are_counted_by_their_own_clocks() -> None:
    before = moment(0, {1: process(cpu_ns=100), 2: process(cpu_ns=50)})
    after = moment(1, {1: process(cpu_ns=160), 2: process(cpu_ns=51), 3: process(cpu_ns=7)})
    assert cpu_ns(before, after) == 68


def test_a_child_that_ended_comes_back_through_its_parent() -> None:
    """It had used 2 s before the window and 3 s in the end; only 1 s belongs to the window."""
    before = moment(0, {1: process(cpu_ns=0), 2: process(cpu_ns=2_000_000_000)})
    after = moment(1, {1: process(cpu_ns=5, waited_user_s=2.5, waited_system_s=0.5)})
    assert cpu_ns(before, after) == 1_000_000_005


def test_a_daemon_that_ended_comes_back_through_the_keeper() -> None:
    before = moment(0, {1: process(cpu_ns=0), 2: process(cpu_ns=1_000_000_000)})
    after = moment(1, {1: process(cpu_ns=5)}, waited=1.5)
    assert cpu_ns(before, after) == 500_000_005


def test_foreign_time_is_what_neither_server_nor_load_used() -> None:
    before = moment(0, {1: process(cpu_ns=0)}, busy=100.0)
    after = moment(2, {1: process(cpu_ns=500_000_000)}, busy=101.5)
    assert usage.usage(before, after, load_result(0.25), (1, 2, 3)).foreign_cpu_s == pytest.approx(0.75)


@pytest.mark.parametrize(("busy", "client"), [(None, 0.1), (1.0, None)])
def test_foreign_time_is_unknown_when_a_part_of_it_is(busy: float | None, client: float | None) -> None:
    before, after = moment(0, {1: process()}, busy=busy), moment(2, {1: process()}, busy=busy)
    assert usage.usage(before, after, load_result(client), None).foreign_cpu_s is None


def test_a_tree_that_is_gone_has_no_figures() -> None:
    used = usage.usage(moment(0, {1: process()}), moment(1, {}), None, None)
    assert (used.cpu_ns, used.rss_peak_bytes, used.voluntary_switches) == (None, None, None)


def test_our_own_cpu_clock_agrees_with_the_one_from_outside() -> None:
    import time

    first = time.process_time_ns()
    outside = usage.cpu_clock_ns(os.getpid())
    assert first <= outside <= time.process_time_ns()


@pytest.mark.alone
@pytest.mark.real
def test_cpu_of_children_that_ended_in_the_window_is_counted(tmp_path: Path) -> None:
    """Ten children burn 50 ms each and are gone when we look."""
    captured = run(faulty("burns-in-children"), tmp_path, warm_up=None, load=Drive(10, 1))
    assert captured.usage is not None
    assert captured.usage.cpu_ns is not None
    assert captured.usage.cpu_ns >= 10 * 50e6 - 20e6  # told in steps of 10 ms


@pytest.mark.alone
@pytest.mark.real
def test_a_clean_run_measures_what_the_window_cost(tmp_path: Path) -> None:
    captured = run(ours("threads"), tmp_path, requests=4000)
    used = captured.usage
    assert captured.reason is None
    assert used is not None
    assert used.cpu_ns is not None
    assert 0 < used.cpu_ns < used.window_s * 1e9 * 1.5
    assert used.processes == 1
    assert used.threads is not None
    assert used.threads >= Drive(1).connections  # the threads have ended with the load, and were seen
    assert used.voluntary_switches is not None
    assert used.voluntary_switches > 0
    assert used.rss_peak_bytes is not None
    assert 4 << 20 < used.rss_peak_bytes < 200 << 20
    assert used.foreign_cpu_s is not None
