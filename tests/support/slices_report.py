"""The sample report as slices measure it: CPU time is of starts, every figure of them invented for the test."""

from __future__ import annotations

import random
from typing import Any

from profpipe.model.report import Report
from tests.support.sample_report import document
from tests.support.sample_tables import BASELINE, CPU, VARIANTS

STARTS = 24
SPREAD = {"threads": 0.01, "asyncio-protocol": 0.1}
SLICES: dict[str, Any] = {
    "seed": 7,
    "requests": 240,
    "lead": 80,
    "length": "slices of 240 requests, 80 before them left out (the first 40 cost 38 % more)",
    "passes": 40,
    "connections": 20,
    "control": f"{BASELINE}, again",
    "resolution": 0.01,
    "budget_s": 60.0,
    "rule": "looks fixed beforehand after 8, 11, 15, 21, 24 starts, each contender at 0.050 %",
    "planned": [8, 11, 15, 21, 24],
    "alpha": 0.005,
    "contenders": 4,
    "stopped": "every contender is decided or known within the resolution after 24 starts",
    "left_out": [],
    "starts": STARTS,
    "lost": [
        {
            "start": 3,
            "variant": "gevent",
            "phase": "slices",
            "reason": "it ended with signal SIGSEGV under load",
            "log_tail": ["Fatal Python error: Segmentation fault"],
        }
    ],
    "fixed_layouts": True,
    "starts_per_minute": 23.5,
    "load_share": 0.68,
}


def of_starts() -> dict[str, Any]:
    """The report as a JSON document; gevent costs what threads cost."""
    rng, found = random.Random(11), document()
    found["study"]["slices"] = {**SLICES, "lost": [dict(lost) for lost in SLICES["lost"]]}
    base = VARIANTS[BASELINE][2]
    for variant in found["variants"]:
        source = BASELINE if variant["role"] == "control" else variant["id"]
        variant["label"] = f"{source} (again)" if variant["role"] == "control" else source
        same = source in (BASELINE, "gevent")
        cost = base if same else VARIANTS[source][2]
        cv = SPREAD.get(source, 0.02)
        values = [round(cost * rng.gauss(1, cv), 3) for _ in range(STARTS)]
        middle = sorted(values)[STARTS // 2]
        variant["figures"][CPU] = {"values": values, "median": middle, "low": middle * 0.99, "high": middle * 1.01}
        variant["lottery"] = {CPU: {"low": min(values), "high": max(values), "within": 0.006, "between": cv}}
        variant["idle_cpu"] = 0.0004
        if variant["role"] != "baseline":
            ratio = 1.0008 if same else cost / base
            verdict = "no change" if same else "worse" if ratio > 1 else "better"
            variant["against_baseline"][CPU] = {
                "verdict": verdict,
                "ratio": ratio,
                "low": ratio * 0.996,
                "high": ratio * 1.004,
                "delta": base * (ratio - 1),
                "significant": not same,
                "relevant": not same,
                "detectable": 0.009,
                "p": 0.6 if same else 1e-9,
                "why": f"over {STARTS} starts",
                "paired": True,
            }
    return found


def sample_of_starts() -> Report:
    return Report.model_validate(of_starts())
