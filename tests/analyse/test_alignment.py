"""One function under two names is one row; two functions are two, however alike they look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profpipe.analyse import build_report
from profpipe.analyse.names.stems import last_word, likeness, stem_of
from tests.support.call_graphs import Function, Program, Seen, renamed, seen, study_of
from tests.support.examples import examples
from tests.support.programs import SERVER, programs, without


def test_a_pure_rename_is_one_row_without_a_change() -> None:
    found = seen(SERVER, renamed(SERVER, "write_head", "reply_prefix"))
    assert found.aligned == {"reply_prefix": "write_head"}
    assert "write_head" not in found.rows
    assert found.cell("reply_prefix").verdict == "no change"
    assert found.rows["reply_prefix"].cells["a"].self == found.cell("reply_prefix").self == 2000
    assert found.alignment("reply_prefix").certainty == "measured"
    assert "2,000 instructions per request on both sides" in found.alignment("reply_prefix").why
    assert found.table.unmatched == {"b": 0}


def test_a_function_in_another_file_is_one_row() -> None:
    found = seen(SERVER, SERVER | {"find": replace(SERVER["find"], file="src/search.c")})
    assert found.aligned == {"find": "find"}
    assert found.alignment("find").before.file == "src/app.c"
    assert found.rows["find"].function.file == "src/search.c"
    assert found.cell("find").verdict == "no change"


def test_a_renamed_function_that_became_more_expensive_is_worse_and_likely_the_same() -> None:
    found = seen(SERVER, renamed(SERVER, "write_head", "write_response_head", own=2600))
    assert found.aligned == {"write_response_head": "write_head"}
    assert found.cell("write_response_head").verdict == "worse"
    assert found.alignment("write_response_head").certainty == "likely"


def test_instantiations_with_other_types_are_one_row() -> None:
    before = renamed(SERVER, "put", "alloc::vec::Vec<u8>::push")
    after = renamed(SERVER, "put", "alloc::vec::Vec<app::Byte>::push", own=360)
    found = seen(before, after)
    assert found.aligned == {"alloc::vec::Vec<app::Byte>::push": "alloc::vec::Vec<u8>::push"}
    assert "with other types" in found.alignment("alloc::vec::Vec<app::Byte>::push").why


@pytest.mark.parametrize("suffix", [".constprop.0", ".isra.0", ".part.0", ".cold", ".llvm.4711", ".__uniq.99"])
def test_a_clone_needs_no_alignment(suffix: str) -> None:
    found = seen(SERVER, renamed(SERVER, "write_head", f"write_head{suffix}"))
    assert found.aligned == {}
    assert found.cell("write_head").verdict == "no change"


def test_callers_and_callees_renamed_together_are_all_found() -> None:
    after = renamed(renamed(SERVER, "parse", "read_request"), "find", "locate")
    assert seen(SERVER, after).aligned == {"read_request": "parse", "locate": "find"}


# ---- what must not match


DECOYS: dict[str, dict[str, Function]] = {
    "of like size, called by another": without(SERVER, "find", "parse")
    | {"hash": Function(400), "put": Function(350, {"hash": 4})},
    "of like size, called as often by the same": without(SERVER, "find", "parse")
    | {"hash": Function(380), "parse": Function(1500, {"hash": 4})},
    "of equal size, called less often": without(SERVER, "find", "parse")
    | {"hash": Function(400), "parse": Function(1500, {"hash": 3})},
    "in its place, calling others": without(SERVER, "write_head", "serve")
    | {
        "serve": Function(900, {"parse": 1, "encode": 1, "write_body": 2}),
        "encode": Function(2000, {"find": 6}),
    },
    "of equal size, in another file": without(SERVER, "find", "parse")
    | {"hash": Function(400, file="src/b.c"), "parse": Function(1500, {"hash": 4})},
    "of a library": without(SERVER, "find", "parse")
    | {"hash": Function(400, file="", object="/usr/lib/libc.so.6"), "parse": Function(1500, {"hash": 4})},
    "of the same name, alike in nothing": without(SERVER, "find", "parse")
    | {"find": Function(90, file="src/b.c"), "main": Function(100, {"serve": 1, "find": 1})},
}


@pytest.mark.parametrize("decoy", DECOYS)
def test_another_function_is_not_taken_for_the_one_that_is_gone(decoy: str) -> None:
    found = seen(SERVER, DECOYS[decoy])
    assert found.aligned == {}
    assert found.table.unmatched["b"] > 0


def test_of_two_equal_candidates_neither_is_taken() -> None:
    """Two functions took the place of two, and all four look the same."""
    before = SERVER | {
        "serve": Function(900, {"one": 1, "two": 1}), "one": Function(500), "two": Function(500),
    }  # fmt: skip
    after = SERVER | {
        "serve": Function(900, {"uno": 1, "due": 1}), "uno": Function(500), "due": Function(500),
    }  # fmt: skip
    assert seen(before, after).aligned == {}


def test_functions_of_a_few_instructions_are_not_matched_by_their_size() -> None:
    before = SERVER | {"parse": Function(1500, {"get": 4}), "get": Function(20)}
    after = SERVER | {"parse": Function(1500, {"bit": 4}), "bit": Function(20)}
    assert seen(before, after).aligned == {}


def test_different_programs_are_not_aligned() -> None:
    found = seen(SERVER, renamed(SERVER, "write_head", "reply_prefix"), commits=False)
    assert found.aligned == {}
    assert found.table.unmatched == {}
    assert {"write_head", "reply_prefix"} <= found.rows.keys()


def test_two_names_that_occur_together_in_a_variant_are_two_functions() -> None:
    """In c both exist: they are two functions, so that they are in b as well."""
    third = {**SERVER, "reply_prefix": Function(50), "main": Function(100, {"serve": 1, "reply_prefix": 1})}
    programs = {"a": SERVER, "b": renamed(SERVER, "write_head", "reply_prefix"), "c": third}
    found = Seen(build_report(study_of(programs)))
    assert found.aligned == {}


def test_pairs_found_by_callgrind_apply_to_an_instrument_without_calls() -> None:
    from profpipe.analyse import RunData
    from profpipe.units import CPU_NS
    from tests.support.analyse_cases import load, record
    from tests.support.call_graphs import REQUESTS, profile

    programs = {"a": SERVER, "b": renamed(SERVER, "write_head", "reply_prefix")}
    data = study_of(programs)
    sampled = [
        RunData(
            record(v, "perf", 1, command=("/srv/app/server",), load=load(REQUESTS)),
            (profile({n: Function(f.own, file="") for n, f in p.items()}, CPU_NS),),
        )
        for v, p in programs.items()
    ]
    study = replace(data.record, kinds={"perf": "sampled", "callgrind": "counted"})
    found = build_report(replace(data, record=study, runs=(*data.runs, *sampled)))
    table = next(t for t in found.hotspots if t.metric == "perf:cpu_ns")
    rows = {r.function.name: r for c in table.rows for r in c.functions}
    assert rows["reply_prefix"].alignment["b"].before.name == "write_head"
    assert rows["reply_prefix"].alignment["b"].why.startswith("found by callgrind: renamed")
    assert rows["reply_prefix"].cells["a"].self == 2000


# ---- random programs


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(programs(), st.data())
def test_in_a_random_program_one_rename_is_found_or_nothing_is_matched(program: Program, data: st.DataObject) -> None:
    old = data.draw(st.sampled_from([n for n in program if n != "main"]))
    found = seen(program, renamed(program, old, "zebra"))
    assert found.aligned in ({}, {"zebra": old})
    if program[old].own >= 30 * 9 * len(program):
        assert found.aligned == {"zebra": old}
    assert found.cell("zebra").verdict == "no change" if found.aligned else True


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(programs(), st.data())
def test_in_a_random_program_an_unrelated_function_is_never_matched(program: Program, data: st.DataObject) -> None:
    """One function goes; another of exactly its size comes, called from elsewhere or a different number of times."""
    old = data.draw(st.sampled_from([n for n in program if n != "main"]))
    kept = {n: replace(f, calls={c: k for c, k in f.calls.items() if c != old}) for n, f in program.items() if n != old}
    times = sum(f.calls.get(old, 0) for f in program.values())
    caller = data.draw(st.sampled_from(sorted(kept)))
    after = kept | {"zebra": Function(program[old].own)}
    after[caller] = replace(after[caller], calls={**after[caller].calls, "zebra": times + data.draw(st.integers(1, 5))})
    assert seen(program, after).aligned == {}


@pytest.mark.slow
@settings(max_examples=examples(40))
@given(programs(), st.data())
def test_aligning_keeps_every_total(program: Program, data: st.DataObject) -> None:
    old = data.draw(st.sampled_from([n for n in program if n != "main"]))
    after = renamed(program, old, "zebra", own=program[old].own + data.draw(st.integers(0, 500)))
    found, plain = seen(program, after), seen(program, after, commits=False)
    for variant in ("a", "b"):
        assert found.table.total[variant] == plain.table.total[variant]
        cells = [row.cells[variant].self or 0.0 for row in found.table.rows]
        assert sum(cells) == pytest.approx(found.table.total[variant].median)


# ---- names


@pytest.mark.parametrize(
    ("name", "stem", "word"),
    [
        ("Vec<u8>::push", "Vec::push", "push"),
        ("ns::put<int>(int, char*)", "ns::put", "put"),
        ("foo(int) const", "foo", "foo"),
        ("(anonymous namespace)::f(int)", "(anonymous namespace)::f", "f"),
        ("net/http.(*conn).serve", "net/http.(*conn).serve", "serve"),
        ("net/http.(*conn).serve.func1.2", "net/http.(*conn).serve.func1.2", "serve"),
        ("<a::B as c::D>::poll::{closure#0}", "<a::B as c::D>::poll::{closure#0}", "poll"),
        ("Class.method", "Class.method", "method"),
        ("write_head", "write_head", "write_head"),
    ],
)
def test_the_stem_and_the_last_word_of_a_name(name: str, stem: str, word: str) -> None:
    assert (stem_of(name), last_word(name)) == (stem, word)


def test_names_with_the_same_words_are_alike() -> None:
    assert likeness("write_head", "head_writer") == likeness("serialise", "app::serialize") == 1
    for a, b in [("encode", "decode"), ("handle_read", "handle_write"), ("get_x", "get_y"), ("answer", "reply")]:
        assert likeness(a, b) < 0.6


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_a_name(a: str, b: str) -> None:
    assert 0 <= likeness(a, b) <= 1
    assert stem_of(stem_of(a)) == stem_of(a) or "(" in a or "<" in a
