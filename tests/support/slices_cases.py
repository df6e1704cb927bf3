"""Starts made of given costs, and studies drawn from known distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.statistics.starts import StartRatios
from profpipe.model.start import Lost, SlicePlan, Start, Ticket, VariantSlices

REQUESTS = 100
Floats = NDArray[np.float64]


def slices(costs_us: Sequence[float], between_us: float = 0.0) -> VariantSlices:
    """A variant whose slices cost so many CPU microseconds a request."""
    many = len(costs_us)
    return VariantSlices(
        requests=REQUESTS,
        cpu_ns=tuple(round(cost * 1000 * REQUESTS) for cost in costs_us),
        lead_ns=(0,) * many,
        between_ns=(round(between_us * 1000 * REQUESTS),) * many,
        wall_ns=(1,) * many,
        client_ns=(1,) * many,
        latency_us=((1.0, 2.0),) * many,
        switches=None,
        served=REQUESTS * many,
        reconnects=0,
        processes=1,
        fixed_layout=True,
    )


def start(number: int, variants: Mapping[str, Sequence[float]], lost: Lost | None = None) -> Start:
    """A start with these costs by variant."""
    passes = max((len(costs) for costs in variants.values()), default=0)
    return Start(
        ticket=Ticket(number, 0, 0, 1),
        plan=SlicePlan(0, REQUESTS, passes, 1),
        orders=(tuple(variants),) * passes,
        variants={name: slices(costs) for name, costs in variants.items()},
        seconds=1.0,
        lost=lost,
    )


def draws(kind: str, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Values whose bulk has middle 0 and standard deviation 1: normal, heavy tails, or with one wild value in ten."""
    values = rng.standard_normal(shape)
    if kind == "heavy tails":
        return rng.standard_t(3, shape)
    if kind == "wild":
        return np.where(rng.random(shape) < 0.1, values * 10, values)
    if kind == "wild upwards":
        return np.where(rng.random(shape) < 0.1, values + 8, values)
    return values


def ratios(logs: Sequence[float], variant: str = "other", error: float = 0.0) -> StartRatios:
    return StartRatios(variant, tuple(float(log) for log in logs), (error,) * len(logs))
