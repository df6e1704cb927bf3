"""Verdicts on real rounds of one commit against itself, and on changes put into them. Promise: at most 1 % false.

The rounds are those of tests/data/aa (real servers, real callgrind, a noisy machine); each comparison deals some of
them out to two sides and a control that cannot differ and builds a whole report. Noise that a quiet machine has, and
the rule by which rounds are added, are simulated. `python -m bench.aa [COMPARISONS]` repeats docs/statistics.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bench.gen_aa import changed, servers, study
from bench.gen_dealt import AGAIN, dealt
from profpipe.analyse import build_report
from profpipe.analyse.statistics.alpha import levels
from profpipe.analyse.statistics.calibration import false_verdicts, share_interval
from profpipe.analyse.statistics.compare_figures import compare
from profpipe.analyse.statistics.looks import level, looks, plan_looks
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.noise import noise_of
from profpipe.analyse.statistics.rule import FLOOR_TIMED, Rule
from profpipe.analyse.statistics.series import series
from profpipe.model.metric_keys import BESIDE_LOAD

COMPARISONS = 300
LIMIT = 0.01
ALPHA = 0.01
# Rounds a side: clean, callgrind.
SETUPS = ((4, 2), (7, 2), (7, 3), (7, 4), (10, 7))
COUNTED = "callgrind:instructions"
TIMED = ("clean:cpu_us", "clean:switches", "clean:rss")
RULE = Rule("timed", FLOOR_TIMED)
# A hot function of each server, to put a change into.
HOT = {"epoll-prebuilt": "run", "threads": "_PyObject_Free", "asyncio-protocol": "_PyObject_Free"}
HOT |= {f"{server}-at-second": function for server, function in HOT.items()}
Draw = Callable[[np.random.Generator, int], Floats]


@dataclass(frozen=True)
class Noise:
    """A law of one round's cost over its usual cost."""

    name: str
    draw: Draw


def normal(cv: float) -> Draw:
    return lambda rng, n: 1 + rng.normal(0, cv, n)


def outliers(cv: float) -> Draw:
    return lambda rng, n: (1 + rng.normal(0, cv, n)) * np.where(rng.random(n) < 0.1, 1.15, 1.0)


def spells(cv: float) -> Draw:
    """Half the rounds at 1.5 times the cost: a processor shared with a neighbour."""
    return lambda rng, n: (1 + rng.normal(0, cv, n)) * np.where(rng.random(n) < 0.5, 1.5, 1.0)


NOISES = (
    Noise("normal, cv 1 %", normal(0.01)),
    Noise("normal, cv 2 %", normal(0.02)),
    Noise("normal, cv 2.5 %", normal(0.025)),
    Noise("cv 2 %, one in ten +15 %", outliers(0.02)),
    Noise("half the rounds +50 %", spells(0.01)),
)


def aa(server: str, clean: int, counted: int, many: int) -> list[tuple[str, ...]]:
    """The false verdicts of `many` A/A reports."""
    data = study(server)
    rounds = {"clean": clean, "callgrind": counted}
    return [false_verdicts(build_report(dealt(data, server, rounds, seed))) for seed in range(many)]


def fits(server: str, clean: int, counted: int) -> bool:
    """Whether there are rounds enough for two sides and a control."""
    have = Counter(run.record.profiler for run in study(server).runs)
    return 3 * clean <= have["clean"] and 3 * counted <= have["callgrind"]


def found(server: str, clean: int, counted: int, many: int, key: str, **change: float) -> tuple[float, float]:
    """Shares of reports that call a change put into a function of real rounds: in the total, and in that function."""
    data, rounds = study(server), {"clean": clean, "callgrind": counted}
    total = row = 0
    for seed in range(many):
        both = changed(dealt(data, server, rounds, seed), AGAIN, function=HOT[server], **change)  # type: ignore[arg-type]
        report = build_report(both)
        contender = next(v for v in report.variants if v.role == "contender")
        total += contender.against_baseline[key].verdict == "worse"
        functions = [f for c in report.hotspots[0].rows for f in c.functions if f.function.name == HOT[server]]
        row += functions[0].cells[AGAIN].verdict == "worse"
    return total / many, row / many


def dearer(server: str, clean: int, many: int, factor: float) -> tuple[float, float]:
    """Shares of reports on real clean rounds, one side's CPU time times `factor`, that call it: alone, and beside the
    load generator's. At the level of one of the looks that `diff` plans."""
    said = []
    for seed in range(many):
        data = changed(dealt(study(server), server, {"clean": clean}, seed), AGAIN, cpu=factor)
        data = replace(data, record=replace(data.record, sequential=plan_looks(7, 20)))
        found = next(v for v in build_report(data).variants if v.role == "contender").against_baseline
        said.append([key in found and found[key].verdict == "worse" for key in (TIMED[0], BESIDE_LOAD)])
    alone, beside = (sum(one[i] for one in said) / many for i in (0, 1))
    return alone, beside


def studied(
    rng: np.random.Generator, noise: Draw, planned: tuple[int, ...], factor: float = 1.0
) -> tuple[int, set[str]]:
    """(rounds at the end, keys called) of a study that adds rounds until CPU time is decided."""
    most = planned[-1]
    drawn = {key: [noise(rng, most) for _ in range(3)] for key in TIMED}
    drawn[TIMED[0]][1] = drawn[TIMED[0]][1] * factor
    called: set[str] = set()
    for look in planned:
        spent = levels(level(look, planned, ALPHA), TIMED, 1)
        called, decided = set(), False
        for key in TIMED:
            base, other, control = (series([float(v) for v in side[:look]]) for side in drawn[key])
            said = compare(base, other, RULE, noise_of(base, control), spent.of(key)).verdict
            if said in ("better", "worse"):
                called.add(key)
            decided |= key == TIMED[0] and said != "cannot tell"
        if decided:
            break
    return look, called


def simulated(
    noise: Draw, planned: tuple[int, ...], many: int, factor: float = 1.0, seed: int = 1
) -> tuple[int, int, float]:
    """(studies with any false verdict or, with a change, with CPU time called; studies; mean rounds)."""
    rng = np.random.default_rng(seed)
    ends = [studied(rng, noise, planned, factor) for _ in range(many)]
    hits = sum(bool(called) if factor == 1.0 else TIMED[0] in called for _, called in ends)
    return hits, many, float(np.mean([end for end, _ in ends]))


def main(many: int = COMPARISONS) -> int:
    broken = False
    print(f"{'server':<27}{'rounds a side':<26}{'A/A reports':>12}{'with a false verdict':>22}   95 % interval")
    wrong = whole = 0
    for server in servers():
        for clean, counted in SETUPS:
            if not fits(server, clean, counted):
                continue
            false = [paths for paths in aa(server, clean, counted, many) if paths]
            wrong, whole = wrong + len(false), whole + many
            _line(f"{server:<27}{f'{clean} clean, {counted} callgrind':<26}", len(false), many)
            for paths in false[:3]:
                print("   ", ", ".join(paths[:4]))
    broken |= _line(f"{'all':<53}", wrong, whole) > LIMIT
    print("\ncalled worse, of reports with a change put into one side of real rounds")
    for server in servers():
        for counted in (3, 4):
            parts = (0.003, 0.005, 0.01)
            shares = [found(server, 7, counted, many // 5, COUNTED, instructions=part) for part in parts]
            words = ", ".join(
                f"+{part:.1%} {total:.0%} / {row:.0%}" for part, (total, row) in zip(parts, shares, strict=True)
            )
            print(f"{server:<27}{counted} rounds of callgrind, total / function changed: {words}", flush=True)
    print(
        "\n+5 % of CPU time put into one side of real clean rounds, called worse: alone / beside the load generator's"
    )
    for server in servers():
        for clean in (7, 10):
            if fits(server, clean, 0) and study(server).same_program:
                alone, beside = dearer(server, clean, max(many // 5 * 2, 10), 1.05)
                print(f"{server:<27}{clean} clean rounds: {alone:.0%} / {beside:.0%}", flush=True)
    planned = looks(7, 20)
    print(f"\nsimulated studies, looks after {planned} rounds, three timed figures, {ALPHA:.0%} a report")
    for noise in NOISES:
        hits, of, mean = simulated(noise.draw, planned, many * 4)
        low, high = share_interval(hits, of)
        gain, tries, ten = simulated(noise.draw, looks(7, 10), many, 1.05)
        print(
            f"{noise.name:<28}no change: {hits} of {of} false ({low:.1%} to {high:.1%}), {mean:.1f} rounds; "
            f"+5 % CPU, at most 10 rounds: {gain / tries:.0%} found in {ten:.1f}"
        )
        broken |= low > LIMIT
    return broken


def _line(head: str, hits: int, of: int) -> float:
    low, high = share_interval(hits, of)
    print(f"{head}{of:>12}{hits:>22}   {low:.2%} to {high:.2%}", flush=True)
    return hits / of


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
