"""pyinstrument sessions and its JSON tree. Oracle: the text that pyinstrument printed of the same recording."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.codec import dump_text
from profpipe.model.profile import NATIVE, PYTHON, SYNTHETIC, Profile
from profpipe.parse import pyinstrument as reader
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, runtimes, self_by_name, total_by_name

SESSIONS = ("pyinstrument-threads.pyisession", "pyinstrument-gevent.pyisession.gz")
TREES = ("pyinstrument-threads.json", "pyinstrument-gevent.json", "pyinstrument_asyncenabled-asyncio.json")


def load(name: str) -> Profile:
    return read(reader.parse, capture(f"pyinstrument/{name}"))


def parse(document: object) -> Profile:
    return read(reader.parse, json.dumps(document).encode())


@pytest.mark.parametrize("name", [*SESSIONS, *TREES])
def test_real_captures_read_as_their_goldens(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"parse/pyinstrument-{name}.txt", dump_text(load(name)))


@pytest.mark.parametrize("name", SESSIONS)
def test_time_is_neither_lost_nor_inflated(name: str) -> None:
    """The library's own resampling makes 1.750 s of 1.500 s; here every record counts once."""
    records = json.loads(capture(f"pyinstrument/{name}"))["frame_records"]
    assert load(name).self_sum("wall_ns") == sum(round(record[1] * 1e9) for record in records)


def test_totals_equal_what_pyinstrument_printed() -> None:
    """Lines `4.162 name  file:line`; one name may stand at several places, so times are added up per name."""
    printed: dict[str, float] = {}
    for line in capture("pyinstrument/pyinstrument-gevent.txt").decode().splitlines():
        row = re.fullmatch(r"[│├└─ ]*([\d.]+) (\S+)  (\S+?)(?::\d+)?", line)
        if row and row[2] not in ("[self]", "MainThread"):
            name = row[2].rsplit(".", 1)[-1]
            printed[name] = printed.get(name, 0.0) + float(row[1])
    for source in ("pyinstrument-gevent.pyisession.gz", "pyinstrument-gevent.json"):
        totals: dict[str, float] = {}
        for name, value in total_by_name(load(source)).items():
            short = name.rsplit(".", 1)[-1]
            totals[short] = totals.get(short, 0.0) + value / 1e9
        for name in ("on_conn", "_sendall", "__send_chunk", "parse", "handle"):
            assert totals[name] == pytest.approx(printed[name], abs=0.002), (source, name)


def test_the_tree_and_the_session_of_one_recording_agree() -> None:
    session, tree = self_by_name(load(SESSIONS[1])), self_by_name(load(TREES[1]))
    for name in ("handle", "parse", "_sendall"):
        assert tree[name] == pytest.approx(session[name], abs=20_000)
    assert sum(tree.values()) == pytest.approx(sum(session.values()), abs=2000)


def test_threads_are_not_functions() -> None:
    for name in (SESSIONS[1], TREES[1]):
        profile = load(name)
        assert "MainThread" not in profile.functions.name
        assert len(profile.meta.threads) == 1


def test_self_nodes_are_their_parents_self_and_await_stays_synthetic() -> None:
    profile = load(TREES[2])
    assert "[self]" not in profile.functions.name
    tree = {"function": "f", "file_path": "a.py", "line_no": 1, "time": 3.0}
    nodes = [{"function": n, "file_path": "", "line_no": 0, "time": 1.0, "children": []} for n in ("[self]", "[await]")]
    profile = parse({"root_frame": {**tree, "children": nodes}})
    assert self_by_name(profile) == {"f": 2_000_000_000, "[await]": 1_000_000_000}
    assert runtimes(profile) == {"f": PYTHON, "[await]": SYNTHETIC}


def test_identifiers_hold_class_line_and_built_ins() -> None:
    records = [
        [["T\0<thread>\x009", "run\0a.py\x001\x01cThread\x01l7", "len\0<built-in>\x000"], 0.5],
        [["T\0<thread>\x009", "run\0a.py\x001\x01cThread\x01l8"], 0.25],
    ]
    profile = parse({"frame_records": records})
    assert profile.functions.name == ("Thread.run", "len")
    assert profile.functions.line.tolist() == [1, 0]
    assert runtimes(profile) == {"Thread.run": PYTHON, "len": NATIVE}
    assert profile.frames.line is not None
    assert sorted(profile.frames.line.tolist()) == [0, 7, 8]
    assert profile.meta.threads == ("T (9)",)


def test_a_function_of_several_classes_stays_one_function() -> None:
    profile = parse({"frame_records": [[["run\0a.py\x001\x01cA"], 0.5], [["run\0a.py\x001\x01cB"], 0.5]]})
    assert profile.functions.name == ("run",)


def test_a_tree_says_that_small_frames_are_missing() -> None:
    assert any("under 1 %" in w for w in load(TREES[0]).meta.warnings)
    assert load(SESSIONS[0]).meta.warnings == ()


def test_duration_and_cpu_time_are_noted() -> None:
    notes = load(SESSIONS[0]).meta.notes
    assert (notes["duration_ns"], notes["cpu_time_ns"]) == ("6392980814", "1741902953")


NODE: dict[str, Any] = {"function": "f", "file_path": "a.py", "line_no": 1, "time": 1.0, "children": []}
BAD = {
    "neither": ({"start_time": 1}, "neither frame_records nor root_frame"),
    "no samples": ({"root_frame": None}, "saw no sample"),
    "no records": ({"frame_records": []}, "no function"),
    "a record of three": ({"frame_records": [[[], 1, 2]]}, "frame_records[0] is not"),
    "a frame that is a number": ({"frame_records": [[[1], 1.0]]}, "not text"),
    "negative time": ({"frame_records": [[["f\0a\x001"], -1.0]]}, "expected seconds"),
    "children over their parent": ({"root_frame": {**NODE, "children": [{**NODE, "time": 2.0}]}}, "take longer"),
    "no children": ({"root_frame": {**NODE, "children": None}}, "expected a list"),
    "a child that is text": ({"root_frame": {**NODE, "children": ["x"]}}, "expected an object"),
}


@pytest.mark.parametrize(("document", "words"), BAD.values(), ids=BAD)
def test_bad_files_name_the_field(document: object, words: str) -> None:
    with pytest.raises(ParseError, match=re.escape(words)):
        parse(document)


def test_a_record_of_30_000_frames() -> None:
    names = [f"f{i}\0a.py\x00{i}" for i in range(30_000)]
    assert self_by_name(parse({"frame_records": [[names, 1.0]]})) == {"f29999": 10**9}


def test_a_tree_30_000_deep_is_read_or_cleanly_refused() -> None:
    node = '{"function":"f%d","file_path":"a.py","line_no":1,"time":1.0,"children":['
    data = ('{"root_frame":' + "".join(node % i for i in range(30_000)) + "]}" * 30_000 + "}").encode()
    result = outcome(reader.parse, data)
    assert isinstance(result, ProfpipeError) or result.self_sum("wall_ns") == 10**9


def test_a_tree_300_deep_is_read() -> None:
    node: dict[str, Any] = NODE
    for i in range(300):
        node = {**NODE, "function": f"g{i}", "children": [node]}
    assert self_by_name(parse({"root_frame": node}))["f"] == 10**9


def test_hostile_names_stay_text() -> None:
    name = "</script>\ud800\x1b[0m"
    assert parse({"frame_records": [[[f"{name}\0a.py\x001"], 1.0]]}).functions.name == ("</script>\\ud800\x1b[0m",)


@pytest.mark.parametrize("name", [SESSIONS[0], TREES[0]])
def test_every_cut_is_a_clean_error(name: str) -> None:
    data = capture(f"pyinstrument/{name}").rstrip()
    for size in cuts(data, 300):
        assert isinstance(outcome(reader.parse, data[:size]), ProfpipeError), size


def test_damaged_captures_never_crash_the_reader() -> None:
    for data in mutants(capture(f"pyinstrument/{TREES[0]}"), 6, 1000):
        outcome(reader.parse, data)
    records = json.dumps({"frame_records": [[["f\0a.py\x001\x01l3\x01cA", "[await]"], 0.5]]}).encode()
    for data in mutants(records, 7, 1000):
        outcome(reader.parse, data)


@given(st.lists(st.tuples(st.lists(st.text(max_size=6), max_size=4), st.floats(0, 1e6)), min_size=1, max_size=6))
def test_records_are_conserved_whatever_the_names(records: list[tuple[list[str], float]]) -> None:
    result = outcome(reader.parse, json.dumps({"frame_records": records}).encode())
    if isinstance(result, Profile):
        assert result.self_sum("wall_ns") == sum(round(seconds * 1e9) for _, seconds in records)
