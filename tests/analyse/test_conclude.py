"""Conclusions: the sentences of the published study, of real captures, and silence where the data are damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from profpipe.analyse import RunData, StudyData, build_report
from profpipe.analyse.conclusions.conclude import conclude, resolve
from profpipe.analyse.conclusions.rules.layers import extra_calls
from profpipe.errors import ReportError
from profpipe.model.build import Builder
from profpipe.model.profile import Meta, Profile
from profpipe.model.report import Conclusion, LeftOut, Report
from profpipe.units import INSTRUCTIONS, SYSCALLS
from tests.support.analyse_cases import clean_run, concurrency, load, native, record, study
from tests.support.paths import SAMPLE_REPORT

# A name of each category, and instructions per request of two servers of the published study: 12,254 and 7,543.
# The parts are its shares of them; what it does not name is put under a name no rule knows, outside the program.
PUBLISHED = {
    "core::fmt::write": (3799, 475),
    "<std::io::buffered::bufwriter::BufWriter<W> as std::io::Write>::write": (2451, 0),
    "time::display::parse_type": (490, 115),
    "httparse::Request::parse": (2451, 2187),
    "_int_malloc": (1470, 634),
    "__memcpy_avx_unaligned": (613, 362),
    "__memset_avx2_unaligned": (0, 656),
    "<futures::future::map_err::MapErr<A,F> as futures::future::Future>::poll": (0, 679),
    "tokio_core::reactor::Core::poll": (57, 618),
    "recv": (319, 250),
    "swap_registers": (25, 0),
    "a_function_no_rule_knows": (579, 1567),
}


def seed(rounds: int = 3) -> StudyData:
    runs = []
    for side, name in enumerate(("hyper010-may", "hyper011-future")):
        profile = native({k: v[side] * 2000 for k, v in PUBLISHED.items()}, "", f"/srv/{name}")
        facts = {"command": (f"/srv/{name}-server",)}
        runs += [RunData(record(name, "callgrind", i, **facts), (profile,)) for i in range(1, rounds + 1)]
    names = {"hyper010-may": "native", "hyper011-future": "native"}
    return study(runs, variants=("hyper011-future", "hyper010-may"), languages=names, labels={})


def texts(report: Report) -> dict[str, str]:
    return {c.id: c.text for c in report.conclusions}


def kinds(report: Report) -> dict[str, list[Conclusion]]:
    found: dict[str, list[Conclusion]] = {}
    for c in report.conclusions:
        found.setdefault(c.kind, []).append(c)
    return found


def test_the_published_conclusion_comes_out_of_its_numbers() -> None:
    found = texts(build_report(seed()))
    assert sum(v[0] for v in PUBLISHED.values()) == 12254
    assert sum(v[1] for v in PUBLISHED.values()) == 7543
    assert found["cost:hyper010-may:callgrind:instructions"] == (
        "hyper010-may spends 12,254 instructions per request, hyper011-future 7,543 (1.62×)."
    )
    assert found["gap:hyper010-may:callgrind:instructions"] == (
        "String formatting, buffered writes and date/time explain 131 % of the 4,711 instructions per request that "
        "hyper010-may spends more than hyper011-future; futures/executor and event loop give 26 % back."
    )
    assert found["user-switches:hyper010-may"] == (
        "Switching coroutines is not the cause: context switches are 0.5 % of the gap between hyper010-may and "
        "hyper011-future (25 of 4,711 instructions per request)."
    )


@pytest.fixture(scope="module")
def report() -> Report:
    return build_report(concurrency())


def test_all_sentences_of_the_concurrency_study(report: Report, golden: Callable[[str, str], None]) -> None:
    lines = [f"[{c.kind}, {c.certainty}] {c.id}\n{c.text}\n" for c in report.conclusions]
    golden("analyse-conclusions.txt", "\n".join(lines))


def test_no_part_of_the_extra_calls_is_more_than_all_of_them() -> None:
    assert extra_calls(120, 150) == "120 of the 150 extra calls per request are"
    assert extra_calls(266, 150) == "266 extra calls per request, where the other layers make 116 fewer, are"


def test_the_true_reason_is_named_and_the_false_one_ruled_out(report: Report) -> None:
    """Python layers around the handler cost it, not switching: on real captures."""
    found = texts(report)
    assert (
        "pure-Python layers: the event loop (asyncio/base_events.py and asyncio/selector_events.py)"
        in found["reason:asyncio"]
    )
    assert "the stream layer (asyncio/streams.py)" in found["reason:asyncio"]
    assert "the stream layer (asyncio/streams.py)" in found["reason:uvloop"]
    assert "event loop" not in found["reason:uvloop"]
    assert found["kernel-switches"].startswith("Switching threads is not the cause")
    assert found["user-switches:gevent"].startswith("Switching coroutines is not the cause")
    assert {c.certainty for c in report.conclusions if c.rule == "reason"} == {"likely"}


def test_conclusions_are_recomputed_from_report_json_alone() -> None:
    stored = Report.model_validate_json(SAMPLE_REPORT.read_bytes())
    assert stored.conclusions
    assert conclude(stored.model_copy(update={"conclusions": ()})) == stored.conclusions


def test_every_conclusion_rests_on_rows_that_are_there_and_say_so(report: Report) -> None:
    document = json.loads(json.dumps(report.model_dump(mode="json", by_alias=True)))
    for c in report.conclusions:
        assert c.rows, c.id
        for row in c.rows:
            assert resolve(document, row.path) == row.value, (c.id, row.path)


def test_ids_are_unique_and_the_heaviest_comes_first(report: Report) -> None:
    ids = [c.id for c in report.conclusions]
    assert len(ids) == len(set(ids))
    weights = [c.weight for c in report.conclusions]
    assert weights == sorted(weights, reverse=True)
    assert report.conclusions[0].kind == "verdict"


def test_a_path_may_hold_a_key_with_dots() -> None:
    document = {"cells": {"hyper-0.10": {"self": 3}, "hyper": {"x": 1}}, "rows": [{"a": 5}]}
    assert resolve(document, "cells.hyper-0.10.self") == 3
    assert resolve(document, "rows.0.a") == 5
    for wrong in ("rows.1.a", "rows.x", "cells.none", "rows.0.a.b"):
        with pytest.raises(ReportError, match="has nothing at"):
            resolve(document, wrong)


# ------------------------------------------------------------------------------------------ damaged and doubtful data


def pair(factor: float = 1.5, rounds: int = 7, **more: object) -> list[RunData]:
    """Two servers, clean runs only; b costs `factor` times a."""
    runs = []
    for i in range(1, rounds + 1):
        runs.append(clean_run("a", i, 10 + i * 0.01, 0.3, 1.0))
        runs.append(clean_run("b", i, (10 + i * 0.01) * factor, 0.3, 1.0, **more))
    return runs


def broken(run: RunData, reason: str = "the server died under load") -> RunData:
    return RunData(replace(run.record, reason=reason, phase="load"))


def test_nothing_is_called_dearer_from_rounds_that_failed() -> None:
    """b crashed in 4 of 7 rounds: its other rounds are there to see, and no verdict or cause is built on them."""
    runs = [broken(r) if r.record.variant == "b" and r.record.round > 3 else r for r in pair()]
    found = build_report(study(runs, labels={}))
    assert found.variants[1].against_baseline["clean:cpu_us"].verdict == "cannot tell"
    sentences = texts(found)
    assert "is undecided: the contender has no valid run in 4 of 7 rounds" in sentences["cost:b:clean:cpu_us"]
    assert (
        "4 clean runs of b are invalid and counted nowhere (load: the server died under load)"
        in sentences["lost:b:clean"]
    )
    assert set(kinds(found)) == {"verdict", "caution"}
    assert [c.certainty for c in kinds(found)["verdict"]] == ["hint"]


def test_a_partial_capture_is_no_sample() -> None:
    data = seed(rounds=1)
    cut = [
        RunData(r.record, (replace(r.profiles[0], meta=replace(r.profiles[0].meta, partial="cut at line 9")),))
        if r.record.variant == "hyper010-may"
        else r
        for r in data.runs
    ]
    found = build_report(replace(data, runs=tuple(cut)))
    assert not any(c.rule in ("gap", "user-switches") for c in found.conclusions)
    assert found.variants[1].figures["callgrind:instructions"].median is None
    assert found.invalid[0].reason == "the capture is partial: cut at line 9"
    assert found.waterfall == ()
    assert found.classic[0].variant == "hyper011-future"


def test_a_variant_that_never_ran_is_named_and_compared_with_nothing() -> None:
    runs = [broken(r, "command not found") if r.record.variant == "b" else r for r in pair()]
    left_out = (LeftOut(target="c", reason="gevent is not installed: pip install gevent"),)
    found = build_report(study(runs, labels={}, left_out=left_out))
    assert not found.variants[1].valid
    assert found.variants[1].why == "command not found"
    assert texts(found)["left-out:c"] == "c was left out: gevent is not installed: pip install gevent."
    assert {c.verdict for c in found.variants[1].against_baseline.values()} == {"cannot tell"}


def test_a_broken_baseline_gives_no_verdict_at_all() -> None:
    runs = [broken(r) if r.record.variant == "a" else r for r in pair()]
    found = build_report(study(runs, labels={}))
    assert {c.kind for c in found.conclusions} <= {"verdict", "caution"}
    assert all("undecided" in c.text for c in found.conclusions if c.kind == "verdict")


def test_the_same_server_twice_costs_the_same() -> None:
    found = texts(build_report(study(pair(1.0), labels={})))
    assert found["cost:b:clean:cpu_us"].startswith("b and a cost the same within 2.2 %")


def test_a_control_that_differs_from_itself_is_the_first_caution() -> None:
    runs = [*pair(1.06), *(clean_run("a", i, 10.5 + i * 0.01, 0.3, 1.0, control=True) for i in range(1, 8))]
    found = build_report(study(runs, labels={}))
    assert found.control.figures["clean:cpu_us"].verdict == "worse"
    assert texts(found)["control:clean:cpu_us"].startswith("Noise: a measured against itself differs by 5.0 % in CPU")
    assert kinds(found)["caution"][0].rule == "control"
    assert found.variants[1].against_baseline["clean:cpu_us"].verdict == "worse"
    less = build_report(study([*pair(1.04), *(r for r in runs if r.record.control)], labels={}))
    assert less.variants[1].against_baseline["clean:cpu_us"].verdict == "cannot tell"


@pytest.mark.parametrize(
    ("profiler", "words"),
    [("yappi", "makes 56.5 calls per request, threads 14.0 (4.03×)"), ("py-spy", "which is more is undecided")],
)
def test_one_instrument_alone_gives_a_verdict(profiler: str, words: str) -> None:
    data = concurrency(("threads", "asyncio"), rounds=0, counted=0)
    found = build_report(replace(data, runs=tuple(r for r in data.runs if r.record.profiler == profiler)))
    (verdict,) = kinds(found)["verdict"]
    assert words in verdict.text


def test_rounds_shared_with_others_are_pointed_out() -> None:
    found = texts(build_report(study(pair(foreign=0.06), labels={})))
    assert found["foreign"] == (
        "7 of 14 runs shared the machine: others used more than 2 % of a processor (worst 6 %, clean round 1)."
    )


def test_a_server_that_still_compiles_is_pointed_out_and_a_warm_one_is_not() -> None:
    found = texts(build_report(study(pair(compiler=0.34), labels={})))
    assert found["compiling:b"] == (
        "b was still compiling: up to 34 % of its CPU time (clean round 1) is the just-in-time compiler. A longer "
        "`load.warmup` shows the code as it stays."
    )
    assert "compiling:b" not in texts(build_report(study(pair(compiler=0.04), labels={})))


def test_a_server_that_replaces_its_processes_is_pointed_out() -> None:
    found = texts(build_report(study(pair(ended=3), labels={})))
    assert found["replaced:b"] == (
        "3 of its processes ended while b was measured (clean round 1): what others need to start in their place is in "
        "its cost per request. For the cost of requests alone, set no limit of requests for a process (--max-requests, "
        "--limit-max-requests), or see in the server's log why one died."
    )
    assert "replaced:b" not in texts(build_report(study(pair(), labels={})))


def test_a_rate_the_load_doubts_is_not_shown() -> None:
    doubt = "the load generator used 98 % of its processor: it was the bottleneck"
    runs = [
        RunData(replace(r.record, load=replace(r.record.load or load(1), doubts=(doubt,), doubted=("rate",))))
        if r.record.variant == "b"
        else r
        for r in pair()
    ]
    found = build_report(study(runs, labels={}))
    assert found.variants[1].figures["clean:throughput"].median is None
    assert texts(found)["load-bound:1"] == f"No requests/s for b: {doubt}."
    assert found.variants[1].notes == (doubt,)


def test_instruments_that_disagree_on_the_direction_are_pointed_out() -> None:
    """b executes twice the instructions and costs less CPU: then no Python layer is called the reason."""
    runs = pair(0.7)
    for v, n in (("a", 2000), ("b", 4000)):
        runs += [RunData(record(v, "callgrind", i), (native({"_PyEval_Vector": n * 1000}),)) for i in (1, 2)]
    found = build_report(study(runs, labels={}))
    assert texts(found)["disagree"].startswith("The instruments disagree on which costs more, against a: b 2.00× by")
    assert not any(c.rule == "reason" for c in found.conclusions)


def test_the_kernel_is_a_cause_where_the_gap_is_in_it_and_ruled_out_where_not() -> None:
    def with_kernel(share: float) -> dict[str, str]:
        runs = [clean_run("a", i, 10 + i * 0.01, 0.5, 1.0) for i in range(1, 8)]
        runs += [clean_run("b", i, 20 + i * 0.01, share, 1.0) for i in range(1, 8)]
        return texts(build_report(study(runs, labels={})))

    assert with_kernel(0.26)["kernel-part:b"].startswith("The kernel is not the cause: 1.9 % of the CPU gap")
    assert with_kernel(0.6)["kernel-part:b"].startswith(
        "b costs more CPU than a in the kernel: 70 % of the gap is there (about 7.00 µs of"
    )
    assert with_kernel(0.1)["kernel-part:b"] == (
        "The kernel is not the cause: b costs 10 µs more CPU per request than a, and spends about 3.02 µs less in it."
    )
    assert with_kernel(0.8)["kernel-part:b"].startswith(
        "b costs more CPU than a in the kernel: about 11.0 µs more per request there, and 1.01 µs less outside it"
    )
    assert "kernel-part:b" not in with_kernel(0.35)


def asking(calls: dict[str, int]) -> Profile:
    """A counted profile in which each function makes so many system calls in 2,000 requests."""
    builder = Builder("counted", (INSTRUCTIONS, SYSCALLS))
    for name, many in calls.items():
        builder.cost(builder.frame(builder.function(name)), (2000, many))
    return builder.freeze(Meta("callgrind"))


def test_system_calls_per_request() -> None:
    runs = []
    for variant, many in (("a", 2), ("b", 39)):
        runs += [RunData(record(variant, "callgrind", i), (asking({"recv": 2000 * many}),)) for i in (1, 2)]
    found = texts(build_report(study(runs, labels={})))
    assert found["syscalls:b:callgrind:syscalls"] == (
        "b makes 39 system calls per request, a 2: 37 more, most of the difference in recv."
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        # getsockopt rose, so it is no part of what is fewer.
        ({"fcntl": 5, "recv": 2, "getsockopt": 0}, {"fcntl": 3, "recv": 1, "getsockopt": 2},
         "1 fewer, most of the difference in fcntl."),
        # 4 of 10 are not most of them.
        ({"futex": 1, "recv": 2, "send": 1}, {"futex": 5, "recv": 5, "send": 4}, "10 more, 4 of them in futex."),
        ({"futex": 1, "recv": 2, "send": 1}, {"futex": 7, "recv": 5, "send": 2},
         "10 more, most of the difference in futex."),
    ],
)  # fmt: skip
def test_the_system_call_that_is_named_has_the_direction_and_the_part_that_the_sentence_gives_it(
    before: dict[str, int], after: dict[str, int], words: str
) -> None:
    made = {v: asking({n: 2000 * m for n, m in calls.items()}) for v, calls in (("a", before), ("b", after))}
    runs = [RunData(record(v, "callgrind", i), (p,)) for v, p in made.items() for i in (1, 2)]
    assert texts(build_report(study(runs, labels={})))["syscalls:b:callgrind:syscalls"].endswith(words)


def test_a_control_that_varies_too_much_is_pointed_out() -> None:
    wild = [10.0, 12.5, 9.0, 11.0, 13.0, 10.5, 8.5]
    runs = [*pair(), *(clean_run("a", i, v, 0.3, 1.0, control=True) for i, v in enumerate(wild, 1))]
    found = texts(build_report(study(runs, labels={})))
    assert found["control:clean:cpu_us"].startswith("Noise: a varies by 16.")
    # 3 x 16.7 % x 1.2533 / sqrt(7) = 23.8 %: half as much again is still called, beside it stands what would not be.
    assert "(1.50×; 95 % interval 1.50 to 1.50; detectable from 24.0 %)" in found["cost:b:clean:cpu_us"]


def test_code_no_rule_knows_is_pointed_out() -> None:
    rows = {"mystery": 4000, "malloc": 6000}
    runs = [RunData(record(v, "callgrind", 1), (native(rows),)) for v in "ab"]
    found = build_report(study(runs, labels={}))
    assert found.hotspots[0].categorised == {"a": 0.6, "b": 0.6}
    assert texts(found)["uncategorised:callgrind:instructions"].startswith("No category for 40 % of a and 40 % of b")


def test_a_contender_that_saves_is_shown_with_what_it_saves() -> None:
    data = seed()
    data = replace(data, record=replace(data.record, baseline="hyper010-may"))
    found = texts(build_report(data))
    assert found["gap:hyper011-future:callgrind:instructions"] == (
        "String formatting, buffered writes and date/time explain 131 % of the 4,711 instructions per request that "
        "hyper011-future saves against hyper010-may; futures/executor and event loop give 26 % back."
    )


def test_one_round_of_counts_calls_nothing_and_says_so() -> None:
    found = build_report(seed(rounds=1))
    comparison = found.variants[1].against_baseline["callgrind:instructions"]
    assert comparison.verdict == "cannot tell"
    assert comparison.why == "1 round a side; a difference can be shown from 2 on"
    assert not any(c.kind in ("cause", "not-the-cause") for c in found.conclusions)


def test_switching_is_not_ruled_out_where_others_switch_less_and_are_cheaper() -> None:
    """a switches most; b switches less and is dearer; c switches less and is cheaper, which forbids the sentence."""

    def sentence(with_c: bool) -> str:
        runs = [clean_run("a", i, 10 + i * 0.01, 0.5, 2.0) for i in range(1, 8)]
        runs += [clean_run("b", i, 20 + i * 0.01, 0.5, 0.2) for i in range(1, 8)]
        runs += [clean_run("c", i, 5 + i * 0.01, 0.5, 0.2) for i in range(1, 8)] if with_c else []
        found = texts(build_report(study(runs, labels={}, variants=("a", "b", "c") if with_c else ("a", "b"))))
        return found["kernel-switches"]

    assert sentence(False).startswith("Switching threads is not the cause: a switches 2.01 times per request")
    assert sentence(True).startswith("It is not for switching that b (0.21) costs more: a switches 2.01 times")
