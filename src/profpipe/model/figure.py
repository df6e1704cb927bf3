"""One model of a figure: its key, unit and direction, its series over rounds, and how a contender compares in it.

Throughput, latency, CPU time, memory, context switches and what a profiler counts are all figures of a variant.
Unknown is null, with the reason in `why`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from profpipe.units import Better, Instrument

Verdict = Literal["better", "worse", "no change", "cannot tell"]
Ratio = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Series(Part):
    """One figure of one variant over its rounds, or over its starts where it was measured by slices.

    `values` has one entry per round, null = that run is invalid; or one per start that is kept.
    """

    values: tuple[Ratio | None, ...] = ()
    median: Ratio | None = None
    low: Ratio | None = None
    high: Ratio | None = None
    cv: Ratio | None = None
    why: str | None = Field(None, description="why the median is unknown")


class Comparison(Part):
    """Contender against baseline for one figure. Ratios are contender / baseline."""

    verdict: Verdict
    ratio: Ratio | None = None
    low: Ratio | None = None
    high: Ratio | None = None
    delta: Ratio | None = None
    significant: bool = False
    relevant: bool = False
    detectable: Ratio | None = Field(None, description="relative change that such rounds show in eight of ten studies")
    p: Ratio | None = None
    why: str = ""
    paired: bool = Field(False, description="of starts: both sides of a ratio come from the same start")


class MetricInfo(Part):
    """A column of the report: `key` is `instrument:metric`, for example `callgrind:instructions`."""

    key: str
    label: str
    unit: str
    instrument: Instrument
    profiler: str
    better: Better = "lower"
    exact: bool = False
    ranked: bool = Field(True, description="false: traced shares are diluted and never ranked")
    about: str = ""
    again: bool = Field(False, description="true: a profiler's second use in the study, under another load")


class CommitInfo(Part):
    """The commit that a variant was built from."""

    commit: str = Field(description="full hash; that of HEAD where uncommitted changes are part of the variant")
    ref: str = Field("", description="how it was asked for: a branch, a tag, HEAD~2, or `worktree`")
    subject: str = ""
    time: str = Field("", description="committer's time, ISO 8601")
    dirty: bool = Field(False, description="uncommitted changes are part of it")


class Lottery(Part):
    """How much a figure of one variant depends on the start, all else equal: above all on where its memory lies."""

    low: Ratio = Field(description="the cheapest start, in the unit of the figure")
    high: Ratio = Field(description="the most expensive start")
    within: Ratio = Field(description="relative sd that slices of one start leave in its median")
    between: Ratio = Field(description="relative sd of starts beyond that")
    mean_over_median: Ratio | None = Field(
        None, description="mean of all slices over their median: far above 1 where cost comes in bursts"
    )


class Variant(Part):
    id: str
    label: str
    role: Literal["baseline", "contender", "control"]
    command: tuple[str, ...] = ()
    language: str = ""
    valid: bool = True
    why: str | None = None
    figures: dict[str, Series] = Field(default_factory=dict, description="metric key -> per request, or as labelled")
    against_baseline: dict[str, Comparison] = Field(default_factory=dict)
    disturbance: dict[str, Series] = Field(default_factory=dict, description="profiler -> req/s with it on")
    lottery: dict[str, Lottery] = Field(default_factory=dict, description="metric key -> its spread over starts")
    idle_cpu: Ratio | None = Field(None, description="share of one processor that it uses without any request")
    notes: tuple[str, ...] = ()
    commit: CommitInfo | None = None
