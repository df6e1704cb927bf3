"""What conclusions say of routes: which of them differ and by how much, and what the mix costs beside their sum."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tests.support.sentence_figures import NUMBER, Told, percent_reads, reads


def _routes(told: Told) -> Iterator[str]:
    contender = told.conclusion.id.partition(":")[2]
    table = told.report.routes
    costs = {
        route.request: cost.against
        for route in (table.routes if table is not None else ())
        for cost in route.costs
        if cost.variant == contender and cost.against is not None
    }
    named = re.findall(rf"(\S+ /\S*) (?:costs )?({NUMBER})×", told.text)
    if not named:
        yield "it names no route"
    for request, number in named:
        if not costs[request].relevant or not reads(number, costs[request].ratio or 0.0):
            yield f"{request} has the ratio {costs[request].ratio}"
    same = re.search(r"(\d+ )?(?:other )?routes? (?:is|are) the same", told.text)
    found = sum(each.verdict == "no change" for each in costs.values())
    if found != (int(same[1] or 1) if same else 0):
        yield f"{found} routes are the same"


def _mix(told: Told) -> Iterator[str]:
    variant = told.conclusion.id.partition(":")[2]
    table = told.report.routes
    mix = next(each for each in (table.mix if table is not None else ()) if each.variant == variant)
    found = re.search(rf"({NUMBER} %) \(({NUMBER} %) to ({NUMBER} %)\) more CPU", told.text)
    if found is None:
        yield "it is not read"
        return
    for text, value in zip(found.groups(), (mix.ratio, mix.low, mix.high), strict=True):
        if value is None or not percent_reads(text, value - 1):
            yield f"the mix has {mix.ratio}, {mix.low} to {mix.high}"


ROUTES: Mapping[str, Callable[[Told], Iterator[str]]] = {"routes": _routes, "mix": _mix}
