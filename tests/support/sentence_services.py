"""What conclusions say of services: how much more one does for a contender, and how often it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tests.support.sentence_figures import NUMBER, Told, reads


def _work(told: Told) -> Iterator[str]:
    _, name, variant = told.conclusion.id.split(":")
    (table,) = (each for each in told.report.services if each.name == name)
    (cost,) = (each for each in table.costs if each.variant == variant and each.route is None)
    found = re.search(rf"The service {re.escape(name)} does ({NUMBER})× the work", told.text)
    if found is None or cost.against is None or not reads(found[1], cost.against.ratio or 0.0):
        yield f"{name} has {cost.against}"


def _queries(told: Told) -> Iterator[str]:
    _, name, variant = told.conclusion.id.split(":")
    (table,) = (each for each in told.report.services if each.name == name)
    found = re.search(rf"^(.+) makes ({NUMBER}) quer(?:y|ies) to .* and ({NUMBER}) in ", told.text)
    if found is None:
        yield "it is not read"
        return
    for side, text in ((variant, found[2]), (told.baseline, found[3])):
        costs = [
            each for each in table.costs if each.variant == side and each.request == found[1].replace("A request", "")
        ]
        if not any(reads(text, each.queries.per_request or 0.0) for each in costs):
            yield f"{side} has {[each.queries.per_request for each in costs]}"


SERVICES: Mapping[str, Callable[[Told], Iterator[str]]] = {"service-work": _work, "service-queries": _queries}
