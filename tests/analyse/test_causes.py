"""The functions that make a difference: own code, what it calls, and the deepest that holds it."""

from __future__ import annotations

import copy
import cProfile
import io
import json
import marshal
import pstats
from pathlib import Path

import numpy as np

from profpipe.analyse import RunData, build_report, compare_profiles
from profpipe.analyse.conclusions.conclude import conclude, resolve
from profpipe.analyse.tables.cost_graph import apart
from profpipe.model.profile import Profile
from profpipe.model.report import Report
from profpipe.model.run import LoadResult, RunRecord
from profpipe.model.upgrade import validated_report
from profpipe.parse import parse_file
from profpipe.parse import pstats as pstats_format
from tests.support.paths import TESTS
from tests.support.study_facts import study_data

NODE = TESTS / "data/analyse/node-page"
GO = TESTS / "data/analyse/go-map"
FASTAPI = TESTS / "data/report/fastapi-json.json"
ITEMS = [{"id": i, "tags": ["a", "b"]} for i in range(200)]


def answer(*, indented: bool) -> str:
    return json.dumps(ITEMS, indent=2 if indented else None)


def handle(*, indented: bool) -> None:
    for _ in range(5):
        answer(indented=indented)


def profiled(*, indented: bool) -> Profile:
    """A real capture of cProfile."""
    profiler = cProfile.Profile()
    profiler.runcall(handle, indented=indented)
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    return pstats_format.parse(io.BytesIO(marshal.dumps(stats)), "plain.pstats")


def report_of_fastapi() -> Report:
    return validated_report(FASTAPI.read_bytes())


def test_the_way_leads_from_own_code_through_the_library_to_the_deepest_function() -> None:
    report = compare_profiles([("plain", profiled(indented=False), 5), ("indented", profiled(indented=True), 5)])
    cause = report.causes[0]
    assert cause.own is not None
    assert (own := cause.steps[cause.own].function).name == "answer"
    assert (own.origin, Path(own.file).name, own.line) == ("own", "test_causes.py", answer.__code__.co_firstlineno)
    assert {"json/encoder.py", "json/__init__.py"} & {step.function.file for step in cause.steps[cause.own + 1 :]}
    assert cause.steps[-1].function.file == "json/encoder.py"  # which of its generators depends on the times


RULES = {country: [{"over": i, "rate": i / 100} for i in range(8)] for country in ("de", "fr", "it")}


def rules_for(*, copied: bool) -> object:
    return copy.deepcopy(RULES) if copied else dict(RULES)


def test_functions_that_call_each_other_are_entered_where_own_code_calls_them() -> None:
    def capture(*, copied: bool) -> Profile:
        profiler = cProfile.Profile()
        for _ in range(5):
            profiler.runcall(rules_for, copied=copied)
        stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
        return pstats_format.parse(io.BytesIO(marshal.dumps(stats)), "copied.pstats")

    report = compare_profiles([("kept", capture(copied=False), 5), ("copied", capture(copied=True), 5)])
    cause = report.causes[0]
    assert [step.function.name for step in cause.steps[: cause.entry + 1]] == ["rules_for", "deepcopy"]
    assert cause.steps[-1].function.file == "copy.py"


def test_functions_of_go_are_named_by_what_they_allocate() -> None:
    plain, filled = (parse_file(GO / f"{name}.pb.gz") for name in ("shop", "map"))
    cause = compare_profiles([("plain", plain, 100), ("filled", filled, 100)]).causes[0]
    functions = [(step.function.name, step.function.file.rpartition("/")[2]) for step in cause.steps]
    assert {("main.ratesRebuilt", "texts.go"), ("main.rates", "texts.go")} <= set(functions)


def load(served: int) -> LoadResult:
    return LoadResult("test", "", (), "closed", "none", connections=4, threads=1, served=served, seconds=1.0)


def node_report() -> Report:
    """One run of each variant by node-cpu and by node-calls."""
    runs = [
        RunData(RunRecord("s", variant, tool, 1, place, (), "", load=load(served)), (parse_file(NODE / file),))
        for variant in ("shop", "page")
        for place, (tool, served, file) in enumerate(
            (("node-cpu", 1000, f"{variant}.cpuprofile.gz"), ("node-calls", 100, f"{variant}.calls.json.gz"))
        )
    ]
    kinds = {"node-cpu": "sampled", "node-calls": "counted"}
    languages = {"shop": "node", "page": "node"}
    return build_report(study_data(runs, ("shop", "page"), kinds=kinds, languages=languages))


def test_what_v8_sampled_has_the_exact_calls_of_the_other_instrument() -> None:
    causes = [cause for cause in node_report().causes if cause.metric == "node-cpu:cpu_ns"]
    steps = {step.function.name: step for cause in causes for step in cause.steps}
    read = steps["pageReadAgain"]
    assert (read.function.file, read.function.origin) == ("shop/texts.js", "own")
    assert (read.before.calls, read.after.calls) == (0.0, 1.0)
    assert steps["readFileSync"].function.origin == "standard library"


def test_a_function_that_samples_hit_more_often_by_chance_is_no_cause() -> None:
    quiet, busy = np.array([[10.0, 11, 12], [10, 11, 12]]), np.array([[13.0, 14, 15], [11.5, 14, 15]])
    assert apart(quiet, busy, counterparts={}) == {0}
    assert apart(quiet[:, :2], busy[:, :2], counterparts={}) == {0, 1}  # too few to tell


def test_own_code_is_named_first_and_not_against_the_cpu_time() -> None:
    report = report_of_fastapi()
    found = report.causes[0]
    nameless = found.model_copy(update={"metric": "perf:cpu_ns", "own": None, "exact": False})
    said = [c for c in conclude(report.model_copy(update={"causes": (nameless, found)})) if c.rule == "functions"]
    assert [c.text.partition(":")[0] for c in said] == ["Why orjson costs less than json"]
    assert said[0].certainty == "measured"
    dearer = nameless.model_copy(update={"gap": -found.gap, "own": 0})
    said = [c for c in conclude(report.model_copy(update={"causes": (dearer,)})) if c.rule == "functions"]
    assert said == []


def test_bytes_that_hardly_differ_explain_nothing() -> None:
    plain = parse_file(GO / "shop.pb.gz")
    assert compare_profiles([("plain", plain, 1000), ("again", plain, 1001)]).causes == ()


def test_the_first_cause_of_a_comparison_names_function_file_line_and_caller() -> None:
    """FastAPI 0.1xx on uvicorn, CPython 3.13: JSONResponse against one that uses orjson, counted by callgrind."""
    report = report_of_fastapi()
    first = max((c for c in conclude(report) if c.kind == "cause"), key=lambda c: c.weight)
    assert first.text.startswith(
        "Why orjson costs less than json: only in json “items” (fastapi/app.py:17), through “JSONResponse.render” "
        "(starlette/responses.py:199), calls “dumps” (json/__init__.py:183), once per request."
    )
    assert "This saves 660,210 instructions per request, 112 % of the difference" in first.text
    assert "“JSONEncoder.iterencode” (json/encoder.py:205)" in first.text


def test_every_figure_of_the_sentence_is_where_its_path_leads() -> None:
    report = report_of_fastapi()
    document = json.loads(report.model_dump_json(by_alias=True))
    rows = [row for c in conclude(report) if c.rule == "functions" for row in c.rows]
    assert rows
    assert all(resolve(document, row.path) == row.value for row in rows)


def test_no_cause_is_told_where_the_totals_do_not_differ() -> None:
    report = report_of_fastapi()
    undecided = tuple(
        v.model_copy(
            update={
                "against_baseline": {
                    k: c.model_copy(update={"verdict": "cannot tell"}) for k, c in v.against_baseline.items()
                }
            }
        )
        for v in report.variants
    )
    said = conclude(report.model_copy(update={"variants": undecided}))
    assert not [c for c in said if c.rule == "functions"]
