"""How a study was measured by slices: parts of study.json and report.json."""

from __future__ import annotations

from pydantic import Field

from profpipe.model.figure import Part, Ratio


class LeftOut(Part):
    """A target that could not run, or that lost too many starts, and why."""

    target: str
    reason: str


class LostStart(Part):
    """A start that no variant has figures of, and the variant that lost it; null where none can be blamed."""

    start: int = Field(description="its number, from 1 in the order of the study")
    variant: str | None
    phase: str
    reason: str
    log_tail: tuple[str, ...] = ()


class RouteRecord(Part):
    """One of several requests of the load."""

    name: str
    request: str = Field(description="method and path")
    weight: Ratio = Field(description="its share of the requests of the load")
    status: str = Field("", description="in words: what counts as served")
    requests: int | None = Field(None, description="requests of its slices that count; null: it was left out")
    reason: str | None = Field(None, description="why it was left out of the load, and which variant is to blame")


class SlicesRecord(Part):
    """What was fixed before the first start, and how the study ended. Part of study.json.

    The rule and its looks are recorded before a figure is known, so that a study that is stopped is judged by them.
    """

    seed: int = Field(description="layouts of memory and the orders of the passes are drawn from it")
    requests: int = Field(description="requests of a slice that count")
    lead: int = Field(description="requests at the beginning of a slice that are left out, at least")
    length: str = Field(description="in words: how long slices are, and what the first requests of one cost")
    passes: int = Field(description="slices of every variant in one start")
    connections: int
    control: str = Field(description="name of the baseline's second copy in the files of the starts")
    resolution: Ratio = Field(description="the smallest change of CPU time that matters, relative: 0.01 = 1 %")
    budget_s: Ratio = Field(description="seconds of starts that were allowed")
    rule: str = Field(description="in words: when starts end, and at which level a verdict is given")
    planned: tuple[int, ...] = Field(description="starts after which the verdicts may be looked at")
    alpha: Ratio = Field(description="the part of the report's alpha that verdicts on CPU time may spend")
    contenders: int = Field(
        description="comparisons that share alpha: of each contender, of each of its routes, and of services in each"
    )
    stopped: str = Field("cut short", description="in words: why no more starts were added")
    left_out: tuple[LeftOut, ...] = Field((), description="variants that lost too many starts")
    routes: tuple[RouteRecord, ...] = Field((), description="the requests of a load that has several")


class SlicesInfo(SlicesRecord):
    """The record, and what its starts came to."""

    starts: int = Field(description="those that are kept: every variant has figures of them")
    lost: tuple[LostStart, ...] = ()
    fixed_layouts: bool | None = Field(
        None, description="memory lies where the seed puts it; false = the system refuses, so that it lies anywhere"
    )
    starts_per_minute: Ratio | None = None
    load_share: Ratio | None = Field(None, description="share of the time of all starts in which a server was loaded")
