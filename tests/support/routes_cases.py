"""Starts of a load with several routes, whose costs are given; and the report that follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from profpipe.model.report import Report
from profpipe.model.start import RoutePlan, RouteSlices, SlicePlan, Start, VariantSlices
from tests.support.slices_cases import REQUESTS, slices
from tests.support.slices_cases import start as start_of
from tests.support.slices_report import of_starts

Costs = Mapping[str, Sequence[float]]


def routed(mix_us: Sequence[float], routes: Costs, sent: Sequence[int]) -> VariantSlices:
    """A variant whose mix and routes cost so much in each pass; `sent` = how often the mix has each route."""
    found = {
        name: RouteSlices(
            requests=REQUESTS,
            cpu_ns=tuple(round(cost * 1000 * REQUESTS) for cost in costs),
            wall_ns=(1,) * len(costs),
            latency_us=((10.0, 20.0),) * len(costs),
        )
        for name, costs in routes.items()
    }
    return replace(slices(mix_us), routes=found, sent=(tuple(sent),) * len(mix_us))


def start(number: int, variants: Mapping[str, VariantSlices]) -> Start:
    first = next(iter(variants.values()))
    routes = tuple(RoutePlan(name, REQUESTS) for name in first.routes)
    passes = len(first.cpu_ns)
    plan = SlicePlan(lead=0, requests=REQUESTS, passes=passes, connections=1, routes=routes)
    return replace(start_of(number, {}), plan=plan, variants=variants, blocks=(None, *first.routes) * passes)


def starts(
    many: int, costs: Mapping[str, Mapping[str, float]], sent: Mapping[str, int], *, more: float = 0.0
) -> tuple[Start, ...]:
    """Starts in which every route of every variant costs so much, with some noise that is shared within a pass.

    The mix costs its routes and `more`, a share of them.
    """
    rng = np.random.default_rng(5)
    found = []
    for number in range(1, many + 1):
        weather = 1 + 0.02 * rng.random(6)
        variants = {}
        for variant, of_route in costs.items():
            own = 1 + 0.002 * rng.standard_normal(6)
            routes = {name: (cost * weather * own).tolist() for name, cost in of_route.items()}
            whole = sum(of_route[name] * times for name, times in sent.items()) / sum(sent.values())
            mix = (whole * (1 + more) * weather * own * (1 + 0.001 * rng.standard_normal(6))).tolist()
            variants[variant] = routed(mix, routes, list(sent.values()))
        found.append(start(number, variants))
    return tuple(found)


def _cost(variant: str, cpu: float, against: dict[str, Any] | None) -> dict[str, Any]:
    series = {"values": [cpu], "median": cpu, "low": cpu * 0.99, "high": cpu * 1.01}
    latency = {"values": [cpu * 2], "median": cpu * 2}
    return {"variant": variant, "cpu": series, "p50": latency, "p99": latency, "against": against}


def _against(verdict: str, ratio: float) -> dict[str, Any]:
    sure = verdict in ("better", "worse")
    interval = {"ratio": ratio, "low": ratio * 0.99, "high": ratio * 1.01}
    return {"verdict": verdict, **interval, "significant": sure, "relevant": sure, "paired": True}


def route(name: str, request: str, weight: float, base: float, **others: tuple[str, float]) -> dict[str, Any]:
    """A route of the sample report: what it costs the baseline, and verdict and ratio of the others."""
    costs = [_cost("threads", base, None)]
    costs += [
        _cost(v.replace("_", "-"), base * ratio, _against(verdict, ratio)) for v, (verdict, ratio) in others.items()
    ]
    return {"name": name, "request": request, "weight": weight, "status": "200", "requests": 100, "costs": costs}


def sample_of_routes(routes: Sequence[dict[str, Any]], mix: Sequence[dict[str, Any]] = ()) -> Report:
    """The sample report of starts with these routes."""
    return Report.model_validate(of_starts() | {"routes": {"routes": list(routes), "mix": list(mix)}})


def mix(variant: str, measured: float, predicted: float, half: float) -> dict[str, Any]:
    ratio = measured / predicted
    return {
        "variant": variant,
        "measured": {"values": [measured], "median": measured},
        "predicted": {"values": [predicted], "median": predicted},
        "ratio": ratio,
        "low": ratio - half,
        "high": ratio + half,
    }
