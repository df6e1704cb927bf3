"""A report for the tests of render: totals of a real series, every split of them invented for the test.

The instructions per request of the variants and their order are measured ones; how they divide over categories,
functions, rounds and stacks is made up here and means nothing outside these tests.
"""

from __future__ import annotations

import copy
import random
from typing import Any

from profpipe.model.report import Report
from tests.support.sample_tables import (
    BASELINE,
    CATEGORIES,
    COUNTED,
    CPU,
    ROUNDS,
    SAMPLED,
    TRACED,
    VARIANTS,
    classic,
    compare,
    flame,
    hotspots,
    series,
    waterfall,
)


def variant(rng: random.Random, key: str, role: str) -> dict[str, Any]:
    source = BASELINE if role == "control" else key
    label, instructions, cpu, syscalls = VARIANTS[source]
    _, base_instructions, base_cpu, base_syscalls = VARIANTS[BASELINE]
    figures = {
        CPU: series(rng, cpu, 0.008),
        COUNTED: series(rng, instructions, 0.0005, 5),
        "clean:syscalls": series(rng, syscalls, 0.002),
        "clean:kernel_share": series(rng, 0.71 if source == "threads" else 0.44, 0.01),
        "clean:switches": series(rng, 1.02 if source == "threads" else 0.07, 0.03),
        "clean:rss": series(rng, 18.2 * 2**20 + instructions * 90, 0.002),
        SAMPLED: {"why": "perf is not permitted here: kernel.perf_event_paranoid is 3"},
    }
    against = {
        CPU: compare(figures[CPU]["median"], base_cpu, 0.02),
        COUNTED: compare(instructions, base_instructions, 0.003),
        "clean:syscalls": compare(syscalls, base_syscalls, 0.02),
        "clean:throughput": compare(base_cpu, cpu, 0.02, higher=True),
    }
    figures |= {"clean:p50_us": series(rng, cpu * 3.1, 0.02), "clean:p99_us": series(rng, cpu * 11, 0.08)}
    if key == "gevent":
        figures["clean:p99_us"] = {"why": "the load tool was late itself: its own p99 lateness was 4.1 ms"}
    figures["clean:throughput"] = series(rng, 620_000 / cpu, 0.012)
    return {
        "id": key if role != "control" else f"{key}-control",
        "label": label if role != "control" else f"{label} (again)",
        "role": role,
        "command": ["python3", f"targets/python/{source}.py", "--port", "8080"],
        "language": "python",
        "figures": figures,
        "against_baseline": {} if role == "baseline" else against,
        "disturbance": {"callgrind": series(rng, 9_000 / cpu, 0.02, 5), "yappi": series(rng, 160_000 / cpu, 0.02, 5)},
        "notes": ["GIL on"] if key == "threads" else [],
    }


CONCLUSIONS = [
    {
        "id": "verdict",
        "rule": "verdict",
        "kind": "verdict",
        "certainty": "measured",
        "weight": 100,
        "text": "asyncio, streams spends 5.31× the instructions of threads per request (43,011 against 8,095); "
        "uvloop is the only variant that spends less (7,109).",
        "rows": [
            {"path": "variants[4].figures.callgrind:instructions.median", "value": 43011},
            {"path": "variants[0].figures.callgrind:instructions.median", "value": 8095},
        ],
    },
    {
        "id": "cause-interpreter-asyncio-streams",
        "rule": "cause",
        "kind": "cause",
        "certainty": "measured",
        "weight": 60,
        "text": "The interpreter loop explains 36.5 % of the gap of asyncio, streams (+12,732 per request).",
        "rows": [{"path": "waterfall[3].bars[0].delta", "value": 12732}],
    },
    {
        "id": "cause-futures",
        "rule": "cause",
        "kind": "cause",
        "certainty": "likely",
        "weight": 40,
        "text": "Futures and event loop together add 6,882 instructions per request to asyncio, streams.",
        "rows": [{"path": "waterfall[3].bars[4].delta", "value": 3441}],
    },
    {
        "id": "not-switch",
        "rule": "not-the-cause",
        "kind": "not-the-cause",
        "certainty": "measured",
        "weight": 30,
        "text": "Context switches are 0.2 % of what gevent spends: stack switching is not why it is slower.",
        "rows": [{"path": "hotspots[0].rows[9].cells.gevent.share", "value": 0.002}],
    },
    {
        "id": "caution-kernel",
        "rule": "caution",
        "kind": "caution",
        "certainty": "hint",
        "weight": 20,
        "text": "Instructions count user code only: 71 % of the processor time of threads is spent in the kernel.",
        "rows": [{"path": "variants[0].figures.clean:kernel_share.median", "value": 0.71}],
    },
]
METRICS = [
    (CPU, "CPU time per request", "us", "clean", "clean", False),
    (COUNTED, "instructions per request", "1", "counted", "callgrind", True),
    (SAMPLED, "CPU time, sampled per request", "ns", "sampled", "perf", False),
    (TRACED, "calls per request", "1", "traced", "yappi", True),
    ("clean:syscalls", "syscalls per request", "1", "clean", "clean", False),
    ("clean:kernel_share", "kernel share", "%", "clean", "clean", False),
    ("clean:switches", "context switches per request", "1", "clean", "clean", False),
    ("clean:rss", "peak memory", "B", "clean", "clean", False),
    ("clean:throughput", "throughput", "req/s", "clean", "clean", False),
    ("clean:p50_us", "p50 latency", "us", "clean", "clean", False),
    ("clean:p99_us", "p99 latency", "us", "clean", "clean", False),
]
LIMITS = [
    ("callgrind", "counts user code only; the kernel's share of the work is not in this table"),
    ("callgrind", "totals are false where stacks are switched; self is right"),
    ("yappi", "its shares are diluted by the cost of tracing itself and are not ranked"),
    ("perf", "not permitted here"),
]


def runs(rng: random.Random) -> list[dict[str, Any]]:
    found = []
    for order, (round_, key) in enumerate((r, k) for r in range(1, ROUNDS + 1) for k in VARIANTS):
        bad = key == "gevent" and round_ == 2
        found.append(
            {
                "variant": key,
                "profiler": "clean",
                "round": round_,
                "order": order + 1,
                "valid": not bad,
                "why": "served 3,412 of 4,000" if bad else None,
                "served": 3412 if bad else 4000,
                "seconds": 0.61,
                "rate": None if bad else 620_000 / VARIANTS[key][2],
                "foreign_cpu": abs(rng.gauss(0.004, 0.004)),
                "warnings": ["others used 3 % of the processor"] if order == 4 else [],
            }
        )
    return found


def document() -> dict[str, Any]:
    """The report as a JSON document: change what a test is about, then `Report.model_validate` it."""
    rng = random.Random(7)
    roles = {key: "baseline" if key == BASELINE else "contender" for key in VARIANTS}
    contenders = [key for key in VARIANTS if key != BASELINE]
    return {
        "schema": "profpipe.report/2",
        "profpipe": "0.1.0",
        "created": "2026-11-23T21:40:00+00:00",
        "study": {
            "id": "concurrency",
            "question": "Which way of serving many connections costs least per request?",
            "baseline": BASELINE,
            "contenders": contenders,
            "left_out": [{"target": "granian", "reason": "module granian is missing: pip install granian"}],
            "rounds": ROUNDS,
            "load": "h2load 1.52.0, 4,000 requests, 20 connections, after 300 to warm up",
            "placement": "server and load on processor 0",
            "command": "profpipe run concurrency",
        },
        "environment": {"kernel": "6.1.0-28-amd64", "processor": "2 cores", "python": "3.13.1", "valgrind": "3.19.0"},
        "variants": [variant(rng, key, roles[key]) for key in VARIANTS] + [variant(rng, BASELINE, "control")],
        "metrics": [
            dict(
                zip(("key", "label", "unit", "instrument", "profiler", "exact"), m, strict=True),
                ranked=m[3] != "traced",
                better="higher" if m[0] == "clean:throughput" else "lower",
            )
            for m in METRICS
        ],
        "categories": [{"key": key, "label": label} for key, label in CATEGORIES.items()],
        "hotspots": [hotspots(COUNTED, 1.0), hotspots(TRACED, 0.01)],
        "waterfall": [waterfall(metric, c, s) for metric, s in ((COUNTED, 1.0), (TRACED, 0.01)) for c in contenders],
        "conclusions": copy.deepcopy(CONCLUSIONS),
        "control": {"figures": {CPU: compare(61.4, 61.2, 0.02)}, "sd": {CPU: 0.006, COUNTED: 0.0004}},
        "invalid": [
            {
                "variant": "gevent",
                "profiler": "clean",
                "round": 2,
                "phase": "load",
                "reason": "served 3,412 of 4,000",
                "log_tail": ["Traceback (most recent call last):", "ConnectionResetError: [Errno 104]"],
            }
        ],
        "limits": [{"profiler": p, "text": t} for p, t in LIMITS],
        "classic": [classic(key) for key in VARIANTS],
        "flames": [flame(rng, key) for key in ("threads", "asyncio-protocol", "asyncio-streams")],
        "runs": runs(rng),
    }


def sample() -> Report:
    return Report.model_validate(document())
