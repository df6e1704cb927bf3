"""CPU clocks of process trees against work whose cost is known from inside."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from profpipe import cpu_clock
from profpipe.cpu_clock import TreeClock, descendants

pytestmark = pytest.mark.programs

# A parent whose children do what a line of stdin says; it answers with the CPU it knows of itself, in nanoseconds.
PARENT = """
import os, sys, threading, time, signal
def burn(seconds):
    limit = time.thread_time() + seconds
    while time.thread_time() < limit: pass
def rest(seconds): time.sleep(seconds)
def in_thread(seconds):
    thread = threading.Thread(target=burn, args=(seconds,)); thread.start(); thread.join()
def in_child(seconds):
    pid = os.fork()
    if pid == 0:
        burn(seconds); os._exit(0)
    os.waitpid(pid, 0)
def worker(seconds):
    if os.fork() == 0:
        burn(seconds); print('done', flush=True); time.sleep(60); os._exit(0)
print('ready', flush=True)
for line in sys.stdin:
    what, seconds = line.split()
    globals()[what](float(seconds))
    if what != 'worker': print('done', flush=True)
os.killpg(0, signal.SIGKILL)
"""
# The root is a process of its own, as a keeper is: its own CPU never counts.
KEEPER = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {PARENT!r}]).wait()"


class Tree:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def do(self, what: str, seconds: float) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what} {seconds}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def tree() -> Iterator[Tree]:
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield Tree(process)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize("what", ["burn", "in_thread"])
def test_the_clock_keeps_what_a_process_and_its_ended_threads_used(what: str) -> None:
    with tree() as running:
        clock = TreeClock(running.process.pid)
        before = clock.read()
        running.do(what, 0.05)
        assert 0.05e9 <= clock.read() - before < 0.07e9


def test_a_child_that_lived_between_two_reads_comes_back_through_its_parent() -> None:
    with tree() as running:
        clock = TreeClock(running.process.pid)
        before = clock.read()
        for _ in range(5):
            running.do("in_child", 0.03)
        clock.refresh()
        assert 0.13e9 <= clock.read() - before < 0.2e9  # the kernel gives it in steps of 10 ms


def test_a_new_worker_counts_from_the_next_refresh_with_all_it_has_used() -> None:
    with tree() as running:
        clock = TreeClock(running.process.pid)
        before = clock.read()
        running.do("worker", 0.05)
        assert clock.read() - before < 0.02e9
        clock.refresh()
        assert 0.05e9 <= clock.read() - before < 0.08e9
        assert clock.processes == 2


def test_a_worker_that_is_replaced_is_not_lost_and_the_clock_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values as a kernel gives them: a worker used 30 ms, of which its clock was seen to show 29."""
    clocks = {cpu_clock.clock_id(2): 100, cpu_clock.clock_id(3): 29_000_000}
    waited, alive = {1: 0, 2: 0}, [2, 3]

    def read(clock: int) -> int:
        if clock not in clocks:
            raise OSError
        return clocks[clock]

    monkeypatch.setattr(cpu_clock.time, "clock_gettime_ns", read)
    monkeypatch.setattr(cpu_clock, "waited_ns", lambda pid: waited.get(pid, 0))
    monkeypatch.setattr(cpu_clock, "descendants", lambda _: list(alive))
    clock = TreeClock(1)
    assert clock.read() == 29_000_100
    del clocks[cpu_clock.clock_id(3)]
    assert clock.read() == 29_000_100, "a process that has just ended keeps its last value"
    alive[:] = [2]
    clock.refresh()
    assert clock.read() == 29_000_100
    waited[2] = 30_000_000
    clock.refresh()
    assert clock.read() == 30_000_100, "its parent was told of more than was seen"
    assert clock.ended == 1


def test_both_ways_to_find_descendants_agree() -> None:
    with tree() as running:
        running.do("worker", 0.0)
        found = descendants(running.process.pid)
        assert len(found) == 2
        assert sorted(cpu_clock._descendants_by_parent(running.process.pid)) == sorted(found)


def test_voluntary_switches_of_the_tree_are_counted() -> None:
    with tree() as running:
        clock = TreeClock(running.process.pid)
        before = clock.switches()[0]
        for _ in range(20):
            running.do("rest", 0.001)
        assert 20 <= clock.switches()[0] - before <= 100


def test_a_read_costs_microseconds() -> None:
    with tree() as running:
        clock = TreeClock(running.process.pid)
        begun = time.thread_time()
        for _ in range(1000):
            clock.read()
        assert (time.thread_time() - begun) / 1000 < 50e-6
