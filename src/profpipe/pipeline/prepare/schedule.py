"""The order of runs: fresh processes, one instrument after another, variants interleaved ABBA over the rounds."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A planned run. `control` = the baseline measured against itself."""

    order: int
    variant: str
    profiler: str
    round: int
    control: bool


def schedule(
    variants: Sequence[str],
    profilers: Mapping[str, int],
    baseline: str,
    *,
    control: Sequence[str],
    refused: frozenset[tuple[str, str]] = frozenset(),
    after: Mapping[str, int] | None = None,
    order: int = 0,
) -> tuple[RunPlan, ...]:
    """The runs in order. `profilers` maps each to its rounds; `control` names those that measure the baseline twice.

    Odd rounds go forward, even rounds backward (A B C, C B A), so that slow drift of the machine falls on all
    alike; the control is at the far end from the baseline, where drift affects it most. `refused` holds
    (variant, profiler) pairs that cannot be measured. `after` = rounds of each profiler that were run before, the
    last of them with the number `order`.
    """
    runs: list[RunPlan] = []
    for profiler, rounds in profilers.items():
        line = [(variant, False) for variant in variants if (variant, profiler) not in refused]
        if profiler in control and (baseline, False) in line:
            line.append((baseline, True))
        for round_number in range((after or {}).get(profiler, 0) + 1, rounds + 1):
            for variant, is_control in line if round_number % 2 else reversed(line):
                runs.append(RunPlan(order + len(runs) + 1, variant, profiler, round_number, is_control))
    return tuple(runs)


def orders_of(seed: int, number: int, variants: int, passes: int) -> tuple[tuple[int, ...], ...]:
    """The order of every pass of start or round `number`, drawn from the study's seed: each variant once a pass."""
    rng = random.Random(f"orders {seed} {number}")
    return tuple(tuple(rng.sample(range(variants), variants)) for _ in range(passes))
