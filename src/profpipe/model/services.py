"""What services beside the servers do for each request: a part of report.json."""

from __future__ import annotations

from pydantic import Field

from profpipe.model.figure import Comparison, Part, Ratio, Series


class StatementCount(Part):
    """One statement of a service, without its values."""

    text: str
    per_request: Ratio


class QueryCount(Part):
    """What a service is asked for one request, by its own statistics."""

    per_request: Ratio | None = Field(None, description="queries per request; null: not counted")
    statements: tuple[StatementCount, ...] = Field((), description="the most frequent first")
    why: str | None = Field(None, description="why they are not counted")


class ServiceCost(Part):
    """What a service does for one variant, for requests of one route or for all."""

    variant: str
    route: str | None = Field(None, description="name of the route; null: all requests of the load")
    request: str = Field("", description="method and path of the route")
    cpu: Series = Field(description="CPU microseconds of the service per request, a value per start")
    against: Comparison | None = Field(None, description="the CPU against the baseline's; null: it is the baseline")
    queries: QueryCount = QueryCount()


class ServiceTable(Part):
    """A service: all requests first, then each route."""

    name: str
    counted: bool = Field(False, description="its queries were to be counted")
    costs: tuple[ServiceCost, ...] = ()
