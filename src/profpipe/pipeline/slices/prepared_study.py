"""A prepared study measured by slices: whether it can be, its record, its starts as they end."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from profpipe.analyse.statistics.alpha import STARTS
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.statistics.slice_length import SliceLength
from profpipe.analyse.statistics.starts import ratio_over_starts, start_ratios, valid
from profpipe.analyse.statistics.starts_rule import StartsRule
from profpipe.capture.side_by_side import apart
from profpipe.errors import CaptureError
from profpipe.model.report import ALPHA, LeftOut, RouteRecord, SlicesRecord
from profpipe.model.start import SlicePlan, Start, control_name
from profpipe.pipeline.events import Listener, Note, StartEnded
from profpipe.pipeline.execute.interface import Session
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.slices.study import LOST_MOST, Measured, NotTogether, measure
from profpipe.pipeline.slices.units import CLEAN, BySession, setting_of, variants_of
from profpipe.study.requests import Route

LEAST_KEPT = 3


def route_records(prepared: PreparedStudy, plan: SlicePlan) -> tuple[RouteRecord, ...]:
    """The routes of the load as records: those of the plan, and those that were left out."""
    kept = prepared.study.load.routes
    whole = sum(route.weight for route in kept)
    requests = {route.name: route.requests for route in plan.routes}
    found = [_route_record(route, rounded(route.weight / whole, 6), requests=requests[route.name]) for route in kept]
    return (*found, *(_route_record(route, 0.0, reason=reason) for route, reason in prepared.routes_left_out))


def _route_record(
    route: Route, weight: float, *, requests: int | None = None, reason: str | None = None
) -> RouteRecord:
    return RouteRecord(
        name=route.name,
        request=route.words,
        weight=weight,
        status=route.status_words,
        requests=requests,
        reason=reason,
    )


@dataclass(slots=True)
class Keeping:
    """What is kept while starts are measured: `record` from the moment that the rule is fixed."""

    prepared: PreparedStudy
    contenders: tuple[str, ...]
    broken: Mapping[str, CaptureError]
    seed: int
    write_record: Callable[[SlicesRecord], None]
    write_start: Callable[[Start], None]
    listen: Listener
    record: SlicesRecord | None = None
    starts: list[Start] = field(default_factory=list)
    begun: float = 0.0

    def plan(self, length: SliceLength, plan: SlicePlan, rule: StartsRule) -> None:
        self.begun = time.monotonic()
        study = self.prepared.study
        self._keep(
            SlicesRecord(
                seed=self.seed,
                requests=plan.requests,
                lead=plan.lead,
                length=length.words,
                passes=plan.passes,
                connections=plan.connections,
                control=control_name(self.prepared.baseline),
                resolution=study.resolution,
                budget_s=self.prepared.slices_s,
                rule=rule.words,
                planned=rule.looks,
                alpha=rule.alpha,
                contenders=rule.contenders,
                left_out=tuple(LeftOut(target=name, reason=error.text) for name, error in self.broken.items()),
                routes=route_records(self.prepared, plan),
            )
        )
        self.listen(Note(f"CPU time is measured by slices: {length.words}"))

    def start(self, start: Start) -> None:
        self.write_start(start)
        self.starts.append(start)
        left = max(self.prepared.slices_s - (time.monotonic() - self.begun), 0.0)
        self.listen(StartEnded(len(valid(self.starts)), start.lost, self._width(), left))

    def end(self, stopped: str, left_out: Mapping[str, str]) -> SlicesRecord:
        assert self.record is not None
        rows = (LeftOut(target=name, reason=reason) for name, reason in left_out.items())
        return self._keep(
            self.record.model_copy(update={"stopped": stopped, "left_out": (*self.record.left_out, *rows)})
        )

    def _keep(self, record: SlicesRecord) -> SlicesRecord:
        self.record = record
        self.write_record(record)
        return record

    def _width(self) -> float | None:
        """Half-width of the widest interval of the contenders so far."""
        ratios = [start_ratios(self.starts, name, self.prepared.baseline) for name in self.contenders]
        widths = [ratio_over_starts(each).half_width for each in ratios if each.logs]
        known = [width for width in widths if math.isfinite(width)]
        return max(known) if known else None


def why_not(prepared: PreparedStudy, broken: Collection[str] = ()) -> str | None:
    """Why a study is measured in rounds, known before anything runs: in words for the report, None = by slices.

    An empty text is a reason that needs no words: the study does not ask for it.
    """
    if prepared.study.slices is False or CLEAN not in prepared.kinds:
        return ""
    if prepared.fitted.not_by_slices is not None:
        return prepared.fitted.not_by_slices
    if prepared.study.load.command is not None:
        return "the load is a program of its own, and slices are loaded by the built-in client"
    if prepared.study.load.mode == "rate":
        return "the load has a fixed rate, which slices cannot keep"
    feeder = prepared.study.load.feeder
    if feeder is not None and feeder.at_end == "stop":
        return f'the feeder {feeder.file} ends (at_end = "stop"), and slices take as many rows as they need'
    if prepared.baseline in broken:
        return "the baseline does not build"
    names = [name for name in prepared.targets if name not in broken]
    return apart(variants_of(prepared, [*names, control_name(prepared.baseline)]))


def measure_prepared(
    prepared: PreparedStudy,
    session: Session,
    broken: Mapping[str, CaptureError],
    *,
    write_record: Callable[[SlicesRecord], None],
    write_start: Callable[[Start], None],
    listen: Listener,
) -> SlicesRecord | str:
    """Measure the study's variants by slices; the reason in words where they cannot be, so that rounds follow.

    The record is written when the rule is fixed and again at the end, each start when it has ended.
    """
    study = prepared.study
    contenders = tuple(v for v in prepared.targets if v != prepared.baseline and v not in broken)
    seed = secrets.randbelow(2**31) if study.seed is None else study.seed
    keeping = Keeping(prepared, contenders, broken, seed, write_record, write_start, listen)
    baseline, *others = variants_of(prepared, [prepared.baseline, *contenders])
    listen(Note("all variants run at once now, to find out how long a slice should be"))
    try:
        found: Measured = measure(
            baseline,
            others,
            setting_of(prepared, prepared.fitted),
            seed=seed,
            budget_s=prepared.slices_s,
            resolution=study.resolution,
            alpha=ALPHA * STARTS,
            starts=BySession(session, seed, prepared.fitted),
            on_plan=keeping.plan,
            on_start=keeping.start,
        )
    except NotTogether as error:
        return str(error)
    except CaptureError as error:
        if keeping.record is None or len(valid(keeping.starts)) < LEAST_KEPT:
            return f"{LOST_MOST} starts were lost: {error.text}"
        return keeping.end(error.text, {})
    return keeping.end(found.stopped, found.left_out)
