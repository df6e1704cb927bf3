"""Cost by library: which library a function belongs to, and no cost lost or counted twice on the way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.analyse import RunData, build_report
from profpipe.analyse.names.libraries import library_of
from profpipe.analyse.names.source_paths import origin
from profpipe.model.build import Builder
from profpipe.model.profile import KERNEL, NATIVE, PYTHON, RUNTIMES, Meta, Profile
from profpipe.model.report import HotspotTable, Report
from profpipe.units import INSTRUCTIONS
from tests.support.analyse_cases import concurrency, load, record, study

VENV = "/srv/app/.venv/lib/python3.12/site-packages"
FUNCTIONS = (
    ("root", "/srv/app/shop.py", "", PYTHON),
    ("render", f"{VENV}/starlette/responses.py", "", PYTHON),
    ("solve", f"{VENV}/fastapi/routing.py", "", PYTHON),
    ("wrap", f"{VENV}/six.py", "", PYTHON),
    ("dumps", "/usr/lib/python3.12/json/__init__.py", "", PYTHON),
    ("validate", "", f"{VENV}/pydantic_core/_pydantic_core.cpython-312-x86_64-linux-gnu.so", NATIVE),
    ("PyDict_GetItem", "", "/usr/lib/libpython3.12.so.1.0", NATIVE),
    ("malloc", "", "/usr/lib/x86_64-linux-gnu/libc.so.6", NATIVE),
    ("tcp_sendmsg", "", "[kernel.kallsyms]", KERNEL),
    ("lost", "", "", NATIVE),
)


def counted(costs: list[int]) -> Profile:
    builder = Builder("counted", (INSTRUCTIONS,))
    for (name, file, object_, runtime), cost in zip(FUNCTIONS, costs, strict=True):
        builder.cost(builder.frame(builder.function(name, file, object_, runtime=runtime)), (cost,))
    return builder.freeze(Meta("callgrind"))


def run(variant: str, costs: list[int], number: int = 1) -> RunData:
    return RunData(record(variant, "callgrind", number, load=load(1000)), (counted(costs),))


def table(report: Report) -> HotspotTable:
    return next(t for t in report.hotspots if t.metric == "callgrind:instructions")


COSTS = st.lists(st.integers(0, 10**9), min_size=len(FUNCTIONS), max_size=len(FUNCTIONS)).filter(any)


@given(a=COSTS, b=COSTS)
def test_libraries_add_up_to_the_total_as_categories_do(a: list[int], b: list[int]) -> None:
    found = table(build_report(study([run("a", a), run("b", b)])))
    for variant, costs in (("a", a), ("b", b)):
        by_library = sum(row.cells[variant].self or 0.0 for row in found.libraries)
        by_category = sum(row.cells[variant].self or 0.0 for row in found.rows)
        assert math.isclose(by_library, sum(costs) / 1000, rel_tol=1e-7)
        assert math.isclose(by_library, by_category, rel_tol=1e-7)
    rows = [(row.origin, row.library) for row in found.libraries]
    assert len(rows) == len(set(rows))
    assert sum(row.functions for row in found.libraries) == sum(x > 0 or y > 0 for x, y in zip(a, b, strict=True))


def test_every_library_has_a_row_the_largest_first() -> None:
    found = table(build_report(study([run("a", list(range(100, 0, -10))), run("b", list(range(100, 0, -10)))])))
    assert [(row.origin, row.library) for row in found.libraries] == [
        ("own", ""), ("library", "starlette"), ("library", "fastapi"), ("library", "six"), ("standard library", ""),
        ("library", "pydantic_core"), ("interpreter", ""), ("library", "libc"), ("kernel", ""), ("", ""),
    ]  # fmt: skip


def test_a_library_has_the_name_of_its_package_where_that_is_another() -> None:
    costs = [100] * len(FUNCTIONS)
    names = {"six": "Six of Benjamin"}
    given = study([run("a", costs), run("b", costs)], import_names=names)
    found = [row.library for row in table(build_report(given)).libraries]
    assert "Six of Benjamin" in found
    assert "six" not in found


def test_of_real_captures_no_cost_is_lost() -> None:
    for found in build_report(concurrency(("threads", "gevent"), counted=1)).hotspots:
        for variant, total in found.total.items():
            parts = [row.cells[variant].self or 0.0 for row in found.libraries if variant in row.cells]
            assert math.isclose(sum(parts), total.median or 0.0, rel_tol=1e-6), (found.metric, variant)


@pytest.mark.parametrize(
    ("name", "file", "object_", "runtime", "expected"),
    [
        ("render", "starlette/responses.py", "", PYTHON, ("library", "starlette")),
        ("validate", "pydantic_core._pydantic_core", "", PYTHON, ("library", "pydantic_core")),
        ("f", "", f"{VENV}/numpy.libs/libopenblas64.so", NATIVE, ("library", "numpy")),
        ("f", "", "/usr/lib/python3.11/lib-dynload/_json.cpython-311.so", NATIVE, ("standard library", "")),
        ("f", "", "/lib/x86_64-linux-gnu/libssl.so.3", NATIVE, ("library", "libssl")),
        ("f", "", "/lib/x86_64-linux-gnu/libc-2.31.so", NATIVE, ("library", "libc")),
        ("start", "/app/src/profpipe/capture/profilers/python_agent/agent.py", "", PYTHON, ("library", "profpipe")),
        ("f", "<template>", "", PYTHON, ("own", "")),
    ],
)
def test_a_library_is_told_by_the_path(
    name: str, file: str, object_: str, runtime: int, expected: tuple[str, str]
) -> None:
    whose = origin(name, file, object_, RUNTIMES[runtime], frozenset())
    assert library_of(name, file, object_, RUNTIMES[runtime], whose) == expected


def test_packages_of_other_languages() -> None:
    go = library_of("github.com/goccy/go-json/internal/encoder.Marshal", "", "", "go", "library")
    js = library_of("handle", "file:///app/node_modules/@fastify/ajv/lib/index.js", "", "js", "library")
    assert (go, js) == (("library", "github.com/goccy/go-json"), ("library", "@fastify/ajv"))
