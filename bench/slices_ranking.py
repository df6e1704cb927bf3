"""Servers ranked by slices and by long windows, of the built-in client and of h2load. Promise: no pair the other way.

`python -m bench.slices_ranking [options] TARGET...` takes names of profpipe.toml or commands with {port}; the first is
the baseline. Without targets it takes the five servers of the study `concurrency`. First come slices, as in any study.
Then, in each round, fresh processes of all servers are up at once, and each is loaded alone in one long window of
either client. A ratio is that of one start or round, its interval is over them. Two servers are ranked one way where
the interval of their ratio excludes 1.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from bench._program import run
from bench.slices import ROOT, variant
from profpipe import load
from profpipe.analyse.statistics.starts import RatioOverStarts, StartRatios, cost_ns, ratio_over_starts, valid
from profpipe.capture.server.layout import draw
from profpipe.capture.server.placement import place
from profpipe.capture.side_by_side import Running, Variant, side_by_side
from profpipe.cpu_clock import TreeClock
from profpipe.load.slices.client import Address, Client
from profpipe.model.start import Start
from profpipe.pipeline.slices.start import Setting, launched_in
from profpipe.pipeline.slices.study import measure
from profpipe.study.schema import LoadPlan

DEFAULT = ("threads", "gevent", "asyncio-protocol", "asyncio-streams", "uvloop")
WARM_UP_S, WARM_UP_REQUESTS = 0.3, 1000
SLICES, CLIENT, H2LOAD = "slices", "long windows, built-in client", "long windows, h2load"

Costs = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of measuring: CPU microseconds a request of every server, a value per start or round."""

    name: str
    costs: Costs

    def ratio(self, server: str, baseline: str) -> RatioOverStarts:
        """The ratio of two servers, over starts or rounds."""
        pairs = zip(self.costs[server], self.costs[baseline], strict=True)
        logs = tuple(math.log(mine / other) for mine, other in pairs)
        return ratio_over_starts(StartRatios(server, logs, (0.0,) * len(logs)))

    def ranks(self, server: str, other: str) -> int:
        """1 where the server surely costs more, -1 where it costs less, 0 where the interval contains 1."""
        found = self.ratio(server, other)
        if found.low is None or found.high is None:
            return 0
        return int(found.low > 1) - int(found.high < 1)

    @property
    def order(self) -> list[str]:
        """Cheapest first."""
        return sorted(self.costs, key=lambda server: statistics.median(self.costs[server]))


def by_slices(variants: Sequence[Variant], setting: Setting, *, seed: int, budget_s: float) -> Way:
    measured = measure(variants[0], variants[1:], setting, seed=seed, budget_s=budget_s, precise=True)
    for name, why in measured.left_out.items():
        raise SystemExit(f"{name} was left out: {why}")
    return Way(SLICES, {each.name: _costs_us(measured.starts, each.name) for each in variants})


def _costs_us(starts: Sequence[Start], name: str) -> list[float]:
    return [statistics.median(cost_ns(start.variants[name])) / 1000 for start in valid(starts)]


def by_windows(
    variants: Sequence[Variant], setting: Setting, *, seed: int, rounds: int, seconds: float
) -> tuple[Way, Way]:
    """Long windows of the built-in client and of h2load, in an order drawn for every round."""
    ways: dict[str, Callable[[Running, Setting, float], float]] = {CLIENT: client_us, H2LOAD: h2load_us}
    costs: dict[str, dict[str, list[float]]] = {way: {each.name: [] for each in variants} for way in ways}
    for number in range(1, rounds + 1):
        launched = launched_in(variants, seed, number)
        with side_by_side(
            launched, draw(seed, number), root=setting.root, placement=setting.placement, free=setting.free
        ) as running:
            windows = [(way, one) for way in ways for one in running]
            for way, one in random.Random(f"windows {seed} {number}").sample(windows, len(windows)):
                costs[way][one.variant.name].append(ways[way](one, setting, seconds))
        print(f"round {number} of {rounds}: load average {os.getloadavg()[0]:.1f}", flush=True)
    return Way(CLIENT, costs[CLIENT]), Way(H2LOAD, costs[H2LOAD])


def client_us(running: Running, setting: Setting, seconds: float) -> float:
    """One window of the client of slices. Its connections are opened anew once, as those of a start are."""
    address = Address("127.0.0.1", running.port, running.server.keeper, running.variant.request)
    with Client(setting.placement.load_cpus, timeout=setting.timeout) as client:
        for _ in range(2):
            client.open([address], setting.connections)
            warm = client.slices([[0]], [WARM_UP_REQUESTS], 10 * seconds)["slices"][0]
        requests = max(round(seconds * 1e9 * WARM_UP_REQUESTS / warm["wall_ns"][0]), WARM_UP_REQUESTS)
        found = client.slices([[0]], [requests], 10 * seconds)["slices"][0]
    return float(found["cpu_ns"][0]) / requests / 1000


def h2load_us(running: Running, setting: Setting, seconds: float) -> float:
    """One window of h2load, its connections included, after a short one."""
    with tempfile.TemporaryDirectory(prefix="profpipe-bench-") as folder:
        clock = TreeClock(running.server.keeper)
        for duration in (WARM_UP_S, seconds):
            plan = LoadPlan(
                generator="h2load",
                mode="closed",
                duration=duration,
                connections=setting.connections,
                request=running.variant.request,
            )
            clock.refresh()
            before = clock.read()
            cpus = setting.placement.load_cpus
            found = load.run("h2load", plan, "127.0.0.1", running.port, cpus=cpus, folder=Path(folder))
            clock.refresh()
            used = clock.read() - before
    if not found.served or found.failed:
        raise SystemExit(f"h2load: {running.variant.name} answered {found.served}, failed {found.failed}")
    return used / found.served / 1000


def table(ways: Sequence[Way], baseline: str) -> str:
    """A row per server: cost and ratio to the baseline by each way."""
    rows = [
        ["server", *(f"{way.name}: µs/request | ratio" for way in ways)],
        ["---"] * (1 + 2 * len(ways)),
    ]
    for server in ways[0].costs:
        row = [server]
        for way in ways:
            found = way.ratio(server, baseline)
            told = "1" if server == baseline else f"{found.ratio:.3f} ±{100 * found.half_width:.1f} %"
            row.append(f"{statistics.median(way.costs[server]):.2f} | {told}")
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def agreement(one: Way, other: Way) -> tuple[int, int, int]:
    """Pairs of servers that both rank alike, that at least one does not rank, and that they rank the other way."""
    products = [one.ranks(*pair) * other.ranks(*pair) for pair in combinations(one.costs, 2)]
    return sum(p > 0 for p in products), sum(p == 0 for p in products), sum(p < 0 for p in products)


def report(ways: Sequence[Way], baseline: str) -> bool:
    """Print the table, the orders and the pairs; whether a pair is ranked the other way."""
    print(table(ways, baseline))
    for way in ways:
        print(f"{way.name} ({len(way.costs[baseline])}): {' < '.join(way.order)}")
    opposed = 0
    for other in ways[1:]:
        alike, open_, against = agreement(ways[0], other)
        both = f"{ways[0].name} and {other.name}"
        print(f"{both}: {alike} pairs ranked alike, {open_} not ranked by both, {against} the other way")
        opposed += against
    return opposed > 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.slices_ranking", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("targets", nargs="*", default=DEFAULT)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of starts")
    parser.add_argument("--rounds", type=int, default=6, help="of long windows, at least 3")
    parser.add_argument("--window", type=float, default=2.0, help="seconds of one long window")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--placement", default="auto", choices=["auto", "same-core", "split", "free"])
    given = parser.parse_args(arguments)
    if (absent := load.missing("h2load")) is not None:
        raise SystemExit(absent)
    setting = Setting(ROOT, place(given.placement))
    variants = [variant(named) for named in given.targets]
    print(setting.placement.text)
    before = os.getloadavg()[0]
    slices = by_slices(variants, setting, seed=given.seed, budget_s=given.budget)
    print(f"slices: load average {before:.1f} to {os.getloadavg()[0]:.1f}", flush=True)
    windows = by_windows(variants, setting, seed=given.seed, rounds=given.rounds, seconds=given.window)
    return report([slices, *windows], variants[0].name)


if __name__ == "__main__":
    run(main)
