"""A start that finds out how long slices should be: what is left out of each, and how many requests count."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import median

from profpipe.analyse.statistics.slice_length import SliceLength, Trial, choose_lead, choose_length, choose_routes
from profpipe.capture.side_by_side import Variant
from profpipe.load.slices.client import Block
from profpipe.model.start import Ticket
from profpipe.pipeline.prepare.schedule import orders_of
from profpipe.pipeline.slices.start import ROUNDS_A_PART, OpenStart, Setting, extra_of, opened

# In parts of ROUNDS_A_PART requests a connection.
POSITION_PARTS, POSITION_PASSES, POSITION_S = 12, 16, 8.0
TRIED_PARTS = (2, 4, 8)
TRIAL_S, TRIAL_MOST_PASSES = 1.2, 400
ROUTE_PASSES = 3


def try_lengths(
    variants: Sequence[Variant], baseline: str, ticket: Ticket, setting: Setting, *, seed: int
) -> SliceLength:
    """A start that measures how long slices should be: first what is left out, then a trial of each length.

    Raises StartLost; LoadError when the load client itself fails.
    """
    names = [variant.name for variant in variants]
    part = ROUNDS_A_PART * setting.connections
    with opened(variants, ticket, setting, setting.free) as start:
        ready = time.monotonic()
        orders = orders_of(seed, ticket.number, len(variants), POSITION_PASSES)
        answer = start.slices(orders, [part] * POSITION_PARTS, seconds=POSITION_S)
        costs = {
            name: [[ns / part for ns in found["cpu_ns"]] for found in answer["slices"] if found["variant"] == index]
            for index, name in enumerate(names)
        }
        lead = choose_lead(costs, part)
        trials = [_trial(start, names, lead.requests, many * part, part - 1, seed) for many in TRIED_PARTS]
        routes = variants[0].routes
        asked_s = _route_seconds(start, len(routes), part, orders) if routes else {}
        loaded = time.monotonic() - ready
    best = choose_length(trials, baseline)
    # Later starts launch the baseline with the others, not before them.
    before_others_s = start.running[1].launched - start.running[0].launched
    launch_s = time.monotonic() - start.begun - loaded - before_others_s
    length = SliceLength(lead=lead, requests=best.requests, pass_s=best.pass_s, launch_s=launch_s)
    if not routes:
        return length
    mix_s = asked_s[None]
    # Of slow servers the time that is allowed may have ended before the last routes were asked.
    routes_s = {route.name: asked_s.get(place, mix_s) for place, route in enumerate(routes)}
    return choose_routes(length, part, mix_s, routes_s)


def _route_seconds(
    start: OpenStart, routes: int, part: int, orders: Sequence[Sequence[int]]
) -> Mapping[int | None, float]:
    """Route, and None for the mix -> seconds that the slowest variant takes for a request of it."""
    blocks = [Block(route, (part, part)) for _ in range(ROUTE_PASSES) for route in (None, *range(routes))]
    rows = [orders[i % len(orders)] for i in range(len(blocks))]
    found: dict[tuple[int | None, int], list[float]] = {}
    for one in start.slices(rows, [], seconds=POSITION_S, blocks=blocks)["slices"]:
        found.setdefault((one["route"], one["variant"]), []).append(one["wall_ns"][-1] / part / 1e9)
    slowest: dict[int | None, float] = {}
    for (route, _), seconds in found.items():
        slowest[route] = max(slowest.get(route, 0.0), median(seconds))
    return slowest


def _trial(start: OpenStart, names: Sequence[str], lead: int, requests: int, most_extra: int, seed: int) -> Trial:
    begun = time.monotonic()
    orders = orders_of(seed, -requests, len(names), TRIAL_MOST_PASSES)
    extra = extra_of(seed, -requests, orders, most_extra)
    answer = start.slices(orders, [lead, requests], seconds=TRIAL_S, extra=extra)
    done = len(answer["slices"]) // len(names)
    costs = {
        name: [found["cpu_ns"][-1] / requests for found in answer["slices"] if found["variant"] == index]
        for index, name in enumerate(names)
    }
    return Trial(requests=requests, costs=costs, pass_s=(time.monotonic() - begun) / done)
