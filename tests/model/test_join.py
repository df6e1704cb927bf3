"""Captures of several processes as one profile: sums are conserved, what one process does not know stays unknown."""

from __future__ import annotations

import io

import numpy as np
import pytest

from profpipe.errors import InvalidProfile
from profpipe.model.build import Builder
from profpipe.model.derive import edges, function_table
from profpipe.model.join import joined
from profpipe.model.profile import Meta, Profile
from profpipe.parse import pstats, pyinstrument
from profpipe.parse.interface import PartsParser
from profpipe.parse.registry import PARSERS
from profpipe.units import CPU_NS, SAMPLES, WALL_NS, Metric
from tests.support.parse_cases import capture, self_by_name, total_by_name


def traced(*names: str, clock: Metric = CPU_NS, without_total: str = "") -> Profile:
    """Each function called twice by the first one, for 10 ns."""
    builder = Builder("traced", [clock])
    frames = {name: builder.frame(builder.function(name, file="app.py")) for name in names}
    for name, frame in frames.items():
        builder.cost(frame, (10,))
        if name != without_total:
            builder.total(frame, 2, (30,), primitive=2)
        builder.call(frames[names[0]], frame, 2, (30,), primitive=2)
    return builder.freeze(Meta("yappi", names[-1], tool="yappi", notes={"clock": "cpu", "worker": names[-1]}))


def sampled(thread: str, rows: list[tuple[str, int]]) -> Profile:
    builder = Builder("sampled", [SAMPLES])
    for stack, value in rows:
        at = -1
        for name in stack.split(";"):
            at = builder.stack(at, builder.frame(builder.function(name)))
        builder.sample(at, [value], thread=0)
    return builder.freeze(Meta("pyinstrument", thread, threads=(thread,)))


def test_calls_costs_and_totals_of_two_processes_are_added_by_function() -> None:
    both = joined([traced("serve", "parse"), traced("serve", "render")])
    table = function_table(both, "cpu_ns").assign(name=both.functions.name).set_index("name")
    assert table["self"].to_dict() == {"serve": 20, "parse": 10, "render": 10}
    assert table["total"].to_dict() == {"serve": 60, "parse": 30, "render": 30}
    assert table["calls"].to_dict() == {"serve": 4, "parse": 2, "render": 2}
    calls = edges(both, "cpu_ns").calls
    assert calls is not None
    assert calls.tolist() == [4, 2, 2]
    assert both.meta.notes == {"clock": "cpu", "parts": "2"}


def test_a_total_that_one_process_did_not_measure_is_unknown() -> None:
    both = joined([traced("serve", "parse"), traced("serve", "parse", without_total="parse")])
    table = function_table(both, "cpu_ns").assign(name=both.functions.name).set_index("name")
    assert table["self"]["parse"] == 20
    assert table["total_source"].to_dict() == {"serve": "measured", "parse": "unknown"}


def test_stacks_of_two_processes_share_a_tree_and_keep_their_threads() -> None:
    first, second = sampled("one", [("main;parse", 3), ("main", 1)]), sampled("two", [("main;parse", 4), ("idle", 2)])
    both = joined([first, second])
    assert self_by_name(both) == self_by_name(first) + self_by_name(second)
    assert total_by_name(both) == total_by_name(first) + total_by_name(second)
    assert both.meta.threads == ("one", "two")
    assert both.samples is not None
    assert both.samples.thread is not None
    assert sorted(zip(both.samples.thread.tolist(), both.samples.values["samples"].tolist(), strict=True)) == [
        (0, 1), (0, 3), (1, 2), (1, 4),
    ]  # fmt: skip


def test_profiles_that_count_different_things_are_not_added_up() -> None:
    with pytest.raises(
        InvalidProfile, match="a traced profile of wall time, and parse is a traced profile of CPU time"
    ):
        joined([traced("serve", "parse"), traced("serve", "render", clock=WALL_NS)])


@pytest.mark.parametrize(
    ("parse", "name"),
    [
        (pstats.parse_parts, "pstats/cprofile-gevent.pstats"),
        (pstats.parse_parts, "pstats/yappi_cpu-threads.pstats"),
        (pyinstrument.parse_parts, "pyinstrument/pyinstrument-gevent.pyisession.gz"),
    ],
)
def test_a_real_capture_given_twice_is_twice_as_much_of_everything(parse: object, name: str) -> None:
    assert callable(parse)
    once, twice = (parse([(io.BytesIO(capture(name)), f"part {i}") for i in range(n)]) for n in (1, 2))
    key = once.metrics[0].key
    single, double = function_table(once, key), function_table(twice, key)
    assert twice.functions.name == once.functions.name
    for column in ("self", "total", "calls"):
        assert (double[column].fillna(-2) == (2 * single[column]).fillna(-2)).all()
    assert np.array_equal(edges(twice, key).value, 2 * edges(once, key).value)


@pytest.mark.parametrize("name", ["pstats", "yappi", "pyinstrument"])
def test_each_format_that_the_agent_writes_can_be_read_from_several_processes(name: str) -> None:
    assert isinstance(PARSERS.get(name), PartsParser)
