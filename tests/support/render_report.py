"""A report for the tests of render: totals of a real series, every split of them invented for the test.

The instructions per request of the variants and their order are measured ones; how they divide over categories,
functions, rounds and stacks is made up here and means nothing outside these tests.
"""

from __future__ import annotations

import copy
import random
from typing import Any

from profpipe.model.report import Report

VARIANTS = {
    "threads": ("threads, blocking sockets", 8095.0, 61.2, 2.6),
    "asyncio-protocol": ("asyncio, Protocol", 19176.0, 74.9, 2.6),
    "uvloop": ("uvloop, Protocol", 7109.0, 48.4, 2.8),
    "gevent": ("gevent, StreamServer", 27741.0, 97.7, 4.7),
    "asyncio-streams": ("asyncio, streams", 43011.0, 139.3, 3.2),
}
BASELINE = "threads"
CATEGORIES = {
    "interpreter": "interpreter loop",
    "lookup": "attribute and type lookup",
    "calls": "interpreter calls",
    "alloc": "memory allocation",
    "event-loop": "event loop",
    "futures": "futures and executor",
    "parse": "HTTP parse",
    "format": "string formatting",
    "syscalls": "syscalls and network",
    "switch": "context switch",
    "memcpy": "memcpy",
    "locks": "locks",
    "other": "without a category",
}
WEIGHTS = {
    "threads": (34, 10, 12, 8, 0, 0, 9, 7, 12, 0, 3, 4, 1),
    "asyncio-protocol": (38, 14, 13, 9, 9, 5, 4, 2, 3, 0, 1, 0.4, 1.6),
    "uvloop": (22, 8, 12, 8, 18, 0, 12, 6, 9, 0, 3, 0, 2),
    "gevent": (37, 16, 14, 10, 3, 0, 5, 4, 6, 0.2, 1.4, 1.4, 2),
    "asyncio-streams": (36, 17, 15, 9, 8, 8, 2, 1.5, 1.5, 0, 0.8, 0.2, 1),
}
FUNCTIONS = {
    "interpreter": (("_PyEval_EvalFrameDefault", 0.82), ("_PyFrame_Clear", 0.1), ("_PyEval_Vector", 0.08)),
    "lookup": (("_PyType_Lookup", 0.5), ("_PyObject_GenericGetAttrWithDict", 0.3), ("PyObject_GetAttr", 0.2)),
    "calls": (("vgetargs1_impl", 0.6), ("_PyObject_MakeTpCall", 0.4)),
    "alloc": (("_PyObject_Malloc", 0.45), ("_PyObject_Free", 0.4), ("malloc", 0.15)),
    "event-loop": (("uv__io_poll", 0.6), ("select_epoll_poll", 0.4)),
    "futures": (("future_init", 0.5), ("task_step_impl", 0.5)),
    "parse": (("llhttp__internal__run", 0.7), ("http_parser_execute", 0.3)),
    "format": (("PyUnicode_Format", 1.0),),
    "syscalls": (("sock_recv", 0.5), ("sock_sendall", 0.5)),
    "switch": (("slp_switch", 0.7), ("greenlet::Greenlet::g_switchstack()", 0.3)),
    "memcpy": (("memcpy", 1.0),),
    "locks": (("take_gil", 0.6), ("drop_gil", 0.4)),
}
ROUNDS = 7
COUNTED, SAMPLED, TRACED, CPU = "callgrind:instructions", "perf:cpu_ns", "yappi:calls", "clean:cpu_us"


def series(rng: random.Random, middle: float, cv: float, rounds: int = ROUNDS) -> dict[str, Any]:
    values = [middle * (1 + rng.gauss(0, cv)) for _ in range(rounds)]
    ordered = sorted(values)
    return {"values": values, "median": ordered[rounds // 2], "low": ordered[1], "high": ordered[-2], "cv": cv}


def compare(value: float, base: float, floor: float, *, higher: bool = False) -> dict[str, Any]:
    ratio = value / base
    verdict = "no change" if abs(ratio - 1) < floor else ("worse" if (ratio > 1) != higher else "better")
    return {
        "verdict": verdict,
        "ratio": ratio,
        "low": ratio * 0.99,
        "high": ratio * 1.01,
        "delta": value - base,
        "significant": verdict != "no change",
        "relevant": verdict != "no change",
        "floor": floor,
    }


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
        "throughput": compare(base_cpu, cpu, 0.02, higher=True),
    }
    latency = {"p50_us": series(rng, cpu * 3.1, 0.02), "p99_us": series(rng, cpu * 11, 0.08)}
    if key == "gevent":
        latency["p99_us"] = {"why": "the load tool was late itself: its own p99 lateness was 4.1 ms"}
    return {
        "id": key if role != "control" else f"{key}-control",
        "label": label if role != "control" else f"{label} (again)",
        "role": role,
        "command": ["python3", f"targets/python/{source}.py", "--port", "8080"],
        "language": "python",
        "figures": figures,
        "against_baseline": {} if role == "baseline" else against,
        "latency": latency,
        "throughput": series(rng, 620_000 / cpu, 0.012),
        "disturbance": {"callgrind": series(rng, 9_000 / cpu, 0.02, 5), "yappi": series(rng, 160_000 / cpu, 0.02, 5)},
        "notes": ["GIL on"] if key == "threads" else [],
    }


def cell(value: float, total: float, base: float | None, *, spread: float = 0.004) -> dict[str, Any]:
    known = base is not None and base > 0
    ratio = value / base if known and base else None
    verdict = None if ratio is None else ("no change" if abs(ratio - 1) < 0.05 else "worse" if ratio > 1 else "better")
    return {
        "self": value,
        "low": value * (1 - spread),
        "high": value * (1 + spread),
        "share": value / total,
        "total": value * 1.8,
        "calls": value / 90,
        "verdict": verdict,
        "ratio": ratio,
    }


def hotspots(metric: str, scale: float) -> dict[str, Any]:
    totals = {key: figures[1] * scale for key, figures in VARIANTS.items()}
    rows = []
    for index, category in enumerate(CATEGORIES):
        cost = {key: totals[key] * WEIGHTS[key][index] / 100 for key in VARIANTS}
        functions = []
        for name, part in FUNCTIONS.get(category, ()):
            cells = {
                key: cell(cost[key] * part, totals[key], cost[BASELINE] * part) for key in VARIANTS if cost[key] > 0
            }
            functions.append(
                {
                    "id": f"f-{abs(hash_of(name)):08x}",
                    "function": {"name": name, "file": "Python/ceval.c", "object": "libpython3.13.so.1.0"},
                    "cells": cells,
                    "callers": {key: [["_PyEval_EvalFrameDefault", 12.5], ["run_once", 3.0]] for key in cells},
                    "callees": {key: [["memcpy", 4.0]] for key in cells},
                }
            )
        cells = {key: cell(cost[key], totals[key], cost[BASELINE]) for key in VARIANTS}
        cells["gevent"]["total"], cells["gevent"]["total_why"] = None, "stack switches make totals false"
        rows.append({"category": category, "cells": cells, "functions": functions, "hidden": 3 * index})
    return {
        "metric": metric,
        "total": {key: {"values": [value] * 5, "median": value} for key, value in totals.items()},
        "categorised": {key: 1 - WEIGHTS[key][-1] / 100 for key in VARIANTS},
        "rows": rows,
    }


def hash_of(name: str) -> int:
    return sum((i + 1) * ord(c) for i, c in enumerate(name)) * 2654435761 % 2**32


def waterfall(metric: str, contender: str, scale: float) -> dict[str, Any]:
    base_total, total = VARIANTS[BASELINE][1] * scale, VARIANTS[contender][1] * scale
    gap = total - base_total
    bars = []
    for index, category in enumerate(CATEGORIES):
        before = base_total * WEIGHTS[BASELINE][index] / 100
        after = total * WEIGHTS[contender][index] / 100
        name = "unexplained" if category == "other" else category
        delta = after - before
        bars.append(
            {
                "category": name,
                "baseline": before,
                "contender": after,
                "delta": delta,
                "share_of_gap": delta / gap if gap else None,
                "verdict": "worse" if delta > 0.01 * base_total else "better" if delta < 0 else "no change",
            }
        )
    return {
        "metric": metric,
        "baseline": BASELINE,
        "contender": contender,
        "baseline_total": base_total,
        "contender_total": total,
        "gap": gap,
        "bars": bars,
    }


def flame(rng: random.Random, key: str, size: int = 400) -> dict[str, Any]:
    names = ["root", "_PyEval_EvalFrameDefault", "serve", "handle", "sock_recv", "sock_sendall", "run_once", "memcpy"]
    names += [f"layer_{i}" for i in range(30)]
    function, depth, own = [0], [0], [0.0]
    for _ in range(size):
        depth.append(min(rng.randint(1, depth[-1] + 1), 24))
        function.append(rng.randrange(1, len(names)))
        own.append(VARIANTS[key][1] / size * rng.expovariate(1.0))
    kinds = [1 if name.startswith(("_Py", "sock", "mem")) else 0 for name in names]
    return {
        "variant": key,
        "metric": TRACED,
        "names": names,
        "name_kind": kinds,
        "function": function,
        "depth": depth,
        "own": own,
    }


def classic(key: str) -> dict[str, Any]:
    total = round(VARIANTS[key][1] * 2000)
    rows = []
    for (name, part), share in zip(FUNCTIONS["interpreter"] + FUNCTIONS["lookup"], (30, 9, 7, 5, 3, 2), strict=True):
        value = round(total * share * part / 100)
        rows.append({"value": value, "share": value / total, "place": f"ceval.c:{name}"})
    rest = total - sum(row["value"] for row in rows)
    return {
        "variant": key,
        "metric": COUNTED,
        "total": total,
        "rows": rows,
        "rest": rest,
        "rest_functions": 412,
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
]
LIMITS = [
    ("callgrind", "counts user code only; the kernel's share of the work is not in this table"),
    ("callgrind", "totals are false where stacks are switched; self is right"),
    ("yappi", "its shares are diluted by the cost of tracing itself and are not ranked"),
    ("perf", "not permitted here"),
]


def runs(rng: random.Random) -> list[dict[str, Any]]:
    found = []
    for order, (round_, key) in enumerate((r, k) for r in range(1, 4) for k in VARIANTS):
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
        "schema": "profpipe.report/1",
        "profpipe": "0.1.0",
        "created": "2026-11-23T21:40:00+00:00",
        "study": {
            "id": "concurrency",
            "question": "Which way of serving many connections costs least per request?",
            "baseline": BASELINE,
            "contenders": contenders,
            "left_out": [["granian", "module granian is missing: pip install granian"]],
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
