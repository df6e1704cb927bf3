"""What a service beside the servers does more for a contender: its CPU, and the queries that it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, conclusion
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import Conclusion, Evidence
from profpipe.model.services import ServiceCost, ServiceTable
from profpipe.units import count, duration_ns, ratio

# A statement is a query of the user's: its beginning tells which.
LONGEST = 160
# Counts are exact; less than this is rounding.
SAME = 1e-3


def service_work(facts: Facts) -> Iterator[Conclusion]:
    """One sentence for each contender and service whose CPU per request differs."""
    for place, table in enumerate(facts.report.services):
        base = {cost.route: cost for cost in table.costs if cost.variant == facts.baseline.id}
        for number, cost in enumerate(table.costs):
            found = cost.against
            if cost.route is not None or found is None or not found.relevant or found.ratio is None:
                continue
            of_base = base[None].cpu.median
            sizes = [duration_ns(value * 1000) for value in (cost.cpu.median, of_base) if value is not None]
            text = (
                f"The service {table.name} does {ratio(found.ratio)} the work per request for "
                f"{facts.label(cost.variant)} as for {facts.baseline.label} ({' of CPU, '.join(sizes)})."
            )
            path = f"services.{place}.costs.{number}"
            rows = [
                Evidence(path=f"{path}.against.ratio", value=found.ratio),
                Evidence(path=f"{path}.cpu.median", value=cost.cpu.median),
            ]
            about = f"{table.name}:{cost.variant}"
            yield conclusion("service-work", about, text, kind="cause", weight=weight("service-work"), rows=rows)


def service_queries(facts: Facts) -> Iterator[Conclusion]:
    """One sentence for each contender and service: the route whose queries differ most, and which query it is."""
    for place, table in enumerate(facts.report.services):
        for contender in facts.contenders:
            if (found := _largest(facts, table, contender.id)) is None:
                continue
            number, cost, base = found
            mine, its = cost.queries.per_request, base.queries.per_request
            assert mine is not None
            assert its is not None
            what = cost.request or "A request"
            text = (
                f"{what} makes {_queries(mine)} to the service {table.name} in {contender.label} and "
                f"{count(its)} in {facts.baseline.label}{_query(cost, base)}."
            )
            path = f"services.{place}.costs"
            rows = [
                Evidence(path=f"{path}.{number}.queries.per_request", value=mine),
                Evidence(path=f"{path}.{table.costs.index(base)}.queries.per_request", value=its),
            ]
            about = f"{table.name}:{contender.id}"
            yield conclusion("service-queries", about, text, kind="cause", weight=weight("service-queries"), rows=rows)


def _largest(facts: Facts, table: ServiceTable, contender: str) -> tuple[int, ServiceCost, ServiceCost] | None:
    """The contender's row, its place and the baseline's, of the route with the largest difference; None without any."""
    base = {cost.route: cost for cost in table.costs if cost.variant == facts.baseline.id}
    routed = any(route is not None for route in base)
    found = [
        (abs(cost.queries.per_request - its), number, cost, base[cost.route])
        for number, cost in enumerate(table.costs)
        if cost.variant == contender and (cost.route is not None) == routed
        if cost.queries.per_request is not None and (its := base[cost.route].queries.per_request) is not None
    ]
    most = max(found, key=lambda each: each[0], default=None)
    return None if most is None or most[0] <= SAME else most[1:]


def _queries(per_request: float) -> str:
    return "1 query" if per_request == 1 else f"{count(per_request)} queries"


def _query(cost: ServiceCost, base: ServiceCost) -> str:
    """`; the query that differs most is “SELECT ...” (100 and 0)`."""
    sides = [{each.text: each.per_request for each in side.queries.statements} for side in (cost, base)]
    texts = {text: abs(sides[0].get(text, 0.0) - sides[1].get(text, 0.0)) for text in (*sides[0], *sides[1])}
    if not texts:
        return ""
    most = max(texts, key=lambda text: texts[text])
    shown = most if len(most) <= LONGEST else most[:LONGEST] + "…"
    each = " and ".join(count(side.get(most, 0.0)) for side in sides)
    return f"; the query that differs most is “{shown}” ({each})"
