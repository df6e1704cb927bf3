"""Studies for the tests of analyse: real captures in several rounds, and profiles built by hand.

The captures are real (tests/data/analyse). They are one each, so rounds are made of them by
adding a few thousandths, and the clean runs are made up around CPU times measured on the same servers: a fixture for
shapes and sentences, not a measurement.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from profpipe.analyse import RunData, StudyData
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, Calls, Costs, Measured, Meta, Profile
from profpipe.model.report import Limit
from profpipe.model.run import Histogram, LoadResult, RunRecord, Usage
from profpipe.units import INSTRUCTIONS
from tests.support.paths import DATA
from tests.support.study_facts import study_data

# name -> (label, CPU us per request, share of it in the kernel, context switches per request)
SERVERS = {
    "threads": ("threads", 6.8, 0.53, 1.9),
    "asyncio": ("asyncio streams", 11.0, 0.34, 0.06),
    "gevent": ("gevent", 8.75, 0.41, 0.05),
    "uvloop": ("uvloop streams", 9.1, 0.38, 0.05),
}
# Requests that the yappi captures saw: calls of the function that parses one request.
YAPPI_REQUESTS = {"threads": 58824, "asyncio": 19926, "gevent": 41381, "uvloop": 36585}


@cache
def callgrind(server: str) -> Profile:
    from profpipe.parse.callgrind import parse

    with gzip.open(DATA / "callgrind" / f"{server}.out.gz") as raw:
        return parse(raw, f"{server}.out")  # type: ignore[arg-type]


@cache
def yappi(server: str) -> Profile:
    from profpipe.parse.pstats import parse

    with (DATA / "analyse" / f"yappi_cpugreenlet-{server}.pstats").open("rb") as raw:
        return parse(raw, f"{server}.pstats")


@cache
def pyspy(server: str) -> Profile:
    from profpipe.parse.folded import parse

    room = {"asyncio": "folded", "threads": "analyse"}[server]
    with (DATA / room / f"pyspy-{server}.raw.txt").open("rb") as raw:
        return parse(raw, f"{server}.raw.txt")


def scaled(profile: Profile, factor: float) -> Profile:
    """The same capture with every value a little larger or smaller: another round of it."""

    def of(values: Mapping[str, Any]) -> dict[str, Any]:
        return {k: np.rint(v * factor).astype(np.int64) for k, v in values.items()}

    costs = profile.costs and Costs(profile.costs.frame, of(profile.costs.values))
    calls = profile.calls and Calls(
        profile.calls.caller, profile.calls.callee, profile.calls.calls, of(profile.calls.values)
    )
    measured = profile.measured and Measured(
        profile.measured.frame, profile.measured.calls, of(profile.measured.values)
    )
    return replace(profile, costs=costs, calls=calls, measured=measured, declared={})


def load(served: int, seconds: float = 1.0, **more: Any) -> LoadResult:
    facts: dict[str, Any] = {
        "tool": "builtin",
        "version": "1",
        "command": (),
        "loop": "closed",
        "correction": "none",
        "connections": 20,
        "threads": 1,
        "served": served,
        "seconds": seconds,
    }
    return LoadResult(**(facts | more))


def record(variant: str, profiler: str, number: int, **more: Any) -> RunRecord:
    facts: dict[str, Any] = {
        "study": "concurrency",
        "variant": variant,
        "profiler": profiler,
        "round": number,
        "order": number,
        "command": ("python3", f"srv_{variant}.py", "--port", "8080"),
        "started": "2026-11-23T12:00:00Z",
        "load": load(2000),
    }
    return RunRecord(**(facts | more))


def clean_run(variant: str, number: int, cpu_us: float, kernel: float, switches: float, **more: Any) -> RunData:
    """A run without profiler of 40,000 requests; the rate is what one processor could do at this cost."""
    served = 40_000
    cpu_ns = int(cpu_us * 1000 * served)
    window = cpu_ns / 1e9 * 1.6
    usage = Usage(
        window_s=window,
        cpu_ns=cpu_ns,
        user_s=cpu_ns / 1e9 * (1 - kernel),
        system_s=cpu_ns / 1e9 * kernel,
        rss_peak_bytes=int(18e6 + cpu_us * 4e5),
        voluntary_switches=int(switches * served),
        involuntary_switches=int(0.01 * served),
        processes=1,
        threads=21 if variant == "threads" else 1,
        foreign_cpu_s=more.pop("foreign", 0.0) * window,
        compiler_share=more.pop("compiler", None),
        ended=more.pop("ended", 0),
    )
    at_rate = Histogram.of([cpu_us * 14 + i for i in range(100)])
    facts: dict[str, Any] = {
        "load": load(served, window),
        "usage": usage,
        "latency": load(served, 4.0, loop="open", correction="intended-start", offered_rate=1000.0, latency=at_rate),
    }
    return RunData(record(variant, "clean", number, **(facts | more)))


def study(runs: Sequence[RunData], **more: Any) -> StudyData:
    variants = more.pop("variants", list(dict.fromkeys(r.record.variant for r in runs)))
    facts: dict[str, Any] = {
        "study": "concurrency",
        "question": "Are threads what makes a Python server slow, or the event loop's own Python code?",
        "kinds": {"clean": "clean", "callgrind": "counted", "yappi": "traced", "py-spy": "sampled"},
        "rounds": 7,
        "labels": {v: SERVERS[v][0] for v in variants if v in SERVERS},
        "languages": dict.fromkeys(variants, "python"),
        "load": "built-in generator, 40,000 requests over 20 connections",
        "placement": "server and load on processor 0",
        "command": "profpipe run concurrency",
        "environment": {"cpu": "a test", "python": "3.11.7"},
        "created": "2026-11-23T12:00:00Z",
        "profpipe": "0.1.0",
        "limits": (
            Limit(profiler="callgrind", text="It sees user code only."),
            Limit(profiler="yappi", text="Its times are diluted."),
        ),
    }
    return study_data(runs, variants, **(facts | more))


def concurrency(
    servers: Sequence[str] = ("threads", "asyncio", "gevent", "uvloop"), rounds: int = 7, counted: int = 3
) -> StudyData:
    """The study `concurrency` from real captures, with an A/A control of the first server."""
    rng = random.Random(4)
    runs = []
    for server in servers:
        _, cpu, kernel, switches = SERVERS[server]
        for control in (False, True) if server == servers[0] else (False,):
            for number in range(1, rounds + 1):
                at = cpu * (1 + rng.gauss(0, 0.005))
                runs.append(clean_run(server, number, at, kernel, switches, control=control))
            for number in range(1, counted + 1):
                profile = scaled(callgrind(server), 1 + rng.gauss(0, 0.0003))
                runs.append(RunData(record(server, "callgrind", number, control=control), (profile,)))
            traced = replace(yappi(server), declared={})
            for number in (1, 2):
                facts = {"load": load(YAPPI_REQUESTS[server]), "control": control}
                runs.append(RunData(record(server, "yappi", number, **facts), (traced,)))
        if server in ("threads", "asyncio"):
            runs += [RunData(record(server, "py-spy", n), (pyspy(server),)) for n in (1, 2)]
    return study(runs)


def native(rows: Mapping[str, int], file: str = "a.c", object: str = "/srv/app/server") -> Profile:
    """A counted profile of these functions: name -> instructions in the whole window."""
    builder = Builder("counted", (INSTRUCTIONS,))
    for name, value in rows.items():
        builder.cost(builder.frame(builder.function(name, file, object, runtime=NATIVE)), (value,))
    return builder.freeze(Meta(format="callgrind"))
