"""Profiles for the Firefox Profiler: samples, leaves and CPU time as the file has them, however tables are stored."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.profile import PYTHON
from profpipe.parse import firefox
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, runtimes, self_by_name, total_by_name

SAMPLY = capture("firefox/samply-python312.json.gz")
GECKO = capture("firefox/firefox-esr.json.gz")


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SAMPLY)
    return found


def test_samply_s_samples_and_cpu_time_are_those_of_its_columns() -> None:
    threads = document()["threads"]
    profile = read(firefox.parse, SAMPLY)
    assert profile.self_sum("samples") == sum(sum(t["samples"]["weight"]) for t in threads) == 151
    assert profile.self_sum("cpu_ns") == 1000 * sum(sum(t["samples"]["threadCPUDelta"]) for t in threads)
    assert len(profile.meta.threads) == sum(1 for t in threads if t["samples"]["length"])


def test_python_s_functions_have_their_file_and_no_second_row() -> None:
    profile = read(firefox.parse, SAMPLY)
    theirs: Counter[str] = Counter()
    for t in document()["threads"]:
        for stack in t["samples"]["stack"]:
            names = set()
            while stack is not None:
                function = t["frameTable"]["func"][t["stackTable"]["frame"][stack]]
                names.add(t["stringArray"][t["funcTable"]["name"][function]])
                stack = t["stackTable"]["prefix"][stack]
            theirs.update(names)
    at = profile.functions.name.index("inner")
    assert total_by_name(profile)["inner"] == theirs["py::inner:/srv/app/spin.py"] == 40
    assert runtimes(profile)["inner"] == PYTHON
    assert profile.functions.file[at] == "/srv/app/spin.py"
    assert "inner:/srv/app/spin.py" not in profile.functions.name


def test_functions_without_names_are_one_row_per_library_and_said() -> None:
    profile = read(firefox.parse, SAMPLY)
    assert not [name for name in profile.functions.name if name.startswith("0x")]
    assert {"libc.so.6", "libpython3.12.so.1.0"} <= set(profile.functions.object)
    assert "the recording has addresses" in profile.meta.warnings[0]


def test_firefox_s_own_tables_have_the_page_s_function() -> None:
    thread = json.loads(GECKO)["threads"][0]
    strings, frames, stacks = (thread[k] for k in ("stringTable", "frameTable", "stackTable"))
    theirs: Counter[str] = Counter()
    for stack, *_ in thread["samples"]["data"]:
        theirs[strings[frames["data"][stacks["data"][stack][1]][0]]] += 1
    profile = read(firefox.parse, GECKO)
    ours = self_by_name(profile, "samples")
    assert ours["spin"] == sum(count for text, count in theirs.items() if text.startswith("spin (")) == 239
    assert sum(ours.values()) == len(thread["samples"]["data"]) == 300
    assert "libxul.so" in profile.functions.object
    assert "(root)" not in profile.functions.name


def test_tables_that_threads_share_give_the_same() -> None:
    """As from version 56 of the processed format on; the file of one thread is rewritten so."""
    changed = document()
    changed["threads"] = [t for t in changed["threads"] if t["tid"] == "19145.1"]
    plain = read(firefox.parse, json.dumps(changed).encode())
    names = ("stackTable", "frameTable", "funcTable", "resourceTable", "stringArray")
    changed["shared"] = {name: changed["threads"][0].pop(name) for name in names}
    shared = read(firefox.parse, json.dumps(changed).encode())
    assert self_by_name(plain) == self_by_name(shared)
    assert total_by_name(plain) == total_by_name(shared)


def test_processes_inside_a_process_are_read_too() -> None:
    nested = json.loads(GECKO)
    nested["processes"] = [json.loads(GECKO)]
    assert read(firefox.parse, json.dumps(nested).encode()).self_sum("samples") == 600


def broken(*path: Any, value: Any) -> bytes:
    changed = document()
    at: Any = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(changed).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (broken("threads", 1, "samples", "stack", 0, value=10**6), "row 1000000 of stackTable"),
        (broken("threads", 1, "stackTable", "prefix", 0, value=0), "its own caller"),
        (broken("threads", 1, "frameTable", "func", 0, value=-1), "row -1 of funcTable"),
        (broken("threads", 1, "samples", "weight", value=[1]), "84 samples but 1 values of weight"),
        (broken("threads", 1, "samples", "weightType", value="tracing-ms"), "expected samples or bytes"),
        (broken("threads", value=[]), "weighed by"),
    ],
)
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read(firefox.parse, data)


def test_every_cut_is_an_error_and_damage_is_never_a_traceback() -> None:
    for data in (SAMPLY, GECKO):
        for at in cuts(data.rstrip(), 30):
            assert isinstance(outcome(firefox.parse, data[:at]), ProfpipeError), at
        for mutant in mutants(data, seed=4, many=40):
            outcome(firefox.parse, mutant)
