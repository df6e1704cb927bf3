"""Before anything is measured: whether every variant answers every route of the load as expected.

A route that one variant does not answer is left out for all of them, by name: a mix in which one variant only sends an
error page cannot be compared, and the other routes can.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from profpipe.capture.server.layout import draw
from profpipe.capture.side_by_side import StartLost, Variant, side_by_side, stop
from profpipe.errors import CaptureError, LoadError
from profpipe.load.slices.client import Address, Block, Client, VariantFailed
from profpipe.model.report import Limit
from profpipe.pipeline.events import Listener, Note
from profpipe.pipeline.execute.interface import Result, Session, Unit
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.slices.reached import Reached
from profpipe.pipeline.slices.start import Setting
from profpipe.pipeline.slices.units import setting_of, variants_of
from profpipe.study import LoadPlan
from profpipe.study.requests import Route

CONNECTIONS, REQUESTS = 2, 6
# A server may accept connections before it can answer: a route that fails is asked again until so many seconds.
PATIENCE_S, PAUSE_S = 5.0, 0.25


@dataclass(frozen=True, slots=True)
class RoutesUnit:
    """Every route of one variant, asked alone. The result: name of a route -> why it cannot be measured."""

    folder: Path
    variant: str

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> Mapping[str, str]:  # noqa: ARG002
        (variant,) = variants_of(study, [self.variant])
        try:
            return unanswered(variant, setting_of(study, study.fitted))
        except (StartLost, LoadError):
            return {}  # it does not serve at all: what is measured next says so with its log


def unanswered(variant: Variant, setting: Setting) -> Mapping[str, str]:
    """Start the variant and ask each route a few times. Raises StartLost where it does not serve."""
    found: dict[str, str] = {}
    with side_by_side([ready_soon(variant)], draw(0, 0), root=setting.root, placement=setting.placement) as (one,):
        reached = Reached()
        (address,) = reached.addresses([one])
        limit = time.monotonic() + PATIENCE_S
        with Client(setting.placement.load_cpus, timeout=setting.timeout) as client:
            for place, route in enumerate(variant.routes):
                why = _ask(client, address, place)
                while why is not None and time.monotonic() < limit:
                    time.sleep(PAUSE_S)
                    why = _ask(client, address, place)
                if why is not None:
                    found[route.name] = reached.text(why).removeprefix(f"route {route.name}: ")
        stop([one])
    return found


def ready_soon(variant: Variant) -> Variant:
    """Ready when it accepts a connection, unless its target says better: the first route may be the one that fails."""
    ready = variant.target.ready
    if ready.http or ready.line or ready.tcp:
        return variant
    target = variant.target.model_copy(update={"ready": ready.model_copy(update={"tcp": True})})
    return replace(variant, target=target)


def _ask(client: Client, address: Address, place: int) -> str | None:
    try:
        client.open([address], CONNECTIONS)
        client.slices([[0]], [], client.timeout * REQUESTS, blocks=[Block(place, (REQUESTS,))])
    except VariantFailed as error:
        return error.reason
    return None


def without_unanswered(
    prepared: PreparedStudy, session: Session, broken: Collection[str], listen: Listener
) -> PreparedStudy:
    """The study without the routes that a variant does not answer; unchanged where its load has one request.

    A variant that answers none of them is not asked further: the study says why it does not serve.
    """
    routes = prepared.study.load.routes
    if not routes:
        return prepared
    reasons: dict[str, str] = {}
    for name in prepared.targets:
        found = {} if name in broken else _carry_out(session, name)
        if len(found) < len(routes):
            reasons = {route: f"{name}: {why}" for route, why in found.items()} | reasons
    left_out = tuple((route, reasons[route.name]) for route in routes if route.name in reasons)
    if not left_out or len(left_out) == len(routes):
        return prepared
    texts = [f"Route {route.name} ({route.words}) is left out of the load: {why}." for route, why in left_out]
    for text in texts:
        listen(Note(text))
    fewer = without(prepared, frozenset(reasons))
    return replace(
        fewer,
        limits=(*prepared.limits, *(Limit(profiler="clean", text=text) for text in texts)),
        routes_left_out=left_out,
    )


def _carry_out(session: Session, name: str) -> Mapping[str, str]:
    with TemporaryDirectory(prefix="profpipe-routes-") as folder:
        ((_, found),) = session.carry_out([RoutesUnit(Path(folder), name)])
    return found


def without(prepared: PreparedStudy, names: frozenset[str]) -> PreparedStudy:
    """The study with its loads without these routes."""
    study = prepared.study
    loads = {key: _fewer(getattr(study, key), names) for key in ("load", "throughput", "latency")}
    uses = {key: use.model_copy(update={"load": _fewer(use.load, names)}) for key, use in study.profiler.items()}
    return replace(prepared, study=study.model_copy(update={**loads, "profiler": uses}))


@dataclass(frozen=True, slots=True)
class _Fewer:
    """A unit whose loads are without these routes."""

    unit: Unit[Any]
    names: frozenset[str]

    @property
    def folder(self) -> Path:
        return self.unit.folder

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> Any:
        return self.unit.carry_out(without(study, self.names), folder, listen)


@dataclass(frozen=True, slots=True)
class FewerRoutes:
    """A session that has begun with all routes of a load, and carries out units without some of them."""

    inner: Session
    names: frozenset[str]

    def environment(self) -> Mapping[str, str]:
        return self.inner.environment()

    def build(self) -> Mapping[str, CaptureError]:
        return self.inner.build()

    def carry_out(self, units: Iterable[Unit[Result]]) -> Iterator[tuple[Unit[Result], Result]]:
        for fewer, found in self.inner.carry_out(_Fewer(unit, self.names) for unit in units):
            assert isinstance(fewer, _Fewer)
            yield fewer.unit, found


def _fewer(plan: LoadPlan | None, names: Collection[str]) -> LoadPlan | None:
    kept: Sequence[Route] = [route for route in plan.routes if route.name not in names] if plan is not None else ()
    return plan.asking(tuple(kept)) if plan is not None and kept else plan
