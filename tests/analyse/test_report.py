"""build_report: every field filled from real captures, the same for any order of runs, honest about what is missing."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from profpipe.analyse import RunData, build_report
from profpipe.model.build import Builder
from profpipe.model.profile import PYTHON, Meta
from profpipe.model.report import Flame, Report
from profpipe.units import SAMPLES
from tests.support.analyse_cases import SERVERS, callgrind, clean_run, concurrency, load, native, pyspy, record, study
from tests.support.paths import SAMPLE_REPORT

UNCOUNTED = "no trustworthy count of served requests"


@pytest.fixture(scope="module")
def report() -> Report:
    return build_report(concurrency())


def as_json(report: Report) -> str:
    return json.dumps(report.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=1) + "\n"


def test_the_sample_report_is_what_the_code_writes(report: Report, request: pytest.FixtureRequest) -> None:
    text = as_json(report)
    if request.config.getoption("--bless"):
        SAMPLE_REPORT.write_text(text)
    assert text == SAMPLE_REPORT.read_text(), "the sample report changed: run pytest --bless and review it"
    assert Report.model_validate_json(text) == report


@pytest.mark.slow
def test_the_order_of_runs_leaves_no_trace(report: Report) -> None:
    data = concurrency()
    for seed in range(2):
        runs = list(data.runs)
        random.Random(seed).shuffle(runs)
        assert as_json(build_report(replace(data, runs=tuple(runs)))) == as_json(report)


def test_variants_are_in_the_studys_order_with_the_control_last(report: Report) -> None:
    assert [(v.id, v.role) for v in report.variants] == [
        ("threads", "baseline"),
        ("asyncio", "contender"),
        ("gevent", "contender"),
        ("uvloop", "contender"),
        ("threads+control", "control"),
    ]
    assert report.variants[0].label == SERVERS["threads"][0]
    assert report.variants[0].against_baseline == {}


def test_clean_figures_are_per_request() -> None:
    runs = [clean_run(v, i, 10.0, 0.25, 1.5) for v in "ab" for i in (1, 2)]
    figures = build_report(study(runs)).variants[0].figures
    assert {key: s.median for key, s in figures.items()} == {
        "clean:cpu_us": 10.0,
        "clean:kernel_share": 0.25,
        "clean:switches": 1.51,
        "clean:rss": 22e6,
        "clean:throughput": 62500.0,
        "clean:p50_us": 189.0,
        "clean:p99_us": 238.0,
    }


def test_what_the_system_does_not_say_is_unknown_with_a_reason() -> None:
    runs = []
    for variant in "ab":
        run = clean_run(variant, 1, 10.0, 0.25, 1.5)
        assert run.record.usage is not None
        bare = replace(run.record.usage, user_s=None, system_s=None) if variant == "b" else run.record.usage
        runs.append(RunData(replace(run.record, usage=bare)))
    found = build_report(study(runs)).variants[1]
    assert found.figures["clean:kernel_share"].median is None
    assert found.figures["clean:kernel_share"].why == "not reported by this system"
    assert found.figures["clean:cpu_us"].median == 10.0


def test_a_window_of_a_few_clock_ticks_cannot_tell_user_from_kernel_time() -> None:
    """0.1 s a round is 10 ticks: too few alone, and 30 over three rounds give a share with a wide interval."""

    def short(variant: str, number: int, system: float) -> RunData:
        run = clean_run(variant, number, 10.0, 0.25, 1.5)
        assert run.record.usage is not None
        return RunData(replace(run.record, usage=replace(run.record.usage, user_s=0.1 - system, system_s=system)))

    ticks = {1: 0.02, 2: 0.05, 3: 0.02}
    found = build_report(study([short(v, i, s) for v in "ab" for i, s in ticks.items()])).variants[0].figures
    share = found["clean:kernel_share"]
    assert (share.median, share.values) == (0.3, ())
    assert share.low == pytest.approx(0.136, abs=1e-3)
    one = build_report(study([short(v, 1, 0.02) for v in "ab"])).variants[0].figures["clean:kernel_share"]
    assert one.median is None
    assert one.why == "the window was under 20 clock ticks long: too few to tell user from kernel time"


def test_rates_come_from_the_closed_loop_after_the_window_where_there_is_one() -> None:
    runs = [clean_run(v, i, 10.0, 0.25, 1.5) for v in "ab" for i in (1, 2, 3)]
    with_loop = [
        RunData(
            replace(r.record, throughput=load(90_000, 1.0 + 0.1 * r.record.round)) if r.record.round < 3 else r.record
        )
        for r in runs
    ]
    found = build_report(study(with_loop)).variants[0]
    assert found.figures["clean:throughput"].values == (pytest.approx(90_000 / 1.1), pytest.approx(90_000 / 1.2))
    alone = build_report(study(runs)).variants[0].figures["clean:throughput"]
    assert len(alone.values) == 3


def test_latency_needs_a_fixed_rate() -> None:
    runs = [clean_run(v, 1, 10.0, 0.25, 1.5) for v in "ab"]
    found = build_report(study(runs)).variants[0].figures
    assert found["clean:p50_us"].median == pytest.approx(189, rel=0.01)
    closed = [RunData(replace(r.record, latency=None)) for r in runs]
    unknown = build_report(study(closed)).variants[0].figures["clean:p99_us"]
    assert unknown.median is None
    assert unknown.why is not None
    assert "closed loop" in unknown.why
    wrk = [
        RunData(replace(r.record, latency=replace(r.record.latency or load(1), correction="wrk-corrected")))
        for r in runs
    ]
    assert "wrk adds samples" in (build_report(study(wrk)).variants[0].figures["clean:p50_us"].why or "")


def test_throughput_under_an_instrument_is_separate_from_the_variants_own(report: Report) -> None:
    found = report.variants[0]
    assert set(found.disturbance) == {"callgrind", "yappi", "py-spy"}
    assert found.disturbance["callgrind"].median == 2000
    assert found.figures["clean:throughput"].median is not None
    assert found.figures["clean:throughput"].median > 50_000


def test_the_classic_list_is_raw_counts_with_the_uncovered_rest(report: Report) -> None:
    """One run alone: the rows callgrind_annotate prints first, one per function instead of per file."""
    runs = [RunData(record(s, "callgrind", 1), (callgrind(s),)) for s in ("asyncio", "threads")]
    found = build_report(study(runs)).classic[1]
    assert found.total == callgrind("threads").declared["instructions"] == 48_170_282
    assert len(found.rows) == 15
    assert found.rows[0].place == "ceval.c:_PyEval_EvalFrameDefault"
    assert found.rows[0].value == 10_108_535
    assert sum(r.value for r in found.rows) + found.rest == found.total
    assert found.rest_functions > 500
    assert len(report.classic) == 4


def nodes(flame: Flame) -> dict[tuple[str, ...], float]:
    """Path -> own, by the rule the page draws with: preorder and depth."""
    out: dict[tuple[str, ...], float] = {}
    path: list[str] = []
    for function, depth, own in zip(flame.function, flame.depth, flame.own, strict=True):
        del path[depth:]
        path.append(flame.names[function])
        out[tuple(path)] = own
    return out


def test_a_flame_graph_pools_the_rounds_per_request() -> None:
    def profile(many: int) -> RunData:
        builder = Builder("sampled", (SAMPLES,))
        frames = [builder.frame(builder.function(n, "/a.py", runtime=PYTHON)) for n in ("main", "parse", "write")]
        root = builder.stack(-1, frames[0])
        builder.sample(root, (1,))
        builder.sample(builder.stack(root, frames[1]), (many,))
        builder.sample(builder.stack(builder.stack(root, frames[2]), frames[1]), (2,))
        return RunData(record("a", "py-spy", many, load=load(10)), (builder.freeze(Meta(format="folded")),))

    found = build_report(study([profile(3), profile(7), RunData(replace(profile(9).record, variant="b"))])).flames
    assert len(found) == 1
    assert nodes(found[0]) == {
        ("main",): 0.1,
        ("main", "parse"): 0.5,
        ("main", "write"): 0.0,
        ("main", "write", "parse"): 0.2,
    }


def test_a_real_flame_graph_holds_every_sample(report: Report) -> None:
    flame = next(f for f in report.flames if f.variant == "asyncio")
    samples = pyspy("asyncio").self_sum("samples")
    assert sum(flame.own) == pytest.approx(samples / 2000, rel=1e-3)
    assert flame.depth[0] == 0
    assert all(b <= a + 1 for a, b in zip(flame.depth, flame.depth[1:], strict=False))


def test_a_flame_graph_too_large_folds_its_smallest_boxes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profpipe.analyse.tables.flame_graph.MAX_NODES", 40)
    runs = [RunData(record(v, "py-spy", 1), (pyspy(v),)) for v in ("asyncio", "threads")]
    found = build_report(study(runs))
    flame = next(f for f in found.flames if f.variant == "asyncio")
    assert len(flame.own) == 40
    assert sum(flame.own) == pytest.approx(pyspy("asyncio").self_sum("samples") / 2000, rel=1e-3)
    assert any("folded into the box below them" in item.text for item in found.limits)


def test_a_call_graph_has_no_flame_graph(report: Report) -> None:
    assert {f.metric for f in report.flames} == {"py-spy:samples"}


def test_runs_are_listed_with_what_disturbed_them() -> None:
    runs = [clean_run("a", 1, 10, 0.3, 1, foreign=0.04), clean_run("b", 1, 10, 0.3, 1, control=False)]
    found = build_report(study(runs)).runs
    assert [(r.variant, r.foreign_cpu, r.served) for r in found] == [("a", 0.04, 40_000), ("b", 0.0, 40_000)]


def test_failed_runs_are_listed_with_phase_and_log() -> None:
    good = clean_run("a", 1, 10, 0.3, 1)
    bad = RunData(record("b", "clean", 1, reason="never ready", phase="ready", log_tail=("Address in use",)))
    found = build_report(study([good, bad])).invalid
    assert [(i.variant, i.phase, i.reason, i.log_tail) for i in found] == [
        ("b", "ready", "never ready", ("Address in use",))
    ]


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (RunData(record("b", "callgrind", 1)), "no profile was read from this run"),
        (
            RunData(record("b", "callgrind", 1, load=load(0)), (native({"f": 1}),)),
            "no trustworthy count of served requests",
        ),
        (
            RunData(record("b", "callgrind", 1, load=None), (native({"f": 1}),)),
            "no trustworthy count of served requests",
        ),
        (RunData(record("b", "callgrind", 1), (native({"f": 0}),)), "the profile is empty: its total is 0"),
    ],
)
def test_a_profile_that_is_no_sample_is_invalid_and_not_0(run: RunData, reason: str) -> None:
    found = build_report(study([RunData(record("a", "callgrind", 1), (native({"f": 9000}),)), run]))
    assert [i.reason for i in found.invalid] == [reason]
    figure = found.variants[1].figures["callgrind:instructions"]
    assert (figure.median, figure.values, figure.why) == (None, (None,), reason)


def test_a_study_without_any_valid_run_still_gives_a_report() -> None:
    runs = [RunData(record(v, p, 1, reason="port taken", phase="start")) for v in "ab" for p in ("clean", "callgrind")]
    found = build_report(study(runs))
    assert found.hotspots == found.waterfall == found.flames == found.classic == ()
    assert len(found.invalid) == 4
    assert not any(v.valid for v in found.variants)
    assert Report.model_validate_json(as_json(found)) == found


def test_one_target_alone_is_a_report_of_hotspots() -> None:
    runs = [RunData(record("threads", "callgrind", i), (callgrind("threads"),)) for i in (1, 2)]
    found = build_report(study(runs))
    assert found.waterfall == ()
    assert found.hotspots[0].rows
    assert all(cell.verdict is None for row in found.hotspots[0].rows for cell in row.cells.values())


def test_categories_listed_are_those_that_occur(report: Report) -> None:
    used = {row.category for table in report.hotspots for row in table.rows}
    assert {c.key for c in report.categories} == used
    assert next(c for c in report.categories if c.key == "format").group == "response"


def test_no_machine_path_gets_into_a_report(report: Report) -> None:
    text = as_json(report)
    for path in ("/build/", "/opt/", "/srv/", "/usr/lib", "/home/", "/root/"):
        assert path not in text
