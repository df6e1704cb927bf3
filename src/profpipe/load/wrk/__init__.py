"""wrk (closed loop), run with a done() hook that writes its counts and histogram.

wrk's latencies are not only what it measured: `stats_correct` adds samples for requests that a constant rate would
have sent meanwhile (wrk 4, src/wrk.c) and a closed loop never sent. On a server where 2 % of requests take 80 ms
it gives a p75 of 38.6 ms where the requests' own times say 0.09 ms. They are kept, labelled "wrk-corrected".
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profpipe.errors import LoadError
from profpipe.load.doubts import Doubt, with_doubts
from profpipe.load.interface import Cpus, Program
from profpipe.load.plan import headers, limit_of_programs, url
from profpipe.load.process import OUTPUT_LIMIT, Ended, client_bound, cut_short, processors, run_child, tail, version_of
from profpipe.model.run import Histogram, LoadResult
from profpipe.units import UNKNOWN

if TYPE_CHECKING:
    from profpipe.study.schema import LoadPlan

NAME = "wrk"
MODES = frozenset({"closed"})
PROGRAM: Program = (NAME, ("-v",), r"wrk (\S+)")
HOOK = Path(__file__).with_name("report.lua")
REFUSED = "unable to connect"
# A mean latency beyond this many times connections / rate is not the time that requests took.
PHANTOM = 1.05
NO_ANSWER = Doubt("wrk got no answer at all", ("rate", "latency"))


def missing() -> str | None:
    """Why it cannot run here, with the install line; None when it can."""
    return None if shutil.which(NAME) else "wrk is not installed: apt install wrk"


def refuses(plan: LoadPlan) -> str | None:
    """What wrk cannot do, each with its reason; None when it can do the plan."""
    if plan.mode != "closed":
        asked = "send a fixed number of requests" if plan.mode == "count" else "send at a fixed rate"
        return f"wrk runs as fast as it can for a time, it cannot {asked}"
    if plan.duration != int(plan.duration):
        return f"wrk runs whole seconds, not {plan.duration:g}"
    if limit := limit_of_programs(NAME, plan):
        return limit
    if not 200 <= plan.request.status < 400:
        return f"wrk counts every status under 400 as served and no other; {plan.request.status} is expected"
    return None


def run(plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """Run wrk with our hook. A refusing server is a result; LoadError when wrk wrote nothing that can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / f"{NAME}.json"
    report.unlink(missing_ok=True)
    command, env = _command(plan, host, port, folder)
    env["PROFPIPE_WRK_REPORT"] = str(report)
    ended = run_child(command, cpus=cpus, threads=plan.threads, timeout=plan.timeout, folder=folder, name=NAME, env=env)
    output = ended.stdout + ended.stderr
    if REFUSED in output:
        return replace(refused(output), command=ended.command, version=version_of(PROGRAM))
    if ended.timed_out:
        raise LoadError(f"wrk did not end within {plan.timeout:g} s and was killed; raise the load's timeout")
    try:
        figures = json.loads(report.read_bytes())
    except (OSError, json.JSONDecodeError):
        raise LoadError(f"wrk failed (exit code {ended.code}) and wrote no figures: {tail(output)}") from None
    return replace(of_report(plan, figures, ended, processors(cpus, plan.threads)), version=version_of(PROGRAM))


def _command(plan: LoadPlan, host: str, port: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    """wrk's command line, and by environment what only its script can set: method and body."""
    env: dict[str, str] = {}
    if plan.request.method != "GET":
        env["PROFPIPE_WRK_METHOD"] = plan.request.method
    if plan.request.body:
        body = folder / "request.body"
        body.write_text(plan.request.body, encoding="utf-8")
        env["PROFPIPE_WRK_BODY"] = str(body)
    command = [NAME, "-t", str(plan.threads), "-c", str(plan.connections), "-d", f"{int(plan.duration)}s"]
    command += ["--timeout", f"{max(1, int(plan.timeout))}s", "-s", str(HOOK)]
    for name, value in headers(plan.request):
        command += ["-H", f"{name}: {value}"]
    return [*command, url(plan, host, port)], env


def of_report(plan: LoadPlan, figures: dict[str, Any], ended: Ended, cores: int) -> LoadResult:
    """What our hook wrote: microseconds and exact counts; no histogram where it would have taken wrk too long.

    The text that wrk printed is kept, not read.
    """
    rows, seconds, requests = figures["histogram"], figures["duration_us"] / 1e6, figures["requests"]
    errors = {kind: many for kind, many in figures["errors"].items() if many}
    latency = None if rows is None else Histogram(tuple(float(v) for v, _ in rows), tuple(many for _, many in rows))
    bound = client_bound(ended.cpu_s, ended.seconds, cores)
    found = LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=ended.command,
        loop="closed",
        correction="wrk-corrected",
        connections=plan.connections,
        threads=plan.threads,
        served=requests - errors.get("status", 0),
        seconds=seconds,
        failed=errors.get("status", 0) + lost(errors),
        errors=errors,
        bytes_read=figures["bytes"],
        latency=latency,
        client_cpu_s=ended.cpu_s,
        output=ended.stdout[:OUTPUT_LIMIT],
    )
    found = replace(found, incomplete=cut_short(ended, plan, seconds))
    own = [*_report_doubts(plan, figures, latency), *([bound] if bound and requests else [])]
    return with_doubts(found, [*own, *ended.doubts])


def _report_doubts(plan: LoadPlan, figures: dict[str, Any], latency: Histogram | None) -> list[Doubt]:
    """The two signs of wrk's correction: more latencies than responses, a mean beyond connections / rate."""
    requests, mean = figures["requests"], figures["latency_us"]["mean"]
    if not requests:
        return [NO_ANSWER]
    found: list[Doubt] = []
    if latency is None:
        found.append(Doubt("wrk's latencies are too many and too long to be read out of it", ("latency",)))
    elif latency.total > requests:
        words = f"wrk has {latency.total:,} latencies for {requests:,} responses: it added the rest by its correction"
        found.append(Doubt(words, ("latency",)))
    true = plan.connections * figures["duration_us"] / requests
    if mean > PHANTOM * true:
        words = f"its mean of {mean:,.0f} us cannot be: {plan.connections} connections gave {true:,.0f} us a request"
        found.append(Doubt(words, ("latency",)))
    return found


def refused(text: str) -> LoadResult:
    """wrk tries one connection first and leaves when it is refused: nothing was opened, nothing was sent."""
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="wrk-corrected",
        connections=0,
        threads=0,
        served=0,
        seconds=0.0,
        sent=0,
        errors={"connect": 1},
        output=text[:OUTPUT_LIMIT],
    )


def lost(errors: dict[str, int]) -> int:
    """Requests that got no whole response."""
    return sum(errors.get(kind, 0) for kind in ("read", "write", "timeout"))
