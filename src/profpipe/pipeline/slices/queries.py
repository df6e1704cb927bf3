"""What services are asked for the requests of each variant, by their own statistics: a count after the slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from profpipe.capture.services.beside import Beside
from profpipe.capture.services.queries.registry import queries_of
from profpipe.capture.services.running import RunningService
from profpipe.errors import CaptureError
from profpipe.model.start import Queries, SlicePlan

# Few, since a count is exact: as many as show an average where requests differ from each other.
REQUESTS = 40
Ask = Callable[[int, int | None, int], None]


def count_queries(beside: Beside, ask: Ask, variants: int, plan: SlicePlan) -> dict[int, dict[str, dict[str, Queries]]]:
    """Variant -> service -> route, empty where the load has one request -> what it is asked.

    `ask` sends a variant so many requests of a route. Nothing else may be sent to any variant meanwhile.
    """
    counted = {name: each for name, each in beside.running.items() if each.service.queries is not None}
    routes: Mapping[str, int | None] = {route.name: place for place, route in enumerate(plan.routes)} or {"": None}
    return {
        variant: {
            name: {route: _asked(service, ask, variant, place) for route, place in routes.items()}
            for name, service in counted.items()
        }
        for variant in range(variants)
    }


def _asked(service: RunningService, ask: Ask, variant: int, route: int | None) -> Queries:
    try:
        before = queries_of(service)
        ask(variant, route, REQUESTS)
        after = queries_of(service)
    except CaptureError as error:
        return Queries(REQUESTS, why=error.text)
    found = {text: calls - before.get(text, 0) for text, calls in after.items()}
    return Queries(REQUESTS, {text: calls for text, calls in found.items() if calls > 0})
