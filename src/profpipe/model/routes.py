"""What each of several requests of a load costs, and whether their mix costs what they say: a part of report.json."""

from __future__ import annotations

from pydantic import Field

from profpipe.model.figure import Comparison, Part, Ratio, Series


class RouteCost(Part):
    """One route of one variant: a value per start."""

    variant: str
    cpu: Series = Field(description="CPU microseconds per request of this route")
    p50: Series = Field(description="median latency in microseconds, in the closed loop of its slices")
    p99: Series = Field(description="99th percentile of the latency in microseconds, in the closed loop of its slices")
    against: Comparison | None = Field(None, description="CPU time against the baseline's; null: it is the baseline")


class Route(Part):
    """One request of the load."""

    name: str
    request: str = Field(description="method and path")
    weight: Ratio = Field(description="its share of the requests of the load")
    status: str = Field("", description="in words: what counts as served")
    requests: int | None = Field(None, description="requests of its slices that count; null: it was left out")
    costs: tuple[RouteCost, ...] = ()
    why: str | None = Field(None, description="why it was left out of the load, and which variant is to blame")


class MixCost(Part):
    """The mix of one variant: what it costs, and what its routes say that it costs (their costs by their weights)."""

    variant: str
    measured: Series = Field(description="CPU microseconds per request of the mix, a value per start")
    predicted: Series = Field(description="the same from the routes of the same passes, as often as each was sent")
    ratio: Ratio | None = Field(None, description="measured / predicted")
    low: Ratio | None = Field(None, description="interval of the ratio over starts, 95 %")
    high: Ratio | None = None


class RouteTable(Part):
    """The routes in the order of the study file, and their mix."""

    routes: tuple[Route, ...]
    mix: tuple[MixCost, ...] = ()
