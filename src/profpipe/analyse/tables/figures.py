"""Figures per variant: what a clean run costs and serves, and the totals of each profiler, as series over rounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from profpipe.analyse.matrix import refusal, requests_of
from profpipe.analyse.statistics.series import rounded, series
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.model.profile import Profile
from profpipe.model.report import Series
from profpipe.model.run import LoadResult, RunRecord, Usage
from profpipe.units import Instrument, Metric, Unit

CLEAN = "clean"
# Time between entry and return of a system call: it counts sleeping in epoll_wait, so it is no cost.
# The kernel tells user from system time by ticks of 10 ms: under 20 of them the split is luck (4,000 requests of 10 us
# are 4 ticks; a server that is half kernel would then show anything from 0 to 100 %).
TICK_S = 0.01
MIN_TICKS = 20
NO_COST = ("sys_time_ns",)
Reading = Callable[[Usage, LoadResult], float | None]


@dataclass(frozen=True, slots=True)
class CleanFigure:
    """One figure of a run without profiler. `about` is what a reader must know of it.

    `one_program` = it compares only variants that are one program at several commits.
    """

    key: str
    label: str
    unit: Unit
    read: Reading
    about: str = ""
    one_program: bool = False


def _per_request(seconds: float | None, load: LoadResult) -> float | None:
    return None if seconds is None or not load.served else seconds * 1e6 / load.served


def _cpu(usage: Usage, load: LoadResult) -> float | None:
    return _per_request(None if usage.cpu_ns is None else usage.cpu_ns / 1e9, load)


def _cpu_beside_load(usage: Usage, load: LoadResult) -> float | None:
    """The server's processor time over the load generator's in the same window: what a slow spell does to both cancels.

    30 rounds of three servers on one core of a shared host: CPU time varied by 12.6 to 16.6 %, this by 1.4 to 1.7 %.
    """
    if usage.cpu_ns is None or not load.client_cpu_s:
        return None
    return usage.cpu_ns / 1e9 / load.client_cpu_s


def _ticks(usage: Usage) -> float:
    """User and system time in clock ticks; 0 when the system does not say."""
    if usage.user_s is None or usage.system_s is None:
        return 0.0
    return (usage.user_s + usage.system_s) / TICK_S


def _kernel(usage: Usage, _load: LoadResult) -> float | None:
    if usage.user_s is None or usage.system_s is None or _ticks(usage) < MIN_TICKS:
        return None
    return usage.system_s / (usage.user_s + usage.system_s)


def _switches(usage: Usage, load: LoadResult) -> float | None:
    if usage.voluntary_switches is None or usage.involuntary_switches is None or not load.served:
        return None
    return (usage.voluntary_switches + usage.involuntary_switches) / load.served


def _rss(usage: Usage, _load: LoadResult) -> float | None:
    return None if usage.rss_peak_bytes is None else float(usage.rss_peak_bytes)


CLEAN_FIGURES = (
    CleanFigure(
        "cpu_us",
        "CPU time per request",
        "us",
        _cpu,
        "processor time of the server's process tree, kernel included, without any profiler",
    ),
    CleanFigure(
        "cpu_beside_load",
        "CPU beside load per request",
        "1",
        _cpu_beside_load,
        "the server's processor time for each second of the load generator's in the same window: slow spells of the "
        "machine, which lengthen both, cancel. It compares commits of one server only, since another server may give "
        "the generator other work, and a commit that changes the size of a response does so too",
        one_program=True,
    ),
    CleanFigure("kernel_share", "kernel share of CPU time", "%", _kernel, "system time of user and system time"),
    CleanFigure(
        "switches",
        "context switches per request",
        "1",
        _switches,
        "switches of the kernel's threads, voluntary and not",
    ),
    CleanFigure(
        "rss", "peak memory", "B", _rss, "largest resident size of the process tree in the window; not per request"
    ),
)
# Shares are no cost: they are shown, not judged.
NOT_JUDGED = ("clean:kernel_share",)


def runs_of(study: StudyData, variant: str, profiler: str, *, control: bool = False) -> dict[int, RunData]:
    """Round -> run."""
    return {
        r.record.round: r
        for r in study.runs
        if r.record.variant == variant and r.record.profiler == profiler and r.record.control == control
    }


def round_numbers(study: StudyData, profiler: str) -> list[int]:
    return sorted({r.record.round for r in study.runs if r.record.profiler == profiler})


def clean_series(study: StudyData, variant: str, figure: CleanFigure, *, control: bool = False) -> Series:
    """One clean figure over the rounds; a round is None when its run is invalid or the system does not say."""
    runs = runs_of(study, variant, CLEAN, control=control)
    values: list[float | None] = []
    why: str | None = None
    for number in round_numbers(study, CLEAN):
        run = runs.get(number)
        value, reason = _clean_value(run, figure)
        values.append(value)
        why = why or reason
    if figure.read is _kernel and (pooled := _pooled_share(list(runs.values()))) is not None:
        return pooled
    return series(values, None if any(v is not None for v in values) else why)


def _pooled_share(runs: list[RunData]) -> Series | None:
    """The kernel's share over all rounds together, None when they are too short even so.

    Rounds are never picked by their own number of ticks: that would keep the slow ones only. The interval is that of
    a share of so many ticks; no dots are shown, since one round's share is a handful of ticks.
    """
    used = [r.record.usage for r in runs if r.record.valid and r.record.usage is not None]
    ticks = sum(_ticks(u) for u in used)
    if ticks < MIN_TICKS:
        return None
    part = sum(u.system_s or 0.0 for u in used) / (ticks * TICK_S)
    spread = 1.96 * math.sqrt(part * (1 - part) / ticks)
    low, high = max(part - spread, 0.0), min(part + spread, 1.0)
    return Series(median=rounded(part, 4), low=rounded(low, 4), high=rounded(high, 4))


def _clean_value(run: RunData | None, figure: CleanFigure) -> tuple[float | None, str | None]:
    if run is None:
        return None, "the run is missing"
    record = run.record
    if record.reason is not None:
        return None, record.reason
    if record.load is None or not record.load.served:
        return None, "no trustworthy count of served requests"
    if record.usage is None:
        return None, "the process tree's use was not measured"
    value = figure.read(record.usage, record.load)
    if value is None and figure.read is _kernel and record.usage.user_s is not None:
        return None, f"the window was under {MIN_TICKS} clock ticks long: too few to tell user from kernel time"
    return value, None if value is not None else "this system does not say"


def throughput(study: StudyData, variant: str, profiler: str = CLEAN, *, control: bool = False) -> Series:
    """Requests a second over the rounds; unknown, with the reason, when the load doubts its own rate.

    From the closed loop after the window where the study asked for one (the first rounds only), else the window's.
    """
    apart = profiler == CLEAN and any(
        r.record.throughput is not None for r in study.runs if r.record.profiler == CLEAN and r.record.valid
    )
    return _load_series(study, variant, profiler, lambda record: _rate(record, apart), control=control)


def latency(study: StudyData, variant: str) -> dict[str, Series]:
    """p50_us and p99_us of the clean runs at a fixed rate; unknown, with the reason, where there is no such figure."""
    if not any(r.record.profiler == CLEAN for r in study.runs):
        return {}
    return {
        "p50_us": _load_series(study, variant, CLEAN, lambda record: _percentile(record, 50)),
        "p99_us": _load_series(study, variant, CLEAN, lambda record: _percentile(record, 99)),
    }


Read = Callable[[RunRecord], tuple[float | None, str]]


def _load_series(study: StudyData, variant: str, profiler: str, read: Read, *, control: bool = False) -> Series:
    runs = runs_of(study, variant, profiler, control=control)
    values: list[float | None] = []
    why: str | None = None
    for number in round_numbers(study, profiler):
        run = runs.get(number)
        value, reason = (None, "the run is missing") if run is None else read(run.record)
        values.append(value)
        why = why or reason
    return series(_trimmed(values), why if all(v is None for v in values) else None)


def _trimmed(values: list[float | None]) -> list[float | None]:
    """A load that only the first rounds run has no invalid rounds after them."""
    known = [i for i, value in enumerate(values) if value is not None]
    return values[: known[-1] + 1] if known else values


def _rate(record: RunRecord, apart: bool) -> tuple[float | None, str]:
    if record.reason is not None:
        return None, record.reason
    load = record.throughput if apart else record.load
    if load is None:
        return None, "no load was measured"
    if "rate" in load.doubted:
        return None, "; ".join(load.doubts) or "the load generator doubts this figure"
    return load.rate, "the load took no time"


def _percentile(record: RunRecord, q: float) -> tuple[float | None, str]:
    if record.reason is not None:
        return None, record.reason
    load = record.latency or record.load
    if load is None or (record.latency is None and load.loop != "open"):
        # A closed loop waits for the slow answers before it asks again, so it hides them (coordinated omission).
        return None, "latency needs a load at a fixed rate; this one was a closed loop"
    if "latency" in load.doubted:
        return None, "; ".join(load.doubts) or "the load generator doubts this figure"
    if load.correction == "wrk-corrected":
        # wrk >= 4 adds samples of its own: 20 connections at 122,691 req/s cannot have a mean of 262 us.
        return None, "wrk adds samples of its own to correct for coordinated omission"
    value = load.latency.percentile(q) if load.latency is not None else None
    return value, "the load generator does not say"


def profiler_metrics(profiles: Sequence[Profile], instrument: Instrument) -> tuple[Metric, ...]:
    """The metrics of a profiler that become figures: all that is counted, the first of what is sampled or traced."""
    if not profiles:
        return ()
    if instrument != "counted":
        return profiles[0].metrics[:1]
    return tuple(m for m in profiles[0].metrics if m.key not in NO_COST)


def profiler_series(study: StudyData, variant: str, profiler: str, metric: Metric, *, control: bool = False) -> Series:
    """A profiler's total per request over its rounds."""
    runs = runs_of(study, variant, profiler, control=control)
    if not runs:
        return series([], f"{profiler} did not watch this variant")
    values: list[float | None] = []
    why: str | None = None
    for number in round_numbers(study, profiler):
        run = runs.get(number)
        reason = "the run is missing" if run is None else refusal(run, study.per)
        value = None
        if run is not None and reason is None:
            sums = [p.self_sum(metric.key) for p in run.profiles if any(m.key == metric.key for m in p.metrics)]
            value = sum(sums) / requests_of(run, study) if sums else None
        values.append(value)
        why = why or reason
    return series(values, why if all(v is None for v in values) else None)
