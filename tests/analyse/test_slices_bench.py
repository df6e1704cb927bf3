"""The tools that measure how often slices are wrong, and the pictures of starts: on starts whose costs are known."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.slices_aa import verdict
from bench.slices_injected import SERVERS
from bench.slices_ranking import Way, agreement, report
from docs.starts_pictures import calmed, lottery, order, pairs, weather
from profpipe.analyse.statistics.starts_rule import StartsRule
from profpipe.model.start import Start
from tests.support.slices_cases import ratios, start

RULE = StartsRule(looks=(8, 11, 15), contenders=1)


def drawn(seed: int, many: int, middle: float = 0.0) -> list[float]:
    return [float(value) for value in np.random.default_rng(seed).normal(middle, 0.005, many)]


def test_a_difference_is_called_at_the_first_look_that_shows_it() -> None:
    logs = [*drawn(1, 8, 0.05), *drawn(2, 7, -0.2)]
    assert verdict(ratios(logs), RULE) == "costs more"


def test_copies_that_agree_are_no_change() -> None:
    assert verdict(ratios(drawn(3, 15)), RULE) == "no change"


def test_too_few_starts_cannot_tell() -> None:
    assert verdict(ratios([0.1, 0.1]), RULE) == "cannot tell"


def test_a_budget_that_ended_between_two_looks_is_judged_by_all_its_starts() -> None:
    logs = [*([0.3, -0.3] * 4), *([0.02] * 2)]
    assert verdict(ratios(logs), RULE) == "cannot tell"
    assert verdict(ratios([*drawn(4, 10, 0.05)]), RULE) == "costs more"


def test_copies_of_one_server_are_called_different_in_at_most_one_of_a_hundred_comparisons() -> None:
    called = [verdict(ratios(drawn(seed, 15)), RULE) for seed in range(100, 700)]
    assert sum(found.startswith("costs") for found in called) <= 12  # 6 expected; 13 in 1 of 100 tries


@pytest.mark.programs
def test_a_python_server_that_waits_still_parses_and_waits_by_the_clock(tmp_path: Path) -> None:
    command = SERVERS["threads"](tmp_path / "copy", 1_000_000)
    assert command[1] == str(tmp_path / "copy" / "threads.py")
    code = (
        "import time; from request_head import parse; begun = time.perf_counter_ns()\n"
        "heads = [parse(b'GET / HTTP/1.1') for _ in range(16)]\n"
        "print(heads[0][:2], time.perf_counter_ns() - begun >= 16_000_000)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "copy", capture_output=True, text=True, check=True
    )
    assert out.stdout == "('GET', '/') True\n"


def three_starts() -> list[Start]:
    rng = random.Random(5)
    return [
        start(n, {v: [c * rng.gauss(1, 0.1) for _ in range(6)] for v, c in (("a", 8.0), ("b", 9.0), ("c", 8.0))})
        for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    "picture",
    [
        lambda starts: weather(starts, ["a", "b", "c"], "a"),
        lambda starts: lottery(starts, ["a", "b", "c"]),
        lambda starts: order(starts, ["a", "b", "c"]),
        lambda starts: pairs(starts, "a", "b"),
    ],
)
def test_a_picture_of_starts_is_an_image_with_a_title_and_no_unknown_number(picture: object) -> None:
    text = picture(three_starts())  # type: ignore[operator]
    assert text.startswith("<svg")
    assert "<title>" in text
    assert "nan" not in text


def test_the_lottery_has_two_dots_for_every_start_of_every_variant() -> None:
    assert lottery(three_starts(), ["a", "b", "c"]).count("<circle") == 18


def test_what_falls_on_every_variant_of_a_start_is_weather_and_what_falls_on_one_is_not() -> None:
    weather_of_starts, luck = np.array([0.1, -0.2, 0.3]), np.array([0.0, 0.05, 0.0])
    moved = {"a": weather_of_starts + luck, "b": weather_of_starts, "c": weather_of_starts}
    assert calmed(moved, "a") == pytest.approx(luck)


def way(name: str, **costs: float) -> Way:
    """Five starts: noise that falls on all servers alike, and half as much on each."""
    shared = drawn(99, 5)
    return Way(
        name,
        {
            server: [cost * float(np.exp(2 * all_ + own)) for all_, own in zip(shared, drawn(seed, 5), strict=True)]
            for seed, (server, cost) in enumerate(costs.items())
        },
    )


def test_servers_that_two_ways_rank_differently_are_found_and_close_ones_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slices = way("slices", threads=10, uvloop=8, gevent=13, streams=13.01)
    assert slices.order[0] == "uvloop"
    same = way("windows", threads=6, uvloop=5, gevent=9, streams=8.99)
    assert agreement(slices, same) == (5, 1, 0)
    opposed = way("windows", threads=6, uvloop=7, gevent=9, streams=9)
    assert agreement(slices, opposed) == (4, 1, 1)
    assert not report([slices, same], "threads")
    assert report([slices, opposed], "threads")
    assert "slices and windows: 4 pairs ranked alike, 1 not ranked by both, 1 the other way" in capsys.readouterr().out
