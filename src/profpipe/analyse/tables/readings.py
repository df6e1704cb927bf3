"""How the record of a run without a profiler gives each ordinary figure: its value, or the reason there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from profpipe.analyse.per_request import per_request
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.model.metric_keys import BESIDE_LOAD, CLEAN, CPU, KERNEL_SHARE, MEMORY, P50, P99, SWITCHES, THROUGHPUT
from profpipe.model.report import Series
from profpipe.model.run import LoadResult, RunRecord, Usage

# (value, None) or (None, why it is unknown).
Value = tuple[float | None, str | None]
Reading = Callable[[RunRecord], Value]
# The kernel splits user from system time by ticks of 10 ms. Under 20 of them the split is chance: 4,000 requests of
# 10 us are 4 ticks, and a server that is half kernel would then show anything from 0 to 100 %.
TICK_S = 0.01
MIN_TICKS = 20


def readings(study: StudyData) -> Mapping[str, Reading]:
    """Key of an ordinary figure -> how a run gives it."""
    apart = any(r.record.throughput is not None for r in study.runs if r.record.profiler == CLEAN and r.record.valid)
    return {
        CPU: partial(_in_window, _cpu),
        BESIDE_LOAD: partial(_in_window, _cpu_beside_load),
        KERNEL_SHARE: partial(_in_window, _kernel_share),
        SWITCHES: partial(_in_window, _switches),
        MEMORY: partial(_in_window, _memory),
        THROUGHPUT: partial(rate, apart=apart),
        P50: partial(_percentile, q=50),
        P99: partial(_percentile, q=99),
    }


def _in_window(read: Callable[[Usage, LoadResult], float | None], record: RunRecord) -> Value:
    """What the process tree used in the window that was counted."""
    if record.reason is not None:
        return None, record.reason
    if record.load is None or not record.load.served:
        return None, "no trustworthy count of served requests"
    if record.usage is None:
        return None, "the process tree's use was not measured"
    value = read(record.usage, record.load)
    if value is None and read is _kernel_share and record.usage.user_s is not None:
        return None, f"the window was under {MIN_TICKS} clock ticks long: too few to tell user from kernel time"
    return value, None if value is not None else "not reported by this system"


def _cpu(usage: Usage, load: LoadResult) -> float | None:
    return None if usage.cpu_ns is None else per_request(usage.cpu_ns / 1e9 * 1e6, load.served)


def _cpu_beside_load(usage: Usage, load: LoadResult) -> float | None:
    """Processor time of the server over that of the load generator in the same window: slow spells cancel.

    30 rounds of three servers on one core of a shared host: CPU time varied by 12.6 to 16.6 %, this by 1.4 to 1.7 %.
    """
    if usage.cpu_ns is None or not load.client_cpu_s:
        return None
    return usage.cpu_ns / 1e9 / load.client_cpu_s


def _ticks(usage: Usage) -> float:
    """User and system time in clock ticks; 0 where the system does not report them."""
    if usage.user_s is None or usage.system_s is None:
        return 0.0
    return (usage.user_s + usage.system_s) / TICK_S


def _kernel_share(usage: Usage, _load: LoadResult) -> float | None:
    if usage.user_s is None or usage.system_s is None or _ticks(usage) < MIN_TICKS:
        return None
    return usage.system_s / (usage.user_s + usage.system_s)


def pooled_kernel_share(runs: Sequence[RunData]) -> Series | None:
    """The kernel's share over all rounds together; None when they are too short even so.

    Rounds are never picked by their own number of ticks: that would keep only the slow ones. The interval is that of
    a share of so many ticks. There are no values by round, since one round's share is a handful of ticks.
    """
    used = [r.record.usage for r in runs if r.record.valid and r.record.usage is not None]
    ticks = sum(_ticks(u) for u in used)
    if ticks < MIN_TICKS:
        return None
    part = sum(u.system_s or 0.0 for u in used) / (ticks * TICK_S)
    spread = 1.96 * math.sqrt(part * (1 - part) / ticks)
    low, high = max(part - spread, 0.0), min(part + spread, 1.0)
    return Series(median=rounded(part, 4), low=rounded(low, 4), high=rounded(high, 4))


def _switches(usage: Usage, load: LoadResult) -> float | None:
    if usage.voluntary_switches is None or usage.involuntary_switches is None:
        return None
    return per_request(float(usage.voluntary_switches + usage.involuntary_switches), load.served)


def _memory(usage: Usage, _load: LoadResult) -> float | None:
    return None if usage.rss_peak_bytes is None else float(usage.rss_peak_bytes)


def rate(record: RunRecord, *, apart: bool) -> Value:
    """Requests a second: of the closed loop after the window where the study has one (`apart`), else of the window."""
    if record.reason is not None:
        return None, record.reason
    load = record.throughput if apart else record.load
    if load is None:
        return None, "no load was measured"
    if "rate" in load.doubted:
        return None, "; ".join(load.doubts) or "the load generator doubts this figure"
    return load.rate, None if load.rate is not None else "the load took no time"


def _percentile(record: RunRecord, *, q: float) -> Value:
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
    return value, None if value is not None else "the load generator does not report it"
