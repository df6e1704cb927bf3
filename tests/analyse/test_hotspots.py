"""Hotspots: per request, aligned across variants, and no count lost on the way."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from profpipe.analyse import RunData, build_report, hotspot_list
from profpipe.errors import InvalidProfile
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, Meta, Profile
from profpipe.model.report import FunctionRow, HotspotTable, Report
from profpipe.units import CPU_NS, INSTRUCTIONS, SAMPLES, SYSCALLS
from tests.support.analyse_cases import callgrind, concurrency, load, native, pyspy, record, study, yappi


def counted(variant: str, *profiles: Profile, number: int = 1, served: int = 2000) -> RunData:
    return RunData(record(variant, "callgrind", number, load=load(served)), profiles)


def table(report: Report, metric: str = "callgrind:instructions") -> HotspotTable:
    return next(t for t in report.hotspots if t.metric == metric)


def function(found: HotspotTable, name: str) -> FunctionRow:
    rows = [f for row in found.rows for f in row.functions if f.function.name == name]
    assert len(rows) == 1, [f.function for f in rows]
    return rows[0]


@pytest.fixture(scope="module")
def report() -> Report:
    return build_report(concurrency())


def test_categories_add_up_to_the_total_of_the_capture() -> None:
    """One round: the sum of the rows is the file's own `totals:` divided by the requests served."""
    runs = [counted(server, callgrind(server)) for server in ("threads", "asyncio")]
    found = table(build_report(study(runs)))
    for server in ("threads", "asyncio"):
        declared = callgrind(server).declared["instructions"]
        assert declared is not None
        cells = [row.cells[server].self or 0.0 for row in found.rows]
        assert math.isclose(sum(cells), declared / 2000, rel_tol=1e-8)
        assert found.total[server].median == pytest.approx(declared / 2000)


@pytest.mark.slow
def test_listed_and_hidden_functions_are_all_that_ran(report: Report) -> None:
    found = table(report)
    for row in found.rows:
        for server in ("threads", "gevent"):
            whole = (row.cells[server].self or 0.0) if server in row.cells else 0.0
            parts = sum((f.cells[server].self or 0.0) for f in row.functions if server in f.cells)
            assert parts <= whole * (1 + 1e-3) + 0.1
            if row.hidden == 0:
                assert parts == pytest.approx(whole, rel=1e-3, abs=0.1)


def test_a_function_under_a_thousandth_everywhere_is_only_counted() -> None:
    rows = {"big": 1_000_000, "small": 500, "tiny": 400}
    found = table(build_report(study([counted("a", native(rows)), counted("b", native(rows))])))
    row = next(r for r in found.rows if any(f.function.name == "big" for f in r.functions))
    assert [f.function.name for f in row.functions] == ["big"]
    assert row.hidden == 2
    assert row.cells["a"].self == pytest.approx(1_000_900 / 2000)


def test_medians_are_over_rounds_per_request() -> None:
    runs = [counted("a", native({"f": n * 2000}), number=i) for i, n in enumerate((10, 30, 20), 1)]
    runs += [counted("b", native({"f": 100 * 1000}), number=i, served=1000) for i in (1, 2, 3)]
    cell = function(table(build_report(study(runs))), "f").cells
    assert cell["a"].self == 20
    assert (cell["a"].low, cell["a"].high) == (10, 30)
    assert cell["b"].self == 100
    assert cell["b"].ratio == 5


def test_processes_of_one_run_are_summed() -> None:
    found = table(
        build_report(study([counted("a", native({"f": 4000}), native({"f": 2000})), counted("b", native({"f": 1}))]))
    )
    assert function(found, "f").cells["a"].self == 3


def test_one_libc_function_under_two_names_is_one_row() -> None:
    libc = "/usr/lib/x86_64-linux-gnu/libc.so.6"
    a = native({"__memcpy_avx_unaligned_erms": 4000}, "memmove-vec-unaligned-erms.S", libc)
    b = native({"__memcpy_sse2_unaligned": 8000}, "memcpy-sse2-unaligned.S", "/lib/libc.so.6")
    row = function(table(build_report(study([counted("a", a), counted("b", b)]))), "memcpy")
    assert (row.cells["a"].self, row.cells["b"].self) == (2, 4)
    assert row.function.raw == ("__memcpy_avx_unaligned_erms", "__memcpy_sse2_unaligned")


def test_the_program_itself_aligns_across_two_builds_and_other_objects_do_not() -> None:
    """`server_a` and `server_b` are the variants' own programs; liba and libb are two libraries."""
    runs = []
    for side in ("a", "b"):
        builder = Builder("counted", (INSTRUCTIONS,))
        builder.cost(builder.frame(builder.function("handle", "src/main.c", f"/srv/server_{side}")), (2000,))
        builder.cost(builder.frame(builder.function("encode", "src/lib.c", f"/usr/lib/lib{side}.so")), (2000,))
        facts = {"command": (f"/srv/server_{side}", "--port", "1"), "load": load(2000)}
        runs.append(RunData(record(side, "callgrind", 1, **facts), (builder.freeze(Meta(format="callgrind")),)))
    found = table(build_report(study(runs, languages={"a": "native", "b": "native"})))
    assert set(function(found, "handle").cells) == {"a", "b"}
    assert len([f for row in found.rows for f in row.functions if f.function.name == "encode"]) == 2


def test_across_languages_functions_stay_apart_and_categories_align() -> None:
    libc = "/usr/lib/libc.so.6"
    runs = [
        counted("a", native({"malloc": 4000}, "malloc.c", libc)),
        counted("b", native({"malloc": 2000}, "malloc.c", libc)),
    ]
    found = table(build_report(study(runs, languages={"a": "python", "b": "native"})))
    (row,) = found.rows
    assert row.category == "alloc"
    assert (row.cells["a"].self, row.cells["b"].self) == (2, 1)
    assert [set(f.cells) for f in row.functions] == [{"a"}, {"b"}]


def test_an_absent_function_is_0_where_it_could_have_run() -> None:
    both = {"a": native({"f": 2000, "g": 2000}), "b": native({"f": 2000})}
    runs = [counted(variant, profile, number=number) for number in (1, 2) for variant, profile in both.items()]
    cells = function(table(build_report(study(runs))), "g").cells
    assert (cells["b"].self, cells["b"].verdict) == (0, "better")


def test_ids_do_not_depend_on_what_else_is_in_the_report(report: Report) -> None:
    alone = build_report(study([counted("gevent", callgrind("gevent")), counted("asyncio", callgrind("asyncio"))]))
    name = "_PyEval_EvalFrameDefault"
    assert function(table(report), name).id == function(table(alone), name).id
    ids = [f.id for row in table(report).rows for f in row.functions]
    assert len(ids) == len(set(ids))


def test_totals_of_a_call_graph_with_stack_switches_are_unknown(report: Report) -> None:
    cells = function(table(report), "_PyEval_EvalFrameDefault").cells
    assert cells["threads"].total is not None
    assert cells["gevent"].total is None
    assert cells["gevent"].total_why == "coroutines switch stacks, so the call graph is wrong"
    limit = next(item for item in report.limits if "stackful" in item.text)
    assert limit.variants == ("gevent",)


def test_callers_and_callees_are_the_busiest_few_per_request(report: Report) -> None:
    row = function(table(report), "_PyEval_EvalFrameDefault")
    for links in (row.callers["threads"], row.callees["threads"]):
        assert 0 < len(links) <= 8
        assert [calls for _, calls in links] == sorted((calls for _, calls in links), reverse=True)


def test_traced_data_are_compared_by_calls_and_not_ranked(report: Report) -> None:
    found = table(report, "yappi:calls")
    row = function(found, "_UnixSelectorEventLoop._run_once")
    assert row.cells["asyncio"].self == pytest.approx(2024 / 19926, rel=1e-4)
    assert [m.ranked for m in report.metrics if m.profiler == "yappi"] == [False, False]
    assert not any("yappi:time" in t.metric for t in report.hotspots)
    recv = function(found, "<method 'recv' of '_socket.socket' objects>")
    assert recv.cells["threads"].self == pytest.approx(58861 / 58824, rel=1e-4)


def test_system_calls_get_a_table_of_their_own() -> None:
    builder = Builder("counted", (INSTRUCTIONS, SYSCALLS))
    builder.cost(builder.frame(builder.function("recv")), (2000, 2000))
    builder.cost(builder.frame(builder.function("malloc")), (8000, 0))
    profile = builder.freeze(Meta(format="callgrind"))
    report = build_report(study([counted("a", profile), counted("b", profile)]))
    assert [t.metric for t in report.hotspots] == ["callgrind:instructions", "callgrind:syscalls"]
    assert function(table(report, "callgrind:syscalls"), "recv").cells["a"].self == 1
    assert [m.key for m in report.metrics] == ["callgrind:instructions", "callgrind:syscalls"]


# ---------------------------------------------------------------------------------------------- one profile's list


@pytest.mark.parametrize(
    "profile", [callgrind("threads"), yappi("asyncio"), pyspy("asyncio")], ids=["callgrind", "yappi", "py-spy"]
)
def test_a_list_holds_every_function_once_and_loses_nothing(profile: Profile) -> None:
    rows = hotspot_list(profile)
    key = profile.metrics[0].key
    assert len(rows) == len(profile.functions.name)
    assert sum(row.self[key] for row in rows) == profile.self_sum(key)
    assert [row.self[key] for row in rows] == sorted((row.self[key] for row in rows), reverse=True)


def test_a_list_is_ordered_by_the_metric_asked_for() -> None:
    builder = Builder("counted", (INSTRUCTIONS, SYSCALLS))
    builder.cost(builder.frame(builder.function("much")), (10, 0))
    builder.cost(builder.frame(builder.function("asks")), (1, 5))
    profile = builder.freeze(Meta(format="callgrind"))
    assert [row.function.name for row in hotspot_list(profile)] == ["much", "asks"]
    assert [row.function.name for row in hotspot_list(profile, "syscalls")] == ["asks", "much"]
    with pytest.raises(InvalidProfile, match="it has instructions, syscalls"):
        hotspot_list(profile, "samples")


@pytest.mark.parametrize("server", ["threads", "c"])
def test_a_limited_list_is_the_head_of_the_whole_one(server: str) -> None:
    whole = hotspot_list(callgrind(server))
    values = [row.self["instructions"] for row in whole]
    tied = next(n for n in range(1, len(values)) if values[n - 1] == values[n] > 0)
    for limit in (1, tied, 30, len(whole) - 1, len(whole), len(whole) + 1):
        assert hotspot_list(callgrind(server), limit=limit) == whole[:limit]


def test_an_unknown_total_has_its_reason() -> None:
    builder = Builder("counted", (INSTRUCTIONS,))
    f, g = (builder.frame(builder.function(name)) for name in "fg")
    builder.cost(f, (5,))
    builder.cost(g, (5,))
    builder.call(f, g, 1, (8,))
    builder.call(g, f, 1, (4,))
    rows = hotspot_list(builder.freeze(Meta(format="callgrind")))
    assert [row.total["instructions"] for row in rows] == [None, None]
    assert "recursion" in rows[0].why["instructions"]
    assert rows[0].calls == 1


def test_names_of_a_list_are_normal_ones_with_the_raw_beside() -> None:
    rows = hotspot_list(native({"_ZN4core3fmt5write17h0123456789abcdefE": 5}))
    assert (rows[0].function.name, rows[0].category) == ("core::fmt::write", "format")
    assert rows[0].function.raw == "_ZN4core3fmt5write17h0123456789abcdefE"


def test_built_ins_of_a_python_profile_are_python_and_its_libraries_are_not() -> None:
    builder = Builder("sampled", (SAMPLES,))
    places = [
        ("handle", "/srv/app/server.py", "", PYTHON),
        ("len", "", "builtins", NATIVE),
        ("malloc", "", "/usr/lib/libc.so.6", NATIVE),
    ]
    for name, file, object_, runtime in places:
        frame = builder.frame(builder.function(name, file, object_, runtime=runtime))
        builder.sample(builder.stack(-1, frame), (1,))
    found = {row.function.name: row.category for row in hotspot_list(builder.freeze(Meta(format="folded")))}
    assert found == {"handle": "application", "len": "built-ins", "malloc": "alloc"}


def test_a_sampled_profile_of_one_round_has_cells_and_no_verdict_but_cannot_tell() -> None:
    runs = [RunData(record(v, "py-spy", 1), (pyspy(v),)) for v in ("asyncio", "threads")]
    found = table(build_report(study(runs)), "py-spy:samples")
    cells = [row.cells["threads"] for row in found.rows if "threads" in row.cells]
    assert {c.verdict for c in cells} == {"cannot tell"}
    assert {c.why for c in cells} == {"1 round a side; at least 4 are needed"}


def test_a_metric_that_a_later_capture_lacks_is_no_error() -> None:
    two = Builder("counted", (INSTRUCTIONS, CPU_NS))
    two.cost(two.frame(two.function("f")), (2000, 7))
    runs = [counted("a", two.freeze(Meta(format="callgrind"))), counted("b", native({"f": 2000}))]
    report = build_report(study(runs))
    assert report.variants[1].figures["callgrind:cpu_ns"].median is None
    assert replace(runs[0]) == runs[0]
