"""One start: launch all variants with one ticket, wait, warm up, load them in slices, stop. It leaves no process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from profpipe.analyse.statistics.slowing import slower_at_the_end
from profpipe.capture.server.memory import Free, free_memory
from profpipe.capture.server.placement import Placement
from profpipe.capture.server.usage import peak_bytes
from profpipe.capture.services.beside import NO_SERVICES, Beside
from profpipe.capture.side_by_side import Running, StartLost, Variant, blame, side_by_side, stop
from profpipe.load.slices.client import Address, Block, Client, VariantFailed
from profpipe.model.start import Lost, RoutePlan, RouteSlices, SlicePlan, Start, Ticket, VariantSlices
from profpipe.pipeline.prepare.schedule import orders_of
from profpipe.pipeline.slices.queries import count_queries
from profpipe.pipeline.slices.reached import Reached

WARM_UP_PASSES = 4
LONGEST_S = 120.0  # of the slices of one start, however slow the servers are
# Lengths of slices are counted in parts of two requests a connection.
ROUNDS_A_PART = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """What all starts of a study share. `timeout` = seconds in which a server must answer a request.

    `free` gives the memory that is left, for the first start; None = it is known that all variants fit. `beside` = the
    services that the servers use.
    """

    root: Path
    placement: Placement
    connections: int = 20
    warm_up: int = 400
    timeout: float = 5.0
    free: Callable[[], Free | None] | None = free_memory
    beside: Beside = NO_SERVICES


# How `_length` of study.py knows that a variant does so.
REPLACES = "a server that replaces its processes as it serves (--max-requests, --limit-max-requests) has no slices"


@dataclass(slots=True)
class OpenStart:
    """A start under way: its servers, its client, and what is known so far."""

    running: tuple[Running, ...]
    client: Client
    begun: float
    beside: Beside = NO_SERVICES
    warnings: list[str] = field(default_factory=list)

    def connect(self, servers: Sequence[Address], connections: int) -> None:
        """Open new connections to every server, and close those before. Raises StartLost naming the variant."""
        try:
            self.client.open(servers, connections, self.beside.keepers)
        except VariantFailed as error:
            raise StartLost(blame(self.running[error.variant], error.reason)) from error

    def slices(
        self,
        orders: Sequence[Sequence[int]],
        parts: Sequence[int],
        seconds: float = LONGEST_S,
        extra: Sequence[Sequence[int]] | None = None,
        blocks: Sequence[Block] | None = None,
        seed: int = 0,
    ) -> dict[str, Any]:
        """As Client.slices. Raises StartLost naming the variant."""
        try:
            answer = self.client.slices(orders, parts, seconds, extra, blocks, seed)
        except VariantFailed as error:
            raise StartLost(blame(self.running[error.variant], error.reason)) from error
        refuse_replaced(self.running, answer)
        return answer

    def ask(self, variant: int, route: int | None, requests: int) -> None:
        """Send one variant alone so many requests. Raises StartLost."""
        self.slices([[variant]], [], blocks=[Block(route, (requests,))])


def refuse_replaced(running: Sequence[Running], answer: Mapping[str, Any]) -> None:
    """Raises StartLost where a variant replaced a process: the CPU time of the new one's start is no slice's."""
    for one, before, after in zip(running, answer["before"], answer["after"], strict=True):
        if ended := after["ended"] - before["ended"]:
            text = f"{ended} of its processes ended in the slices: {REPLACES}"
            raise StartLost(Lost(one.variant.name, "slices", text, one.server.log.tail()))


def launched_in(variants: Sequence[Variant], seed: int, number: int) -> list[Variant]:
    """The order in which start `number` launches, connects to and warms up its variants, drawn from the study's seed.

    In one order for ever, the second of two equal servers of threads cost 0.4 and 0.7 % less than the first.
    """
    return random.Random(f"launch {seed} {number}").sample(variants, len(variants))


def extra_of(seed: int, number: int, orders: Sequence[Sequence[int]], most: int) -> list[list[int]]:
    """How many requests more than the plan says every slice leaves out: 0 to `most`, drawn from the study's seed.

    Slices of one length could keep step with what a server does every so many requests, such as collecting garbage:
    it would fall into the same place of every slice of a start.
    """
    rng = random.Random(f"extra {seed} {number}")
    return [[rng.randint(0, most) for _ in order] for order in orders]


def blocks_of(seed: int, number: int, plan: SlicePlan) -> list[Block]:
    """What each pass of start `number` asks: with several routes, a block for each and one for the mix, in an order
    drawn from the study's seed. So what the machine does falls on all variants of a block alike.
    """
    asked = [Block(None, (plan.lead, plan.requests))]
    asked += [Block(place, (plan.lead, route.requests)) for place, route in enumerate(plan.routes)]
    rng = random.Random(f"blocks {seed} {number}")
    return [block for _ in range(plan.passes) for block in rng.sample(asked, len(asked))]


def _names(blocks: Sequence[Block], plan: SlicePlan) -> tuple[str | None, ...]:
    return tuple(None if block.route is None else plan.routes[block.route].name for block in blocks)


def _mix_seed(seed: int, number: int) -> int:
    """Seed of the order of the routes in the mix, in start `number`."""
    return random.Random(f"mix {seed} {number}").randrange(2**31)


@contextmanager
def opened(
    variants: Sequence[Variant], ticket: Ticket, setting: Setting, free: Callable[[], Free | None] | None = None
) -> Iterator[OpenStart]:
    """All variants serving, connected to and warmed up. Raises StartLost; stops every server at the end.

    The warm-up closes its connections once, as clients of a server that has run for a while have done. CPython's
    asyncio reads into 256 KiB, which glibc maps again for every read until such a block was freed whole, at the end of
    a connection: without it asyncio cost 19.9 us a request in slices and 6.0 us under h2load on the same processor.
    """
    begun, reached = time.monotonic(), Reached()
    beside = side_by_side(variants, ticket, root=setting.root, placement=setting.placement, free=free)
    with reached.hidden(), beside as running:
        with Client(setting.placement.load_cpus, timeout=setting.timeout) as client:
            start = OpenStart(running, client, begun, setting.beside)
            servers = reached.addresses(running)
            for _ in range(2):
                start.connect(servers, setting.connections)
                if setting.warm_up:
                    part = max(setting.warm_up // 2 // WARM_UP_PASSES, 1)
                    start.slices([tuple(range(len(running)))] * WARM_UP_PASSES, [part])
            yield start
        start.warnings += stop(running)


def serves_alone(variant: Variant, ticket: Ticket, setting: Setting) -> Lost | None:
    """Why a variant does not serve and answer without any other; None where it does."""
    try:
        with opened([variant], ticket, setting):
            return None
    except StartLost as error:
        return error.lost


def measure_start(
    variants: Sequence[Variant], ticket: Ticket, plan: SlicePlan, setting: Setting, *, seed: int, idle_s: float = 0.0
) -> Start:
    """One start under `plan`. What a variant does wrong loses the start for all and is in `Start.lost`.

    LoadError when the load client itself fails; KeyboardInterrupt goes on to the caller with every server gone.
    """
    begun, blocks = time.monotonic(), blocks_of(seed, ticket.number, plan)
    launched = launched_in(variants, seed, ticket.number)
    orders = orders_of(seed, ticket.number, len(launched), len(blocks))
    named = tuple(tuple(launched[index].name for index in order) for order in orders)
    try:
        with opened(launched, ticket, setting) as start:
            idle, wall = start.client.idle(idle_s) if idle_s else ([None] * len(variants), None)
            at = time.monotonic()
            extra = extra_of(seed, ticket.number, orders, ROUNDS_A_PART * setting.connections - 1)
            answer = start.slices(orders, [], extra=extra, blocks=blocks, seed=_mix_seed(seed, ticket.number))
            slices_s = time.monotonic() - at
            peaks = [peak_bytes(running.server.tree()) for running in start.running]
            asked = count_queries(start.beside if idle_s else NO_SERVICES, start.ask, len(launched), plan)
    except StartLost as lost:
        return _without_figures(ticket, plan, named, time.monotonic() - begun, lost.lost)
    found = {
        one.variant.name: replace(_variant(i, one, plan, answer, idle[i], wall), peak_bytes=peaks[i], queries=asked[i])
        for i, one in enumerate(start.running)
    }
    seconds = time.monotonic() - begun
    if (slower := slower_at_the_end({name: slices.cpu_ns for name, slices in found.items()})) is not None:
        return _without_figures(ticket, plan, named, seconds, Lost(slower[0], "slices", slower[1]))
    return Start(
        ticket=ticket,
        plan=plan,
        orders=named,
        variants={variant.name: found[variant.name] for variant in variants},
        seconds=seconds,
        slices_s=slices_s,
        warnings=tuple(start.warnings),
        blocks=_names(blocks, plan) if plan.routes else (),
    )


def _without_figures(
    ticket: Ticket, plan: SlicePlan, orders: tuple[tuple[str, ...], ...], seconds: float, lost: Lost
) -> Start:
    return Start(ticket=ticket, plan=plan, orders=orders, variants={}, seconds=seconds, lost=lost)


def _variant(
    index: int, running: Running, plan: SlicePlan, answer: dict[str, Any], idle: int | None, idle_wall: int | None
) -> VariantSlices:
    every = [found for found in answer["slices"] if found["variant"] == index]
    in_pass = len(plan.routes) + 1
    # The last pass may have been cut off by LONGEST_S: only whole ones count.
    every = every[: len(every) // in_pass * in_pass]
    mine = [found for found in every if found["route"] is None]
    between = [found["between_ns"] for found in every]
    before, after = answer["before"][index], answer["after"][index]
    kept = after["ended"] == before["ended"] and after["processes"] == before["processes"]
    return VariantSlices(
        requests=plan.requests,
        cpu_ns=tuple(found["cpu_ns"][-1] for found in mine),
        lead_ns=tuple(found["cpu_ns"][0] for found in mine),
        between_ns=tuple(sum(between[i : i + in_pass]) for i in range(0, len(between), in_pass)),
        wall_ns=tuple(found["wall_ns"][-1] for found in mine),
        client_ns=tuple(found["client_ns"] for found in mine),
        latency_us=tuple((found["latency_us"][0], found["latency_us"][1]) for found in mine),
        switches=_difference(before["switches"], after["switches"]) if kept else None,
        served=after["served"] - before["served"],
        reconnects=after["reconnects"] - before["reconnects"],
        processes=after["processes"],
        fixed_layout=running.fixed_layout,
        idle_ns=idle,
        idle_wall_ns=idle_wall,
        routes={
            route.name: _route(route, [found for found in every if found["route"] == place])
            for place, route in enumerate(plan.routes)
        },
        sent=tuple(tuple(found["sent"]) for found in mine) if plan.routes else (),
        asked=tuple(sum(found["requests"]) for found in mine),
        services_ns=_services_ns(mine),
    )


def _services_ns(mine: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, ...]]:
    names = mine[0]["services_ns"] if mine else {}
    return {name: tuple(found["services_ns"][name] for found in mine) for name in names}


def _route(route: RoutePlan, mine: Sequence[Mapping[str, Any]]) -> RouteSlices:
    return RouteSlices(
        requests=route.requests,
        cpu_ns=tuple(found["cpu_ns"][-1] for found in mine),
        wall_ns=tuple(found["wall_ns"][-1] for found in mine),
        latency_us=tuple((found["latency_us"][0], found["latency_us"][1]) for found in mine),
        asked=tuple(sum(found["requests"]) for found in mine),
        services_ns=_services_ns(mine),
    )


def _difference(before: Sequence[int], after: Sequence[int]) -> tuple[int, int] | None:
    """Switches between two looks; None where a thread that ended took its count with it."""
    found = after[0] - before[0], after[1] - before[1]
    return found if min(found) >= 0 else None
