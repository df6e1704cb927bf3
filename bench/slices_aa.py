"""How often slices find a difference that does not exist: A/A comparisons of real servers. Promise: at most 1 % false.

`python -m bench.slices_aa [options] TARGET...`: many copies of one server are alive in every start, and every two of
them are a comparison of their own, judged by the rule of a study with one contender (analyse/statistics/starts_rule.py)
at every look that was fixed beforehand. No copy is in two comparisons. A study would also ask its control, which is
left out here: fewer verdicts would be false with it. Comparisons of one series share their starts and the weather.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench._program import run
from bench.slices import ROOT, variant
from profpipe.analyse.statistics.calibration import share_interval
from profpipe.analyse.statistics.starts import StartRatios, ratio_over_starts, start_ratios
from profpipe.analyse.statistics.starts_rule import Call, StartsRule, call, plan_rule
from profpipe.capture.server.placement import place
from profpipe.capture.side_by_side import Variant
from profpipe.model.start import Start
from profpipe.pipeline.slices.start import Setting
from profpipe.pipeline.slices.study import Measured, measure

DEFAULT = ("epoll-prebuilt", "threads", "gevent", "uvloop", "asyncio-protocol")
LIMIT = 0.01
DIFFERENCES: tuple[Call, ...] = ("costs more", "costs less")
# No series ends before its budget: the rule is applied to each pair afterwards.
NEVER = 1e-9


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two copies of one server: the verdict, and the half-width of the 95 % interval at the end of the series."""

    server: str
    verdict: Call
    ratio: float
    half_width: float
    starts: int


@dataclass(frozen=True, slots=True)
class Series:
    """Starts of one server's copies, and the load average over them."""

    server: str
    comparisons: tuple[Comparison, ...]
    load: float
    passes: int
    requests: int
    fixed_layouts: bool
    seconds: float


def verdict(ratios: StartRatios, rule: StartsRule) -> Call:
    """What a study would report: the verdict of the first look that decides, else that of the last."""
    for look in (*(look for look in rule.looks if look < len(ratios.logs)), len(ratios.logs)):
        seen = StartRatios(ratios.variant, ratios.logs[:look], ratios.errors[:look])
        found = call(seen, rule.level(look), rule.resolution)
        if found != "cannot tell":
            return found
    return "cannot tell"


def pairs(measured: Measured, resolution: float) -> tuple[Comparison, ...]:
    """Disjoint pairs of copies, in the order in which they were named."""
    names = (measured.baseline, measured.control, *measured.contenders)
    rule = replace(plan_rule(measured.rule.looks[-1], 1, resolution), looks=measured.rule.looks)
    found = []
    for first, second in zip(names[::2], names[1::2], strict=False):
        ratios = start_ratios(measured.starts, second, first)
        over = ratio_over_starts(ratios)
        found.append(
            Comparison(
                server=measured.baseline,
                verdict=verdict(ratios, rule),
                ratio=over.ratio,
                half_width=over.half_width,
                starts=over.starts,
            )
        )
    return tuple(found)


def one_series(
    server: Variant, setting: Setting, *, copies: int, budget_s: float, seed: int, resolution: float
) -> Series:
    """Measure `copies` copies for `budget_s` seconds. Raises CaptureError where the server loses three starts."""
    loads, begun = [os.getloadavg()[0]], time.monotonic()
    others = [replace(server, name=f"{server.name}, copy {number}") for number in range(3, copies + 1)]

    def on_start(_: Start) -> None:
        loads.append(os.getloadavg()[0])

    measured = measure(server, others, setting, seed=seed, budget_s=budget_s, resolution=NEVER, on_start=on_start)
    return Series(
        server=server.name,
        comparisons=pairs(measured, resolution),
        load=statistics.mean(loads),
        passes=measured.plan.passes,
        requests=measured.plan.requests,
        fixed_layouts=all(each.fixed_layout for start in measured.starts for each in start.variants.values()),
        seconds=time.monotonic() - begun,
    )


def table(found: Sequence[Series]) -> str:
    """A row per server, and all of them together."""
    head = (
        "server",
        "starts",
        "comparisons",
        "false",
        "no change",
        "cannot tell",
        "half-width, median",
        "90 %",
        "load average",
    )
    rows = [head, ("---",) * len(head)]
    for server in dict.fromkeys(series.server for series in found):
        rows.append(_row(server, [series for series in found if series.server == server]))
    rows.append(_row("**all**", found))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(name: str, found: Sequence[Series]) -> tuple[str, ...]:
    every = [comparison for series in found for comparison in series.comparisons]
    verdicts = Counter(comparison.verdict for comparison in every)
    widths = sorted(comparison.half_width for comparison in every)
    loads = [series.load for series in found]
    starts = [comparison.starts for comparison in every]
    return (
        name,
        f"{min(starts)} to {max(starts)}",
        str(len(every)),
        str(sum(verdicts[each] for each in DIFFERENCES)),
        str(verdicts["no change"]),
        str(verdicts["cannot tell"]),
        _width(statistics.median(widths)),
        _width(widths[int(0.9 * (len(widths) - 1))]),
        f"{min(loads):.1f} to {max(loads):.1f}",
    )


def _width(value: float) -> str:
    """Infinite under three starts: there is no interval."""
    return "none" if math.isinf(value) else f"{100 * value:.1f} %"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.slices_aa", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", default=DEFAULT)
    parser.add_argument("--comparisons", type=int, default=300, help="at least so many, all servers together")
    parser.add_argument("--copies", type=int, default=8, help="copies of a server alive at once; even")
    parser.add_argument("--budget", type=float, default=45.0, help="seconds of starts of one series")
    parser.add_argument("--resolution", type=float, default=0.01, help="a smaller change does not matter, 0.01 = 1 %%")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--placement", default="auto", choices=["auto", "same-core", "split", "free"])
    parser.add_argument("--root", type=Path, default=ROOT, help="folder that commands are run in")
    parser.add_argument("--keep", type=Path, help="file that every series is added to, a line each")
    given = parser.parse_args(arguments)
    if given.copies < 4 or given.copies % 2:
        parser.error("--copies: an even number of at least 4 is expected")
    setting = Setting(given.root.resolve(), place(given.placement))
    servers = [variant(named) for named in given.targets]
    found: list[Series] = []
    while sum(len(series.comparisons) for series in found) < given.comparisons:
        number = len(found)
        series = one_series(
            servers[number % len(servers)],
            setting,
            copies=given.copies,
            budget_s=given.budget,
            seed=given.seed + number,
            resolution=given.resolution,
        )
        found.append(series)
        if given.keep:
            with given.keep.open("a") as file:
                file.write(json.dumps(asdict(series)) + "\n")
        false = [each for each in series.comparisons if each.verdict in DIFFERENCES]
        words = "".join(f"; FALSE: {each.verdict}, {each.ratio:.4f} +-{100 * each.half_width:.2f} %" for each in false)
        print(
            f"{series.server}: {len(series.comparisons)} in {series.seconds:.0f} s, load {series.load:.1f}{words}",
            flush=True,
        )
    every = [comparison for series in found for comparison in series.comparisons]
    wrong = sum(comparison.verdict in DIFFERENCES for comparison in every)
    low, high = share_interval(wrong, len(every))
    print(table(found))
    print(f"{wrong} of {len(every)} are false: {wrong / len(every):.2%} (95 % interval {low:.2%} to {high:.2%})")
    return low > LIMIT


if __name__ == "__main__":
    run(main)
