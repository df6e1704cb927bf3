"""A/A studies made of rounds that were really run: the rounds of one variant, dealt out to sides that cannot differ."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from profpipe.analyse import RunData, StudyData

AGAIN = "again"


def dealt(data: StudyData, variant: str, rounds: dict[str, int], seed: int, *, control: bool = True) -> StudyData:
    """An A/A study of `variant` against itself: `rounds` = rounds a side of each profiler.

    All its valid runs, the control's with them, are taken in the order they ran. A stretch of neighbours is picked,
    and of every two (with `control` three) that follow each other, one goes to each side, in an order drawn by
    `seed`: what drifts, or comes in spells, stays as it was, and falls on the sides by chance. No run is used twice
    in a study. Raises ValueError naming the profiler with too few runs.
    """
    rng = random.Random(seed)
    sides = ((variant, False), (AGAIN, False), *(((variant, True),) if control else ()))
    runs: list[RunData] = []
    for profiler, many in rounds.items():
        found = [r for r in data.runs if r.record.variant == variant and r.record.profiler == profiler]
        found = sorted((r for r in found if r.record.valid), key=lambda r: (r.record.started, r.record.order))
        need = many * len(sides)
        if len(found) < need:
            raise ValueError(f"{profiler}: {len(found)} valid runs of {variant}, {need} are needed")
        start = rng.randint(0, len(found) - need)
        for number in range(many):
            at = start + number * len(sides)
            runs += _round(found[at : at + len(sides)], sides, number + 1, rng)
    facts = data.facts(variant)
    return replace(
        data,
        record=replace(
            data.record,
            baseline=variant,
            variants=(facts, replace(facts, id=AGAIN, label=f"{data.label(variant)}, again")),
            rounds=max(rounds.values(), default=0),
            kinds={p: kind for p, kind in data.instruments.items() if p in rounds},
            hypotheses=(),
        ),
        runs=tuple(runs),
    )


def _round(
    runs: Sequence[RunData], sides: Sequence[tuple[str, bool]], number: int, rng: random.Random
) -> list[RunData]:
    order = list(runs)
    rng.shuffle(order)
    return [
        RunData(replace(run.record, variant=side, control=control, round=number), run.profiles)
        for run, (side, control) in zip(order, sides, strict=True)
    ]
