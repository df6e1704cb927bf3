"""What one run leaves behind besides its captures: plain records, written as run.json and read back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Loop = Literal["closed", "open"]
Correction = Literal["none", "intended-start", "wrk-corrected"]
Phase = Literal["build", "start", "ready", "warm-up", "window", "load", "save", "stop", "parse"]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Latencies in microseconds: rising values, and how often each occurred. Resolution is that of the source."""

    values_us: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)

    def percentile(self, q: float) -> float | None:
        """The smallest value with at least q (0..100) per cent of the requests at or under it. None when empty."""
        need = math.ceil(self.total * q / 100 * (1 - 1e-12))  # 64.4 % of 250 is 161, not 161.00000000000003
        seen = 0
        for value, many in zip(self.values_us, self.counts, strict=True):
            seen += many
            if seen >= max(need, 1):
                return value
        return None

    @staticmethod
    def of(latencies_us: Iterable[float]) -> Histogram:
        """Values rounded to three significant digits, so that a million requests stay some hundred rows."""
        counts: dict[float, int] = {}
        for value in latencies_us:
            size = max(math.floor(math.log10(value)) - 2, 0) if value >= 1 else 0
            rounded = float(round(value, -size)) if size else round(value, 2 if value < 10 else 1)
            counts[rounded] = counts.get(rounded, 0) + 1
        ordered = sorted(counts)
        return Histogram(tuple(ordered), tuple(counts[v] for v in ordered))


@dataclass(frozen=True, slots=True)
class LoadResult:
    """One load as its generator saw it. Unknown is None.

    `served` = complete responses with the expected status; `sent` = requests begun, None where a tool does not
    say; `failed` = requests that were asked for and not served. `latency` holds one entry per served request,
    except where `correction` is "wrk-corrected": wrk adds entries of its own. A tool that prints no histogram gives its
    mean and its percentiles, (per cent, microseconds). `doubts` says in words why a figure must not be believed: a
    load that was its own bottleneck, a latency that the arithmetic contradicts.
    """

    tool: str
    version: str
    command: tuple[str, ...]
    loop: Loop | None
    correction: Correction | None
    connections: int | None
    threads: int | None
    served: int
    seconds: float
    sent: int | None = None
    failed: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    bytes_read: int | None = None
    offered_rate: float | None = None
    latency: Histogram | None = None
    mean_us: float | None = None
    percentiles_us: tuple[tuple[float, float], ...] = ()
    client_cpu_s: float | None = None
    lateness_p99_us: float | None = None
    reconnects: int | None = None  # connections opened again because the server closed them
    interim: int | None = None  # answers with status 1xx, which precede the real one; seen where an answer is parsed
    incomplete: str | None = None  # why the load did not run to its end: it was killed, or stopped early
    doubts: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()  # of "rate", "latency": the figures the doubts are about
    output: str = ""  # the tool's own text, at most 64 KiB
    unit: str = "request"  # what was counted, in the singular

    @property
    def rate(self) -> float | None:
        return self.served / self.seconds if self.seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server's process tree used in the loaded window. None = not reported by this kernel.

    cpu_ns is the scheduler's own sum (exact to the nanosecond where a per-process clock can be read); user and
    system seconds come from the same kernel in ticks or scaled. `foreign_cpu_s` = processor time of everybody
    else, load generator excluded. `compiler_share` = the part of cpu_ns of a just-in-time compiler's threads,
    `ended` = how many of the processes that there were when the window opened ended in it.
    """

    window_s: float
    cpu_ns: int | None = None
    user_s: float | None = None
    system_s: float | None = None
    rss_peak_bytes: int | None = None
    voluntary_switches: int | None = None
    involuntary_switches: int | None = None
    processes: int | None = None
    threads: int | None = None
    foreign_cpu_s: float | None = None
    compiler_share: float | None = None
    ended: int = 0


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A file a profiler wrote, kept as written. `path` is relative to the run folder; `format` names a parser."""

    path: str
    format: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One execution: target x profiler x load plan x round. `reason` and `phase` are set when it is not valid.

    `refused` = the run went well, and its profiler saw too little of the server to be shown.
    """

    study: str
    variant: str
    profiler: str
    round: int
    order: int
    command: tuple[str, ...]
    started: str
    control: bool = False
    reason: str | None = None
    phase: Phase | None = None
    refused: bool = False
    log_tail: tuple[str, ...] = ()
    load: LoadResult | None = None
    usage: Usage | None = None
    throughput: LoadResult | None = None  # a closed loop after the window, clean runs only
    latency: LoadResult | None = None  # a fixed rate after the window, clean runs only
    captures: tuple[CaptureFile, ...] = ()
    placement: str = ""
    profiler_facts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        return self.reason is None

    @property
    def requests(self) -> int | None:
        """The trustworthy count this run is divided by, or None."""
        return self.load.served if self.valid and self.load is not None and self.load.served > 0 else None
