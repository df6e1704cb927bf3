"""Profiles of V8: what the file counts itself is what is read; tiers are one row; damage is an error."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.profile import SYNTHETIC
from profpipe.parse import chrome_trace, cpuprofile, heapprofile
from profpipe.parse.v8_nodes import durations
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, runtimes, self_by_name

CPU = capture("cpuprofile/node20.cpuprofile")
HEAP = capture("heapprofile/node20.heapprofile")
TRACE = capture("chrome-trace/node20.json.gz")


def frame(name: str, url: str = "file:///srv/app/a.js", line: int = 0, column: int = 0) -> dict[str, Any]:
    return {"functionName": name, "scriptId": "1", "url": url, "lineNumber": line, "columnNumber": column}


ROOT = {"id": 1, "callFrame": frame("(root)", "", -1, -1), "hitCount": 0, "children": [2]}


def cpu(nodes: list[dict[str, Any]], samples: list[int], deltas: list[int], end: int = 1000) -> bytes:
    body = {"nodes": nodes, "startTime": 0, "endTime": end, "samples": samples, "timeDeltas": deltas}
    return json.dumps(body).encode()


def test_samples_per_function_are_those_that_node_listed() -> None:
    """Not its `hitCount`: in real files it differs from the list of samples."""
    document = json.loads(CPU)
    names = {node["id"]: node["callFrame"]["functionName"] or "(anonymous)" for node in document["nodes"]}
    theirs = Counter(names[id] for id in document["samples"])
    ours: Counter[str] = Counter()
    for name, value in self_by_name(read(cpuprofile.parse, CPU), "samples").items():
        ours[name.partition(" [column")[0]] += value
    assert +ours == +theirs


def test_the_times_add_up_to_the_recording() -> None:
    document = json.loads(CPU)
    profile = read(cpuprofile.parse, CPU)
    first = document["startTime"] + document["timeDeltas"][0]
    last = document["startTime"] + sum(document["timeDeltas"])
    assert profile.self_sum("wall_ns") == (max(document["endTime"], last) - first) * 1000


def test_a_function_has_its_url_and_line_and_a_state_of_v8_is_none() -> None:
    profile = read(cpuprofile.parse, CPU)
    functions = profile.functions
    at = functions.name.index("handle")
    assert (functions.file[at], int(functions.line[at])) == ("file:///srv/app/work.js", 5)
    assert runtimes(profile)["(garbage collector)"] == SYNTHETIC
    assert "(root)" not in functions.name


def test_bytes_per_function_are_those_of_the_tree() -> None:
    theirs: Counter[str] = Counter()

    def add(node: dict[str, Any]) -> None:
        theirs[node["callFrame"]["functionName"] or "(anonymous)"] += node["selfSize"]
        for child in node["children"]:
            add(child)

    add(json.loads(HEAP)["head"])
    ours: Counter[str] = Counter()
    for name, value in self_by_name(read(heapprofile.parse, HEAP)).items():
        ours[name.partition(" [column")[0]] += value
    assert +ours == +theirs


def test_a_trace_has_the_samples_of_the_longer_of_two_profiles_of_one_thread() -> None:
    found: Counter[str] = Counter()
    for event in json.loads(TRACE)["traceEvents"]:
        if event["name"] == "ProfileChunk":
            found[event["id"]] += len(event["args"]["data"].get("cpuProfile", {}).get("samples", []))
    profile = read(chrome_trace.parse, TRACE)
    assert len(found) == 2
    assert profile.self_sum("samples") == max(found.values())
    assert len(profile.meta.threads) == 1
    assert "more than once" in profile.meta.warnings[0]
    assert self_by_name(profile, "samples").most_common(1)[0][0] == "spin"


def test_code_of_every_compiler_is_one_row() -> None:
    nodes = [ROOT | {"children": [2, 3, 4]}]
    nodes += [{"id": i, "callFrame": frame(name)} for i, name in ((2, "*hot"), (3, "~hot"), (4, "hot"))]
    assert self_by_name(read(cpuprofile.parse, cpu(nodes, [2, 3, 4], [0, 5, 5])), "samples") == {"hot": 3}


def test_functions_of_one_name_on_one_line_are_told_apart_by_column() -> None:
    nodes = [ROOT | {"children": [2, 3]}]
    nodes += [{"id": i, "callFrame": frame("", column=column)} for i, column in ((2, 10), (3, 20))]
    found = self_by_name(read(cpuprofile.parse, cpu(nodes, [2, 3], [0, 5])), "samples")
    assert found == {"(anonymous) [column 11]": 1, "(anonymous) [column 21]": 1}


def test_samples_out_of_order_last_until_the_next_one_in_time() -> None:
    assert durations([10, 20, -5, 15], 0, 50, "x") == [15, 10, 5, 10]


def test_a_file_without_samples_has_the_hits() -> None:
    nodes = [ROOT, {"id": 2, "callFrame": frame("work"), "hitCount": 7}]
    profile = read(cpuprofile.parse, json.dumps({"nodes": nodes, "startTime": 0, "endTime": 9}).encode())
    assert self_by_name(profile) == {"work": 7}
    assert [m.key for m in profile.metrics] == ["samples"]


WORK = {"id": 2, "callFrame": frame("work")}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (cpu([ROOT, WORK], [2, 9], [0, 1]), "node 9 is missing"),
        (cpu([ROOT | {"children": [1]}], [1], [0]), "its own caller"),
        (cpu([ROOT, ROOT], [1], [0]), "two nodes have the id 1"),
        (cpu([ROOT, WORK], [2], [0, 1]), "1 samples but 2 timeDeltas"),
        (cpu([ROOT, WORK], [], []), "no sample in it"),
        (cpu([ROOT, WORK], ["2"], [0]), "expected the id of a node"),  # type: ignore[list-item]
        (cpu([ROOT, WORK], [2], [0.5]), "expected microseconds"),  # type: ignore[list-item]
        (cpu([ROOT, WORK], [2], [0])[:-9], "not whole JSON"),
        (b'{"nodes": 3}', "expected a list"),
    ],
)
def test_damage_is_an_error_that_says_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read(cpuprofile.parse, data)


def test_a_trace_without_a_cpu_profile_says_which_category_to_record() -> None:
    with pytest.raises(ParseError, match=r"record with the category v8\.cpu_profiler"):
        read(chrome_trace.parse, b'{"traceEvents": [{"name": "x", "ph": "B"}]}')


@pytest.mark.parametrize(
    ("parser", "data"),
    [(cpuprofile, CPU), (heapprofile, HEAP), (chrome_trace, TRACE)],
    ids=lambda v: getattr(v, "NAME", ""),
)
def test_every_cut_and_every_damage_is_a_clean_error_or_a_profile(parser: Any, data: bytes) -> None:
    for at in cuts(data, 40):
        assert isinstance(outcome(parser.parse, data[:at]), ProfpipeError), at
    for mutant in mutants(data, seed=3, many=40):
        outcome(parser.parse, mutant)


@given(st.lists(st.tuples(st.integers(2, 5), st.integers(-50, 200)), min_size=1, max_size=30))
def test_no_time_is_lost_whatever_the_order(rows: list[tuple[int, int]]) -> None:
    nodes = [ROOT | {"children": [2, 3]}, WORK | {"children": [4, 5]}]
    nodes += [{"id": i, "callFrame": frame(f"f{i}")} for i in (3, 4, 5)]
    times = [10_000 + sum(delta for _, delta in rows[: i + 1]) for i in range(len(rows))]
    deltas = [times[0], *(delta for _, delta in rows[1:])]
    profile = read(cpuprofile.parse, cpu(nodes, [id for id, _ in rows], deltas, end=20_000))
    assert profile.self_sum("wall_ns") == (20_000 - min(times)) * 1000
    assert profile.self_sum("samples") == len(rows)


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=4), lambda v: st.lists(v) | st.dictionaries(st.text(), v))
)
def test_any_json_gives_a_profile_or_a_clean_error(value: object) -> None:
    for parser in (cpuprofile, heapprofile, chrome_trace):
        outcome(parser.parse, json.dumps(value).encode())
