"""Tables of the sample report: hotspots, waterfall, stacks. Every split of its totals is invented for the tests."""

from __future__ import annotations

import random
from typing import Any

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
        "detectable": floor,
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
