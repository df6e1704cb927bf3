"""What the terminal shows: readable at 80 columns, without colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from profpipe.model.metric_keys import CPU
from profpipe.model.metric_labels import labels_apart
from profpipe.model.report import FunctionName, Report
from profpipe.render.terminal.hotspots import render_hotspots
from profpipe.render.terminal.report import render_verdict
from profpipe.units import CPU_NS, INSTRUCTIONS
from tests.support.sample_report import document, sample
from tests.support.terminal import printed


def test_the_verdict_at_eighty_columns(golden: Callable[[str, str], None]) -> None:
    text = printed(render_verdict(sample()))
    assert max(len(line) for line in text.splitlines()) <= 80
    golden("terminal-verdict.txt", text)


def test_long_headings_leave_room_for_the_names_and_cut_no_figure() -> None:
    data = document()
    for metric in data["metrics"]:
        metric["label"] = "kernel share of CPU time in the closed loop"
    text = printed(render_verdict(Report.model_validate(data)))
    table = text[text.index("variant") : text.index("unknown: ")] if "unknown: " in text else text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in table
    for variant in data["variants"][:2]:
        assert variant["label"].split()[0] in table


def test_two_figures_of_one_label_say_what_measured_them() -> None:
    report = sample()
    key = "perf:cpu_ns"
    cpu = next(metric for metric in report.metrics if metric.key == CPU)
    again = cpu.model_copy(update={"key": key, "instrument": "sampled", "profiler": "perf"})
    variants = tuple(
        v.model_copy(update={"figures": {CPU: v.figures[CPU], key: v.figures[CPU]}}) for v in report.variants
    )
    report = report.model_copy(update={"metrics": (cpu, again), "variants": variants})
    assert labels_apart(report.metrics) == {CPU: "CPU time per request", key: "CPU time per request (perf)"}
    assert printed(render_verdict(report)).count("(perf)") == 1


def test_without_a_verdict_it_says_so() -> None:
    data = document()
    data["conclusions"] = []
    text = printed(render_verdict(Report.model_validate(data)))
    assert text.startswith("No verdict: these runs do not support one.")


def test_an_invalid_variant_is_named() -> None:
    data = document()
    data["variants"][3] |= {"valid": False, "why": "never ready"}
    assert "not valid: never ready" in " ".join(printed(render_verdict(Report.model_validate(data))).split())


@dataclass(frozen=True)
class Row:
    function: FunctionName
    category: str
    self: dict[str, int]
    total: dict[str, int | None]
    calls: int | None


ROWS = [
    Row(
        FunctionName(name="<std::io::Adapter<T> as core::fmt::Write>::write_str", object="/srv/hyper"),
        "formatting",
        {"instructions": 70_276_542, "cpu_ns": 1_530_000},
        {"instructions": 90_000_000},
        2_227_488,
    ),
    Row(
        FunctionName(name="memcpy", file="memmove.S"),
        "memcpy",
        {"instructions": 64_212_448, "cpu_ns": 0},
        {"instructions": None},
        None,
    ),
    Row(FunctionName(name="main"), "other", {"instructions": 5_000, "cpu_ns": 1}, {"instructions": 789_000_000}, 1),
]


def test_the_hotspot_list(golden: Callable[[str, str], None]) -> None:
    totals = {"instructions": 789_632_899, "cpu_ns": 2_000_000}
    shown, hidden = ROWS[:2], (1, ROWS[2].self["instructions"])
    text = printed(render_hotspots(shown, [INSTRUCTIONS, CPU_NS], totals, hidden=hidden, title="callgrind.out.1"), 120)
    golden("terminal-hotspots.txt", text)
    assert "70,276,542" in text
    assert "8.9 %" in text
    assert "5,000 0.0 % in 1 more function" in text


def test_a_list_without_metrics_is_no_crash() -> None:
    assert printed(render_hotspots([], [], {})) == "This capture has no metric.\n"
