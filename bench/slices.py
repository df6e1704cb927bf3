"""CPU time per request of servers in slices, beside each other: ratio, interval, lottery, and what the client costs.

`python -m bench.slices [options] TARGET...` takes names of profpipe.toml or commands with {port}; the first is the
baseline. Without targets it takes the two C servers. Promise: the client sends 30,000 requests per CPU second and costs
no more than wrk, both against the first target.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
import shutil
import statistics
import subprocess
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from bench._program import run
from profpipe.analyse.statistics.starts import lottery, ratio_over_starts, starts_needed, valid
from profpipe.analyse.statistics.starts_rule import calls
from profpipe.capture.server.layout import draw
from profpipe.capture.server.placement import place
from profpipe.capture.side_by_side import Variant, side_by_side
from profpipe.load.slices.client import Address, Client
from profpipe.model.start import Start
from profpipe.model.start_codec import dump_start
from profpipe.pipeline.slices.start import Setting
from profpipe.pipeline.slices.study import Measured, measure
from profpipe.study.requests import Request
from profpipe.study.schema import Target

ROOT = Path(__file__).parents[1]
DEFAULT = ("epoll-prebuilt", "epoll-snprintf")
PROMISED_RATE = 30_000
PAIRS, PAIR_REQUESTS, WRK_S = 7, 20_000, 1


def variant(named: str) -> Variant:
    """A target of profpipe.toml by its name, or a command: `name=program argument...`."""
    known = tomllib.loads((ROOT / "profpipe.toml").read_text())["target"]
    if named in known:
        target = Target.model_validate(known[named])
        return Variant(named, target, target.request or Request())
    name, equals, command = named.partition("=")
    if not equals or " " in name:
        name, command = named.split(" ")[0], named
    return Variant(name, Target.model_validate({"command": shlex.split(command)}), Request())


def table(measured: Measured) -> str:
    """The table of a study: cost, lottery, ratio with its interval."""
    rows = [f"{'variant':<22} {'us/request':>10} {'starts':>15} {'within':>7} {'between':>8} {'mean/med':>8}  ratio"]
    ratios = {each.variant: each for each in (*measured.ratios(), measured.control_ratios())}
    found = calls(measured.rule, measured.ratios(), measured.control_ratios())
    for name in (measured.baseline, measured.control, *measured.contenders):
        luck = lottery(measured.starts, name)
        if luck is None:
            continue
        text = f"{name:<22} {luck.median_us:>10.2f} {min(luck.costs_us):>7.2f}-{max(luck.costs_us):<7.2f} "
        text += f"{100 * luck.within:>6.1f}% {100 * luck.between:>7.1f}% {luck.mean_over_median:>8.3f}  "
        if name in ratios and ratios[name].logs:
            over = ratio_over_starts(ratios[name])
            need = starts_needed(over.within, over.between, measured.rule.resolution)
            text += f"{over.ratio:.4f} +-{100 * over.half_width:.2f} % (within {100 * over.within:.1f} %, between "
            text += f"{100 * over.between:.1f} % a start; {need} starts for the resolution)  "
            text += found.get(name, "control")
        rows.append(text)
    return "\n".join(rows)


def facts(measured: Measured) -> str:
    """How it was measured."""
    starts = valid(measured.starts)
    seconds = sum(start.seconds for start in measured.starts)
    load = sum(start.slices_s for start in starts)
    fixed = all(slices.fixed_layout for start in starts for slices in start.variants.values())
    idle = {
        name: 1e6 * slices.idle_ns / slices.idle_wall_ns
        for name, slices in starts[0].variants.items()
        if slices.idle_ns is not None and slices.idle_wall_ns
    }
    client = sum(sum(s.client_ns) for start in starts for s in start.variants.values())
    served = sum(slices.served for start in starts for slices in start.variants.values())
    lines = [
        measured.length.words,
        f"{measured.plan.passes} passes a start; {len(starts)} starts, {len(measured.starts) - len(starts)} lost; "
        f"{60 * len(measured.starts) / seconds:.1f} starts a minute; {100 * load / seconds:.0f} % of the time is load",
        f"memory {'lies where the tickets put it' if fixed else 'lies anywhere: the system refuses tickets'}",
        f"idle CPU, us a second: {', '.join(f'{name} {value:.0f}' for name, value in idle.items())}",
        f"client: {served / client * 1e9:,.0f} requests per CPU second over all variants",
        f"stopped: {measured.stopped}; {measured.rule.words}",
        *(f"left out: {name}: {why}" for name, why in measured.left_out.items()),
    ]
    return "\n".join(lines)


def client_beside_wrk(first: Variant, setting: Setting) -> tuple[list[float], list[float]]:
    """CPU microseconds a request of our client and of wrk against one server, one after the other, in pairs."""
    ours, wrks = [], []
    with side_by_side([first], draw(1, 1), root=setting.root, placement=setting.placement) as (running,):
        for _ in range(PAIRS):
            with Client(setting.placement.load_cpus, timeout=setting.timeout) as client:
                address = Address("127.0.0.1", running.port, running.server.keeper, first.request)
                client.open([address], setting.connections)
                answer = client.slices([[0]], [PAIR_REQUESTS], 30)
            ours.append(answer["slices"][0]["client_ns"] / PAIR_REQUESTS / 1000)
            if shutil.which("wrk"):
                wrks.append(_wrk_us(running.port, setting))
    return ours, wrks


def _wrk_us(port: int, setting: Setting) -> float:
    command = ["wrk", "-t1", f"-c{setting.connections}", f"-d{WRK_S}s", f"http://127.0.0.1:{port}/"]
    if setting.placement.load_cpus:
        command = ["taskset", "-c", str(setting.placement.load_cpus[0]), *command]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    text = child.stdout.read()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    served = re.search(r"(\d+) requests in", text)
    if child.returncode or served is None:
        raise SystemExit(f"wrk failed: {text}")
    return (usage.ru_utime + usage.ru_stime) * 1e6 / int(served[1])


def check_client(first: Variant, setting: Setting) -> bool:
    """Print what the client costs beside wrk; whether its promise is kept."""
    ours, wrks = client_beside_wrk(first, setting)
    rate = 1e6 / statistics.median(ours)
    print(
        f"client against {first.name}: {statistics.median(ours):.2f} us a request = {rate:,.0f} requests a CPU second"
    )
    kept = rate >= PROMISED_RATE
    if wrks:
        ratios = sorted(mine / wrk for mine, wrk in zip(ours, wrks, strict=True))
        middle = statistics.median(ratios)
        print(f"beside wrk ({statistics.median(wrks):.2f} us): {middle:.2f}x ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        kept = kept and middle <= 1.05
    return kept


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.slices", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", default=DEFAULT)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of starts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resolution", type=float, default=0.01, help="half-width that is narrow enough, 0.01 = 1 %%")
    parser.add_argument("--placement", default="auto", choices=["auto", "same-core", "split", "free"])
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--root", type=Path, default=ROOT, help="folder that commands are run in")
    parser.add_argument("--keep", type=Path, help="folder for a file per start")
    parser.add_argument("--precise", action="store_true", help="until every interval is within the resolution")
    parser.add_argument("--no-client", action="store_true", help="leave out the client beside wrk")
    given = parser.parse_args(arguments)
    setting = Setting(given.root.resolve(), place(given.placement), connections=given.connections)
    variants = [variant(named) for named in given.targets]
    print(setting.placement.text)
    kept = given.no_client or check_client(variants[0], setting)
    loads, begun = [os.getloadavg()[0]], time.monotonic()

    def on_start(start: Start) -> None:
        loads.append(os.getloadavg()[0])
        if start.lost is not None:
            print(f"start {start.ticket.number} is lost: {start.lost.variant}: {start.lost.reason}")
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"start-{start.ticket.number:04}.json").write_bytes(dump_start(start))

    measured = measure(
        variants[0],
        variants[1:],
        setting,
        seed=given.seed,
        budget_s=given.budget,
        resolution=given.resolution,
        precise=given.precise,
        on_start=on_start,
    )
    print(table(measured))
    print(facts(measured))
    print(f"load average {min(loads):.1f} to {max(loads):.1f}; {time.monotonic() - begun:.0f} s in all")
    return not kept or any(math.isinf(ratio_over_starts(each).half_width) for each in measured.ratios())


if __name__ == "__main__":
    run(main)
