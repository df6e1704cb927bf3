"""A start as JSON and back: one compact file per start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from profpipe.errors import InvalidProfile
from profpipe.model.start import Lost, Queries, RoutePlan, RouteSlices, SlicePlan, Start, Ticket, VariantSlices

SCHEMA = "profpipe.start/1"


def dump_start(start: Start) -> bytes:
    """Same start, same bytes."""
    return json.dumps({"schema": SCHEMA, **asdict(start)}, separators=(",", ":")).encode()


def load_start(data: bytes, source: str) -> Start:
    """Read dump_start's bytes back. Raises InvalidProfile naming `source` and what is not as it should be."""
    try:
        body = json.loads(data)
        if body.get("schema") != SCHEMA:
            raise InvalidProfile(f"{source}: schema is {body.get('schema')!r}, this version reads {SCHEMA!r}")
        return _start(body)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidProfile(f"{source}: not a start as {SCHEMA!r} describes it: {error}") from error


def _start(body: dict[str, Any]) -> Start:
    lost = body["lost"]
    plan = _plan(body["plan"])
    variants = {name: _variant(row) for name, row in body["variants"].items()}
    for name, row in variants.items():
        columns: list[Sequence[object]] = [
            row.cpu_ns, row.lead_ns, row.between_ns, row.wall_ns, row.client_ns, row.latency_us,
            *(column for route in row.routes.values() for column in (route.cpu_ns, route.wall_ns, route.latency_us)),
            *([row.sent] if row.routes else []),
        ]  # fmt: skip
        if len({len(column) for column in columns}) != 1:
            raise ValueError(f"the columns of {name} differ in length")
    return Start(
        ticket=Ticket(**body["ticket"]),
        plan=plan,
        orders=tuple(tuple(order) for order in body["orders"]),
        variants=variants,
        seconds=body["seconds"],
        slices_s=body["slices_s"],
        lost=None if lost is None else Lost(**(lost | {"log_tail": tuple(lost["log_tail"])})),
        warnings=tuple(body["warnings"]),
        blocks=tuple(body.get("blocks", ())),
    )


def _plan(row: dict[str, Any]) -> SlicePlan:
    routes = tuple(RoutePlan(**route) for route in row.get("routes", ()))
    return SlicePlan(**row | {"routes": routes})


def _variant(row: dict[str, Any]) -> VariantSlices:
    columns = {name: tuple(row[name]) for name in ("cpu_ns", "lead_ns", "between_ns", "wall_ns", "client_ns")}
    latency = tuple((median, p99) for median, p99 in row["latency_us"])
    switches = None if row["switches"] is None else (row["switches"][0], row["switches"][1])
    routes = {name: _route(found) for name, found in row.get("routes", {}).items()}
    several = {"routes": routes, "sent": tuple(tuple(counts) for counts in row.get("sent", ()))}
    beside = _services(row) | {"queries": _queries(row.get("queries", {}))}
    return VariantSlices(**(row | columns | several | beside | {"latency_us": latency, "switches": switches}))


def _services(row: dict[str, Any]) -> dict[str, Any]:
    services = {name: tuple(column) for name, column in row.get("services_ns", {}).items()}
    return {"asked": tuple(row.get("asked", ())), "services_ns": services}


def _queries(found: dict[str, Any]) -> dict[str, dict[str, Queries]]:
    return {name: {route: Queries(**each) for route, each in routes.items()} for name, routes in found.items()}


def _route(row: dict[str, Any]) -> RouteSlices:
    latency = tuple((median, p99) for median, p99 in row["latency_us"])
    columns = {name: tuple(row[name]) for name in ("cpu_ns", "wall_ns")}
    return RouteSlices(**(row | columns | _services(row) | {"latency_us": latency}))
