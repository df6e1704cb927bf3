"""Figures that were measured by slices: a value per start, ratios of starts, and the lottery of each variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from profpipe.analyse.statistics.series import rounded, series
from profpipe.analyse.statistics.starts import (
    Floats,
    StartRatios,
    components,
    cost_ns,
    median_error,
    service_cost_ns,
    start_ratios,
)
from profpipe.analyse.statistics.starts import valid as kept
from profpipe.analyse.study_data import StudyData
from profpipe.model.metric_keys import BETWEEN, CPU, LOOP_P50, LOOP_P99, MEMORY, SERVICES, SWITCHES, WALL
from profpipe.model.report import LostStart, Lottery, Series, SlicesInfo
from profpipe.model.start import Start, VariantSlices

Cost = Callable[[VariantSlices], Floats | None]
TIMED = (CPU, WALL)


@dataclass(frozen=True, slots=True)
class Ratios:
    """Ratios to the baseline, start by start: of every contender, and of the control."""

    against: Mapping[str, StartRatios]
    control: StartRatios


def _cpu_us(slices: VariantSlices) -> Floats:
    return cost_ns(slices) / 1000


def _wall_us(slices: VariantSlices) -> Floats:
    return np.maximum(np.array(slices.wall_ns, dtype=np.float64), 1.0) / slices.requests / 1000


def _between_us(slices: VariantSlices) -> Floats:
    return np.array([sum(slices.between_ns) / max(slices.served, 1) / 1000])


def _switches(slices: VariantSlices) -> Floats | None:
    """None where threads ended, whose switches are lost. One switch at least, so that a ratio exists."""
    return None if slices.switches is None else np.array([max(sum(slices.switches), 1) / max(slices.served, 1)])


def _peak(slices: VariantSlices) -> Floats | None:
    return np.array([float(slices.peak_bytes)]) if slices.peak_bytes else None


def _services_us(slices: VariantSlices) -> Floats | None:
    found = service_cost_ns(None)(slices)
    return None if found is None else found / 1000


def _latency(place: int) -> Cost:
    return lambda slices: np.array([pair[place] for pair in slices.latency_us])


COSTS: Mapping[str, Cost] = {
    CPU: _cpu_us,
    WALL: _wall_us,
    BETWEEN: _between_us,
    SWITCHES: _switches,
    MEMORY: _peak,
    LOOP_P50: _latency(0),
    LOOP_P99: _latency(1),
    SERVICES: _services_us,
}


def start_series(study: StudyData, variant: str, key: str) -> Series:
    """A value per start that is kept: the median of its slices."""
    found = [_value(start, variant, COSTS[key]) for start in kept(study.starts)]
    record = study.record.slices
    left_out = {each.target: each.reason for each in record.left_out} if record is not None else {}
    return series(found, None if any(v is not None for v in found) else left_out.get(variant, "no start measured it"))


def _value(start: Start, variant: str, cost: Cost) -> float | None:
    slices = start.variants.get(variant)
    values = None if slices is None else cost(slices)
    return None if values is None else float(np.median(values))


def ratios_of(study: StudyData, key: str, control: str) -> Ratios:
    def against(variant: str) -> StartRatios:
        return start_ratios(study.starts, variant, study.baseline, COSTS[key])

    return Ratios({v: against(v) for v in study.contenders}, against(control))


def lotteries(study: StudyData, variant: str) -> dict[str, Lottery]:
    """The spread over starts of the figures whose slices are timed; empty where no start has the variant."""
    found = {key: _lottery(study.starts, variant, COSTS[key]) for key in TIMED}
    return {key: lottery for key, lottery in found.items() if lottery is not None}


def _lottery(starts: Sequence[Start], variant: str, cost: Cost) -> Lottery | None:
    costs = [
        found
        for start in kept(starts)
        if variant in start.variants
        if (found := cost(start.variants[variant])) is not None
    ]
    if not costs:
        return None
    medians = [float(np.median(values)) for values in costs]
    within, between = components(np.log(medians).tolist(), [median_error(np.log(values)) for values in costs])
    means = [float(values.mean()) for values in costs]
    return Lottery(
        low=rounded(min(medians)),
        high=rounded(max(medians)),
        within=rounded(within, 4),
        between=rounded(between, 4),
        mean_over_median=rounded(float(np.mean(means) / np.mean(medians)), 4),
    )


def idle_cpu(starts: Sequence[Start], variant: str) -> float | None:
    """Share of one processor that a variant uses without any request, in the first start that measured it."""
    for start in kept(starts):
        slices = start.variants.get(variant)
        if slices is not None and slices.idle_ns is not None and slices.idle_wall_ns:
            return rounded(slices.idle_ns / slices.idle_wall_ns, 3)
    return None


def slices_info(study: StudyData) -> SlicesInfo | None:
    """How the study was measured by slices; None where it was not."""
    record = study.record.slices
    if record is None:
        return None
    good = kept(study.starts)
    seconds = sum(start.seconds for start in study.starts)
    return SlicesInfo(
        **dict(record),
        starts=len(good),
        lost=tuple(_lost(start) for start in study.starts if start.lost is not None),
        fixed_layouts=all(s.fixed_layout for start in good for s in start.variants.values()) if good else None,
        starts_per_minute=rounded(60 * len(study.starts) / seconds, 3) if seconds else None,
        load_share=rounded(sum(start.slices_s for start in good) / seconds, 3) if seconds else None,
    )


def _lost(start: Start) -> LostStart:
    assert start.lost is not None
    return LostStart(
        start=start.ticket.number,
        variant=start.lost.variant,
        phase=start.lost.phase,
        reason=start.lost.reason,
        log_tail=start.lost.log_tail,
    )
