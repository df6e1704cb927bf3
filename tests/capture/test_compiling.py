"""A server is warmed up until its compiler is done, by the CPU time of the compiler's own threads."""

from __future__ import annotations

import os

import pytest

from profpipe.capture.server import compiling


def test_the_share_is_unknown_without_compiler_threads_and_never_over_1() -> None:
    assert compiling.share(None, None, 100) is None
    assert compiling.share(10, 30, None) is None
    assert compiling.share(10, 30, 100) == 0.2
    assert compiling.share(None, 30, 100) == 0.3
    assert compiling.share(50, 30, 100) == 0.0
    assert compiling.share(0, 300, 100) == 1.0


def test_this_process_compiles_nothing() -> None:

    assert compiling.compiler_ns([os.getpid()]) is None


@pytest.mark.parametrize(
    ("readings", "warm_ups", "last"),
    [((0, 60, 60, 80, 80, 83), 3, "3 % of CPU time"), ((0, 60) * 8, 4, "60 % of CPU time")],
)
def test_the_warm_up_is_repeated_until_the_compiler_is_done(
    readings: tuple[int, ...], warm_ups: int, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, clock, done = iter(readings), iter(range(0, 2000, 100)), []
    monkeypatch.setattr(compiling, "compiler_ns", lambda _: next(read))
    monkeypatch.setattr(compiling, "_cpu_ns", lambda _: next(clock))
    facts = compiling.warm_until_steady(lambda: done.append(1), lambda: [1])
    assert len(done) == warm_ups
    assert facts == {"warm-ups": str(warm_ups), "compiler in the last warm-up": last}


def test_a_server_without_a_compiler_is_warmed_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    monkeypatch.setattr(compiling, "compiler_ns", lambda _: None)
    assert compiling.warm_until_steady(lambda: done.append(1), lambda: [1]) == {}
    assert done == [1]
