"""callgrind by Python function: calls are those of a program that is known, and no instruction is lost."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from profpipe.errors import ParseError
from profpipe.model.derive import edges, function_table
from profpipe.model.profile import PYTHON, Profile
from profpipe.parse import callgrind, parse_files
from profpipe.parse.callgrind.python_view import RUNNING
from profpipe.parse.callgrind.trampolines import read_trampolines
from tests.support.parse_cases import capture
from tests.support.paths import DATA

REQUESTS = 10
# tests/servers/known_calls.py. A coroutine is entered twice: it is made, then it is resumed.
CALLS = {
    "handle": 1, "Shop.total": 2, "price": 43, "factorial": 6, "key": 5, "drive": 3, "answer": 6, "inner": 6,
}  # fmt: skip
HEAD = "version: 1\ncreator: callgrind-3.19.0\npid: 7\nevents: Ir\n"
MAP = "1000 b py::serve:/app/shop.py\n1010 b py::price:/app/shop.py\n"
LOOP = "_PyEval_EvalFrameDefault"


def recorded(version: str) -> list[Path]:
    return sorted((DATA / "callgrind" / "python" / version).iterdir())


def small(body: str, totals: int, trampolines: str = MAP) -> Profile:
    """The profile of a hand-written dump, and of the map of its process."""
    files = {"callgrind.out.7.1": f"{HEAD}{body}totals: {totals}\n", "perf-7.map": trampolines}
    return callgrind.parse_parts([(io.BytesIO(text.encode()), name) for name, text in files.items()])


def table(profile: Profile) -> dict[str, dict[str, object]]:
    rows = function_table(profile, "instructions").assign(name=profile.functions.name).set_index("name")
    return rows[["self", "total", "total_source", "calls"]].to_dict("index")


@pytest.mark.parametrize("version", ["3.12.1", "3.13.0"])
def test_calls_of_every_python_function_are_exact(version: str) -> None:
    profile = parse_files(recorded(version), "callgrind")
    rows = table(profile)
    assert {name: rows[name]["calls"] for name in CALLS} == {name: REQUESTS * many for name, many in CALLS.items()}


@pytest.mark.parametrize("version", ["3.12.1", "3.13.0"])
def test_no_instruction_is_lost_and_nearly_all_have_a_python_function(version: str) -> None:
    paths = recorded(version)
    profile, counted = parse_files(paths, "callgrind"), parse_files(paths[:1], "callgrind")
    total = counted.declared["instructions"]
    assert total
    assert profile.self_sum("instructions") == total == profile.declared["instructions"]
    assert profile.self_sum("syscalls") == counted.self_sum("syscalls") > 0
    rows = function_table(profile, "instructions")
    assert rows["self"][profile.functions.runtime == PYTHON].sum() > 0.9 * total


@pytest.mark.parametrize("version", ["3.12.1", "3.13.0"])
def test_totals_hold_what_a_function_calls(version: str) -> None:
    """`handle` calls everything; `key` and `price` call no Python function, so their total is their self."""
    rows = table(parse_files(recorded(version), "callgrind"))
    assert {rows[name]["total_source"] for name in CALLS} == {"measured"}
    assert rows["key"]["self"] == rows["key"]["total"]
    assert rows["price"]["self"] == rows["price"]["total"]
    below = sum(int(str(rows[name]["total"])) for name in ("Shop.total", "factorial", "drive", "key"))
    assert int(str(rows["handle"]["total"])) > below


def test_a_function_that_c_code_calls_is_called_by_the_python_function_below() -> None:
    profile = parse_files(recorded("3.13.0"), "callgrind")
    names = profile.functions.name
    found = edges(profile, "instructions")
    assert found.calls is not None
    calls = {
        (names[caller], names[callee]): many
        for caller, callee, many in zip(found.caller, found.callee, found.calls, strict=True)
    }
    assert calls["handle", "key"] == 5 * REQUESTS
    assert calls["factorial", "factorial"] == 5 * REQUESTS
    assert ("price", "price") not in calls


def test_c_functions_count_for_the_loop_they_were_called_from() -> None:
    profile = small(
        f"fn=0x0000000000001000\n0 4\ncfn={LOOP}'0x0000000000001000\ncalls=2 0\n0 100\n"
        f"fn={LOOP}'0x0000000000001000\n0 30\ncfn=dict_get'{LOOP}'0x0000000000001000\ncalls=6 0\n0 70\n"
        f"fn=dict_get'{LOOP}'0x0000000000001000\n0 50\ncfn=memcpy\ncalls=6 0\n0 20\n"
        "fn=memcpy\n0 20\n"
        "fn=main\n0 5\ncfn=0x0000000000001000\ncalls=2 0\n0 104\n",
        109,
    )
    rows = table(profile)
    assert rows["serve"] == {"self": 104, "total": 104, "total_source": "measured", "calls": 2}
    assert {name: row["self"] for name, row in rows.items() if row["self"]} == {"serve": 104, "main": 5}
    assert profile.functions.file[profile.functions.name.index("serve")] == "/app/shop.py"


def test_a_function_that_ran_when_the_window_opened_is_named_so() -> None:
    rows = table(small(f"fn={LOOP}\n0 30\ncfn=memcpy\ncalls=1 0\n0 7\nfn=memcpy\n0 7\n", 37))
    assert rows[RUNNING]["self"] == 37
    assert rows[RUNNING]["total_source"] != "measured"


def test_a_call_that_costs_more_than_its_function_is_folded_nowhere_and_makes_no_total() -> None:
    """As after a switch of stacks: the call holds what ran elsewhere."""
    rows = table(
        small(
            f"fn=0x0000000000001000\n0 4\ncfn={LOOP}'0x0000000000001000\ncalls=1 0\n0 900\n"
            f"fn={LOOP}'0x0000000000001000\n0 30\ncfn=swap\ncalls=1 0\n0 800\nfn=swap\n0 6\n"
            "fn=main\n0 5\ncfn=0x0000000000001000\ncalls=1 0\n0 990\n",
            45,
        )
    )
    assert rows["serve"]["self"] == 34
    assert rows["swap"]["self"] == 6
    assert rows["serve"]["total_source"] == "unknown"


def test_with_greenlets_the_functions_are_those_of_c() -> None:
    body = f"ob=/venv/_greenlet.so\nfn=g_switch'{LOOP}'0x0000000000001000\n0 6\nfn=g_switch\n0 3\n"
    profile = small(body, 9)
    assert table(profile)["g_switch"]["self"] == 9
    assert "greenlets switch stacks" in profile.meta.warnings[0]


def test_without_a_map_the_functions_are_those_of_c() -> None:
    """As with -I or -E, which keep the interpreter from reading its environment."""
    dump = next(path for path in recorded("3.13.0") if ".map" not in path.name)
    profile = parse_files([dump], "callgrind")
    assert profile.self_sum("instructions") == profile.declared["instructions"]
    assert LOOP in profile.functions.name
    assert not any("'" in name for name in profile.functions.name)
    assert "no map of CPython's trampolines" in profile.meta.warnings[0]


def test_the_map_of_another_process_is_not_used() -> None:
    files = [(io.BytesIO(f"{HEAD}fn=f'g\n0 3\nfn=f\n0 4\ntotals: 7\n".encode()), "callgrind.out.7.1")]
    profile = callgrind.parse_parts([*files, (io.BytesIO(MAP.encode()), "perf-8.map")])
    assert table(profile)["f"]["self"] == 7


def test_a_map_names_the_function_around_an_address() -> None:
    found = read_trampolines(io.BytesIO(f"{MAP}1020 b py::lost".encode()), "perf-7.map")
    assert found.at(0x1016) == ("price", "/app/shop.py")
    assert found.at(0x101B) is None
    assert found.at(0x0FFF) is None


@pytest.mark.parametrize("text", [b"", b"\x7fELF", b"1000 b lua::serve:/x\n", b"zz b py::f:/x\n"])
def test_what_is_no_map_is_refused(text: bytes) -> None:
    with pytest.raises(ParseError, match="not a map of CPython's trampolines"):
        read_trampolines(io.BytesIO(text), "perf-7.map")


def test_a_real_map_has_every_function_of_the_server() -> None:
    text = capture(next(str(p.relative_to(DATA)) for p in recorded("3.13.0") if ".map" in p.name))
    found = read_trampolines(io.BytesIO(text), "perf-1.map")
    assert set(CALLS) <= {name for name, _ in found.names}
