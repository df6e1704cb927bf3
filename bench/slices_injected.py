"""Is CPU time that was put into a server found by slices? `python -m bench.slices_injected [options]`.

All copies of a server wait in a busy loop, by the clock, in every sixteenth request: for nothing in the plain one, and
for 1 % or 2 % of what sixteen requests cost in the others. They differ in that constant alone. (A loop of so many
instructions has no known cost: processors hide short ones and run long ones faster.)
Each study compares the server with both copies, by the rule of any study. Promise: +2 % is found in 95 % of studies.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench._program import run
from bench.slices import ROOT
from profpipe.analyse.statistics.calibration import share_interval
from profpipe.analyse.statistics.starts import lottery, ratio_over_starts
from profpipe.analyse.statistics.starts_rule import calls
from profpipe.capture.server.placement import place
from profpipe.capture.side_by_side import Variant
from profpipe.pipeline.slices.start import Setting
from profpipe.pipeline.slices.study import measure
from profpipe.study.requests import Request
from profpipe.study.schema import Target

SHARES = (0.02, 0.01)
PROMISED = 0.95
CALIBRATION_S = 20.0
C_PLACE = "    if (built_at != now) {\n"
C_WAIT = """    static _Thread_local unsigned served;
    if (++served % 16 == 0) {{
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        long end = at.tv_sec * 1000000000L + at.tv_nsec + 16L * {};
        do {{
            clock_gettime(CLOCK_MONOTONIC, &at);
        }} while (at.tv_sec * 1000000000L + at.tv_nsec < end);
    }}
"""
PYTHON_PLACE = "def parse("
PYTHON_WAIT = """    global _served
    _served += 1
    if _served % 16 == 0:
        end = perf_counter_ns() + 16 * {}
        while perf_counter_ns() < end:
            pass
"""
RUST_PLACE = "fn response(body: Body) -> Response<Full<Bytes>> {\n"
RUST_WAIT = """    SERVED.with(|served| {{
        served.set(served.get() + 1);
        if served.get() % 16 == 0 {{
            let end = std::time::Instant::now() + std::time::Duration::from_nanos(16 * {});
            while std::time::Instant::now() < end {{}}
        }}
    }});
"""
RUST_COUNT = "thread_local! {\n    static SERVED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };\n}\n\n"
PYTHON_HEAD = "from time import perf_counter_ns\n\n_served = 0\n\n\n"


@dataclass(frozen=True, slots=True)
class Found:
    """One study: the verdict and the ratio of each injected share."""

    verdicts: tuple[str, ...]
    ratios: tuple[float, ...]
    half_widths: tuple[float, ...]
    load: float


def c_server(folder: Path, wait_ns: int) -> list[str]:
    """The command of the C server that waits so long for every request, built in `folder`."""
    shutil.copytree(ROOT / "targets" / "c", folder, ignore=shutil.ignore_patterns("build"))
    source = folder / "head_prebuilt.c"
    changed = _put(source, C_PLACE, C_WAIT.format(wait_ns) + C_PLACE)
    source.write_text("#define _GNU_SOURCE\n#include <time.h>\n" + changed)
    subprocess.run(["make", "--silent", "-C", folder, "build/epoll-prebuilt"], check=True)
    return [str(folder / "build" / "epoll-prebuilt"), "--port", "{port}"]


def python_server(script: str) -> Callable[[Path, int], list[str]]:
    """How a Python server that waits is made: all of them parse heads with one function, of one line of parameters."""

    def made(folder: Path, wait_ns: int) -> list[str]:
        shutil.copytree(ROOT / "targets" / "python", folder, ignore=shutil.ignore_patterns("__pycache__"))
        source = folder / "request_head.py"
        begin = next(line for line in source.read_text().splitlines(keepends=True) if line.startswith(PYTHON_PLACE))
        source.write_text(_put(source, begin, PYTHON_HEAD + begin + PYTHON_WAIT.format(wait_ns)))
        return [sys.executable, str(folder / script), "--port", "{port}"]

    return made


def rust_server(folder: Path, wait_ns: int) -> list[str]:
    """The command of hyper 1 on tokio that waits so long for every request; built crates are reused."""
    shutil.copytree(ROOT / "targets" / "rust", folder, ignore=shutil.ignore_patterns("target"))
    built = ROOT / "targets" / "rust" / "target"
    if built.exists():
        shutil.copytree(built, folder / "target", copy_function=os.link)
    source = folder / "hyper1-tokio" / "src" / "main.rs"
    changed = _put(source, RUST_PLACE, RUST_PLACE + RUST_WAIT.format(wait_ns))
    source.write_text(changed.replace("fn main() {", RUST_COUNT + "fn main() {", 1))
    build = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "hyper1-tokio"]
    subprocess.run(build, cwd=folder, check=True)
    return [str(folder / "target" / "release" / "hyper1-tokio"), "--port", "{port}"]


SERVERS: dict[str, Callable[[Path, int], list[str]]] = {
    "epoll": c_server,
    "hyper1-tokio": rust_server,
    "threads": python_server("threads.py"),
    "asyncio-protocol": python_server("asyncio_protocol.py"),
}


def _put(source: Path, place: str, text: str) -> str:
    found = source.read_text()
    if found.count(place) != 1:
        raise SystemExit(f"{source}: {place!r} is there {found.count(place)} times, and must be once")
    return found.replace(place, text)


def variant(server: str, folder: Path, name: str, wait_ns: int) -> Variant:
    """Folders have names of one length: the length of a command moves a process's stack."""
    command = SERVERS[server](folder / f"copy-{wait_ns:06}", wait_ns)
    return Variant(
        name, Target.model_validate({"command": command, "ready": {"line": r"^ready port=(?P<port>\d+)$"}}), Request()
    )


def cost_of(server: str, plain: Variant, setting: Setting) -> float:
    """CPU nanoseconds of a request of the plain copy."""
    again = replace(plain, name="the same")
    measured = measure(plain, [again], setting, seed=1, budget_s=CALIBRATION_S)
    found = lottery(measured.starts, plain.name)
    assert found is not None
    print(f"{server}: {found.median_us:.2f} us a request", flush=True)
    return found.median_us * 1000


def study(plain: Variant, changed: Sequence[Variant], setting: Setting, *, seed: int, budget_s: float) -> Found:
    before = os.getloadavg()[0]
    measured = measure(plain, changed, setting, seed=seed, budget_s=budget_s)
    found = calls(measured.rule, measured.ratios(), measured.control_ratios())
    over = [ratio_over_starts(ratios) for ratios in measured.ratios()]
    return Found(
        verdicts=tuple(found[ratios.variant] for ratios in over),
        ratios=tuple(ratios.ratio for ratios in over),
        half_widths=tuple(ratios.half_width for ratios in over),
        load=(before + os.getloadavg()[0]) / 2,
    )


def summary(server: str, found: Sequence[Found]) -> list[float]:
    """Print a row per share, and give how often each was found."""
    shares = []
    for index, share in enumerate(SHARES):
        hits = sum(each.verdicts[index] == "costs more" for each in found)
        wrong = sum(each.verdicts[index] in ("costs less", "no change") for each in found)
        low, high = share_interval(hits, len(found))
        ratio = statistics.median(each.ratios[index] for each in found)
        width = statistics.median(each.half_widths[index] for each in found)
        loads = [each.load for each in found]
        print(
            f"| {server} | +{100 * share:g} % | {len(found)} | {hits} ({low:.0%} to {high:.0%}) | {wrong} | "
            f"{ratio:.4f} | {100 * width:.2f} % | {min(loads):.1f} to {max(loads):.1f} |",
            flush=True,
        )
        shares.append(hits / len(found))
    return shares


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.slices_injected", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("servers", nargs="*", default=list(SERVERS), choices=[*SERVERS, []])
    parser.add_argument("--studies", type=int, default=20, help="of each server")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of starts of one study")
    parser.add_argument("--placement", default="auto", choices=["auto", "same-core", "split", "free"])
    given = parser.parse_args(arguments)
    kept = True
    for server in given.servers:
        with tempfile.TemporaryDirectory(prefix="profpipe-injected-") as scratch:
            folder, setting = Path(scratch), Setting(ROOT, place(given.placement))
            plain = variant(server, folder, server, 0)
            cost = cost_of(server, plain, setting)
            times = [round(share * cost) for share in SHARES]
            changed = [variant(server, folder, f"+{100 * s:g} %", n) for s, n in zip(SHARES, times, strict=True)]
            found = []
            for seed in range(given.studies):
                found.append(study(plain, changed, setting, seed=seed, budget_s=given.budget))
                print(f"{server}: {found[-1]}", flush=True)
        kept = summary(server, found)[0] >= PROMISED and kept
    return not kept


if __name__ == "__main__":
    run(main)
