"""Cost that only changed place is no regression, and a regression behind it is one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profpipe.analyse.commits.merge import Costs
from profpipe.model.report import MOVED
from profpipe.units import CPU_NS, INSTRUCTIONS
from tests.support.call_graphs import Function, Program, Seen, seen
from tests.support.examples import examples
from tests.support.programs import SERVER, programs


def split(whole: int, rest: int, part: int, **more: object) -> Seen:
    """write_head (`whole`) before; write_head (`rest`) that calls a new write_digits (`part`) now."""
    before = SERVER | {"write_head": Function(whole, {"put": 6})}
    after = SERVER | {
        "write_head": Function(rest, {"put": 6, "write_digits": 1}),
        "write_digits": replace(Function(part), **more),  # type: ignore[arg-type]
    }
    return seen(before, after)


def test_a_split_function_is_no_change() -> None:
    found = split(2000, 1200, 800)
    assert (found.cell("write_head").moved, found.cell("write_digits").moved) == (-800, 800)
    assert found.cell("write_head").verdict == found.cell("write_digits").verdict == "no change"
    why = found.cell("write_digits").why
    assert why == "moved: 800 instructions per request came from its caller “write_head”"
    assert found.cell("write_head").why == "moved: 800 instructions per request arrived in its callee “write_digits”"
    assert found.alignment("write_digits").before.name == "write_head"
    assert found.alignment("write_digits").certainty == "likely"
    assert found.table.unmatched == {"b": 0}


def test_the_cost_of_the_call_itself_is_shown_and_is_no_regression() -> None:
    found = split(2000, 1215, 800)
    assert found.cell("write_digits").verdict == "no change"
    assert (found.cell("write_digits").why or "").endswith("; +15 besides")


def test_a_regression_behind_a_split_is_as_large_as_the_growth_of_the_sum() -> None:
    found = split(2000, 1200, 1300)
    assert found.cell("write_head").verdict == "no change"
    assert found.cell("write_digits").verdict == "worse"
    assert found.cell("write_digits").moved == 800
    assert (found.cell("write_digits").why or "").endswith("; +500 besides")
    assert found.report.variants[1].against_baseline["callgrind:instructions"].delta == 500


def test_an_inlined_function_is_no_change() -> None:
    after = {n: f for n, f in SERVER.items() if n != "find"} | {"parse": Function(1500 + 4 * 90)}
    before = SERVER | {"find": Function(4 * 90 + 8)}
    found = seen(before, after)
    assert found.cell("find").verdict == found.cell("parse").verdict == "no change"
    assert found.cell("parse").moved == 360
    assert "came from its callee “find”" in (found.cell("parse").why or "")


def test_the_cost_of_a_function_inlined_into_two_callers_is_divided_by_calls() -> None:
    """put (900 per request): write_head called it 6 times, write_body 3 times."""
    before = SERVER | {"put": Function(900)}
    after = {n: f for n, f in SERVER.items() if n != "put"} | {
        "write_head": Function(2000 + 600), "write_body": Function(700 + 300),
    }  # fmt: skip
    found = seen(before, after)
    assert [found.cell(n).moved for n in ("put", "write_head", "write_body")] == [-900, 600, 300]
    assert {found.cell(n).verdict for n in ("put", "write_head", "write_body")} == {"no change"}


def test_code_that_went_to_a_callee_is_no_change() -> None:
    after = SERVER | {"write_head": Function(1500, {"put": 6}), "put": Function(850)}
    found = seen(SERVER, after)
    assert (found.cell("write_head").verdict, found.cell("put").verdict) == ("no change", "no change")
    assert found.cell("put").moved == 500


def test_an_unrelated_saving_and_regression_are_not_a_move() -> None:
    """Both stayed and the sum did not: 500 saved, 900 added."""
    after = SERVER | {"write_head": Function(1500, {"put": 6}), "put": Function(1250)}
    found = seen(SERVER, after)
    assert (found.cell("write_head").verdict, found.cell("put").verdict) == ("better", "worse")
    assert found.cell("put").moved is None


def test_functions_that_do_not_call_each_other_exchange_nothing() -> None:
    after = SERVER | {"write_head": Function(1500, {"put": 6}), "parse": Function(2000, {"find": 4})}
    found = seen(SERVER, after)
    assert (found.cell("write_head").verdict, found.cell("parse").verdict) == ("better", "worse")


def test_a_deleted_function_with_a_slightly_larger_caller_is_a_saving() -> None:
    """find (400) is gone and its caller grew by 40: that is not where it went."""
    after = {n: f for n, f in SERVER.items() if n != "find"} | {"parse": Function(1540)}
    found = seen(SERVER, after)
    assert found.cell("find").verdict == "better"
    assert found.cell("parse").moved is None


def test_different_programs_exchange_nothing() -> None:
    after = SERVER | {"write_head": Function(1500, {"put": 6}), "put": Function(850)}
    found = seen(SERVER, after, commits=False)
    assert (found.cell("write_head").verdict, found.cell("put").verdict) == ("better", "worse")


def test_cost_moved_between_categories_is_a_bar_without_a_gap() -> None:
    """300 went from the program into memcpy: no category costs more by that, 20 more is what the copy really costs."""
    before = SERVER | {"put": Function(900, {"memcpy": 2}), "memcpy": Function(500, file="", object="/lib/libc.so.6")}
    after = before | {"put": Function(600, {"memcpy": 2}), "memcpy": Function(810, file="", object="/lib/libc.so.6")}
    found = seen(before, after)
    fall = found.report.waterfall[0]
    bars = {b.category: (b.baseline, b.contender, b.delta) for b in fall.bars}
    assert bars[MOVED] == (300, 300, 0)
    assert bars["memcpy"][2] == 10
    assert bars["application"][2] == 0
    assert sum(b.delta for b in fall.bars) == fall.gap == 10
    cells = {row.category: row.cells["b"] for row in found.table.rows}
    assert (cells["memcpy"].moved, cells["application"].moved) == (300, -300)
    assert cells["memcpy"].verdict == cells["application"].verdict == "no change"


@pytest.mark.slow
@settings(max_examples=examples(80))
@given(programs(), st.data())
def test_bars_add_up_exactly_and_moves_cancel_whatever_changed(program: Program, data: st.DataObject) -> None:
    """Random changes of size, functions that come and go, half of the functions in another category."""
    names = sorted(program)
    changed: dict[str, Function] = {}
    gone = {n for n in names if n != "main" and data.draw(st.integers(0, 5)) == 0}
    for name in names:
        if name in gone:
            continue
        f = program[name]
        size = data.draw(st.sampled_from((f.own, f.own, f.own // 2, f.own * 2, data.draw(st.integers(1, 6000)))))
        calls = {callee: n for callee, n in f.calls.items() if callee not in gone}
        if data.draw(st.integers(0, 3)) == 0:
            calls[f"new_{name}"] = 1
            changed[f"new_{name}"] = Function(data.draw(st.integers(1, 3000)))
        changed[name] = Function(size, calls)

    def categorised(p: Program) -> dict[str, Function]:
        """Every second function is the C library's; renamed so that a category knows it."""
        odd = {n: f"str{n}" for i, n in enumerate(names) if i % 2}
        return {
            odd.get(n, n): replace(
                f,
                calls={odd.get(c, c): k for c, k in f.calls.items()},
                object="/lib/libc.so.6" if n in odd else f.object,
            )
            for n, f in p.items()
        }

    found = seen(categorised(program), categorised(changed))
    for fall in found.report.waterfall:
        assert sum(b.delta for b in fall.bars) == fall.gap == fall.contender_total - fall.baseline_total
        assert sum(b.baseline for b in fall.bars) == fall.baseline_total
        assert sum(b.contender for b in fall.bars) == fall.contender_total
        assert all(b.delta == 0 for b in fall.bars if b.category == MOVED)
    assert sum(row.cells["b"].moved or 0.0 for row in found.table.rows) == 0
    for row in found.rows.values():
        cells = row.cells
        change = (cells["b"].self or 0.0) - (cells["a"].self or 0.0)
        part = cells["b"].moved or 0.0
        assert part == 0 or (part * change > 0 and abs(part) <= abs(change) + 1e-6)


def test_an_amount_of_time_has_its_unit() -> None:
    assert Costs(CPU_NS, "request").text(948.0) == "948 ns of CPU time per request"
    assert Costs(INSTRUCTIONS, "request").text(948.0) == "948 instructions per request"
