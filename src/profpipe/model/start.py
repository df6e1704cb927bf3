"""What one start measured: fresh processes of every variant, alive together and loaded in slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# "memory" = there is none left for this variant next to the others; "service" = a service beside the servers ended.
StartPhase = Literal["memory", "service", "start", "ready", "warm-up", "slices", "stop"]


def control_name(baseline: str) -> str:
    """The name of the baseline's second copy in a start."""
    return f"{baseline}, again"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where memory lies in one start, drawn from the study's seed and the same for every variant of the start.

    `pages` = how far below its highest place memory is mapped, `padding` = bytes added to the environment, which moves
    the stack, `hash_seed` = PYTHONHASHSEED.
    """

    number: int
    pages: int
    padding: int
    hash_seed: int


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One of several requests of a load; `requests` = those of its slices that count."""

    name: str
    requests: int


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """What every slice of a start does: `lead` requests that are left out, then `requests` that count.

    Some more requests than `lead` are left out, a number drawn for every slice, so that slices do not keep step with
    what a server does every so many requests. A start has `passes` passes; in each, every variant gets one slice, in an
    order drawn for that pass. With `routes`, a pass has a block for each of them and one for the mix, in an order drawn
    for that pass, and in each block every variant gets one slice.
    """

    lead: int
    requests: int
    passes: int
    connections: int
    routes: tuple[RoutePlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Queries:
    """What a service was asked for `requests` requests of one variant: statement -> how often.

    `why` = why that is not known.
    """

    requests: int
    statements: Mapping[str, int] = field(default_factory=dict)
    why: str | None = None


@dataclass(frozen=True, slots=True)
class RouteSlices:
    """One route of one variant in one start: a value per pass, as in VariantSlices."""

    requests: int
    cpu_ns: tuple[int, ...]
    wall_ns: tuple[int, ...]
    latency_us: tuple[tuple[float, float], ...]
    asked: tuple[int, ...] = ()
    services_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VariantSlices:
    """One variant in one start: a value per slice, in the order of the passes.

    `cpu_ns` = CPU of its process tree over the requests that count, `lead_ns` over those left out, `between_ns` since
    the end of its slice before; `client_ns` = CPU of the load client over all requests of the slice. `latency_us` =
    (median, 99th percentile) of a slice. `switches` = voluntary and involuntary context switches over all its slices;
    None where threads ended. `idle_ns` = CPU in `idle_wall_ns` without any request; None where that was not measured.
    `fixed_layout` = memory lies where the ticket puts it. `peak_bytes` = largest resident size of its process tree.

    Of a load with several routes the columns are those of the mix, `between_ns` that of the whole pass; `routes` has
    the slices of each route, and `sent` how often each was sent in the requests of the mix that count.

    `services_ns` = service beside the servers -> CPU of its processes over all requests of each slice, of which there
    were `asked`: what a service does for the first requests is no work put off. `queries` = service -> route, empty for
    a load with one request -> what it was asked, in a count of its own after the slices.
    """

    requests: int
    cpu_ns: tuple[int, ...]
    lead_ns: tuple[int, ...]
    between_ns: tuple[int, ...]
    wall_ns: tuple[int, ...]
    client_ns: tuple[int, ...]
    latency_us: tuple[tuple[float, float], ...]
    switches: tuple[int, int] | None
    served: int
    reconnects: int
    processes: int
    fixed_layout: bool
    idle_ns: int | None = None
    idle_wall_ns: int | None = None
    peak_bytes: int | None = None
    routes: Mapping[str, RouteSlices] = field(default_factory=dict)
    sent: tuple[tuple[int, ...], ...] = ()
    asked: tuple[int, ...] = ()
    services_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    queries: Mapping[str, Mapping[str, Queries]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a start was lost for all variants, and which variant did it; None where none can be blamed."""

    variant: str | None
    phase: StartPhase
    reason: str
    log_tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """One start. `variants` is empty where it was lost; `orders` = the order of each pass, by name. With several
    routes it is the order of each block, and `blocks` are the blocks' routes, None = the mix.

    The control is the baseline a second time, under a name of its own. `seconds` = from the first launch to the last
    stop; `slices_s` = of it, time in passes.
    """

    ticket: Ticket
    plan: SlicePlan
    orders: tuple[tuple[str, ...], ...]
    variants: Mapping[str, VariantSlices]
    seconds: float
    slices_s: float = 0.0
    lost: Lost | None = None
    warnings: tuple[str, ...] = ()
    blocks: tuple[str | None, ...] = ()
