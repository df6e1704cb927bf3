"""The built-in generator: runs its client process, and doubts figures in which the client measured itself."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profpipe import __version__
from profpipe.errors import LoadError
from profpipe.load.doubts import Doubt, with_doubts
from profpipe.load.interface import Cpus
from profpipe.load.plan import asked_of, fed_by
from profpipe.load.process import OUTPUT_LIMIT, client_bound, run_child, tail
from profpipe.model.run import Histogram, LoadResult

if TYPE_CHECKING:
    from profpipe.study.schema import LoadPlan

NAME = "builtin"
MODES = frozenset({"count", "rate", "closed"})
PROGRAM = None
GRACE_S = 10.0  # for the start of the client and its last line, beyond the plan's own timeout
KEPT_UP = 0.99
LATE_US = 1000.0
LATE_SHARE = 0.10
LATE_FLOOR_US = 100.0  # waking up takes a kernel some tens of microseconds: no client can be held to less


def missing() -> str | None:
    """Why it cannot run here, with the install line; None when it can."""
    if importlib.util.find_spec("httptools") is None:
        return "the Python package httptools is missing: pip install httptools"
    return None


def refuses(plan: LoadPlan) -> str | None:
    """It can do every mode and every request; a fixed rate needs its rate."""
    if plan.mode == "rate" and plan.rate is None:
        return "mode rate needs `rate`, requests a second"
    return None


def run(plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """Run the client on `plan`. LoadError when the client itself fails; everything the server does is a result."""
    command = (sys.executable, "-P", "-m", "profpipe.load.client")
    ended = run_child(
        command,
        cpus=cpus,
        timeout=plan.timeout + GRACE_S,
        folder=folder,
        name=NAME,
        stdin=json.dumps(order(plan, host, port)).encode() + b"\n",
        env={"PYTHONDEVMODE": "", "PYTHONASYNCIODEBUG": "", "PYTHONWARNINGS": ""},
    )
    if ended.timed_out:
        raise LoadError(f"the built-in load client did not end within {plan.timeout + GRACE_S:g} s and was killed")
    try:
        answer = json.loads((folder / f"{NAME}.txt").read_bytes())
    except json.JSONDecodeError:
        raise LoadError(f"the built-in load client failed (exit code {ended.code}): {tail(ended.stderr)}") from None
    return with_doubts(result(plan, answer, command), ended.doubts)


def order(plan: LoadPlan, host: str, port: int) -> dict[str, Any]:
    """The line the client reads (client.order.Order)."""
    return {
        "mode": plan.mode,
        "host": host,
        "port": port,
        "tls": None if plan.trust is None else asdict(plan.trust),
        "asked": asked_of(plan.request, plan.routes, host, port),
        "connections": plan.connections,
        "timeout": plan.timeout,
        "requests": plan.requests,
        "rate": plan.rate or 0.0,
        "duration": plan.duration,
        "first": plan.warmup + 1,
        "feeder": fed_by(plan.feeder),
    }


def result(plan: LoadPlan, answer: dict[str, Any], command: tuple[str, ...]) -> LoadResult:
    """The client's answer in the model, with the doubts its own figures raise."""
    values, counts = zip(*answer["latency"], strict=True) if answer["latency"] else ((), ())
    latency = Histogram(tuple(values), tuple(counts))
    shown = {key: value for key, value in answer.items() if key != "latency"}
    found = LoadResult(
        tool=NAME,
        version=f"{__version__} (httptools {answer['httptools']})",
        command=command,
        loop="open" if plan.mode == "rate" else "closed",
        correction="intended-start" if plan.mode == "rate" else "none",
        connections=answer["connections"],
        threads=1,
        served=answer["served"],
        seconds=answer["seconds"],
        sent=answer["sent"],
        failed=answer["asked"] - answer["served"],
        errors=dict(sorted(answer["errors"].items())),
        bytes_read=answer["bytes_read"],
        offered_rate=plan.rate if plan.mode == "rate" else None,
        latency=latency,
        client_cpu_s=answer["cpu_s"],
        lateness_p99_us=answer["lateness_p99_us"],
        reconnects=answer["reconnects"],
        interim=answer["interim"],
        incomplete=answer["cut_short"],
        output=json.dumps(shown)[:OUTPUT_LIMIT],
    )
    return with_doubts(found, doubts(plan, answer, latency))


def doubts(plan: LoadPlan, answer: dict[str, Any], latency: Histogram) -> list[Doubt]:
    """What the client's own figures make doubtful."""
    found: list[Doubt] = []
    bound = client_bound(answer["cpu_s"], answer["seconds"], 1)
    if bound and answer["served"]:
        found.append(bound)
    lost = answer["asked"] - answer["served"]
    if lost and answer["served"]:
        words = f"{lost:,} of {answer['asked']:,} requests were not served and have no latency"
        found.append(Doubt(words, ("latency",)))
    if plan.mode == "rate" and plan.rate is not None:
        found += [Doubt(text, ("latency",)) for text in _rate_doubts(plan.rate, answer, latency)]
    return found


def _rate_doubts(offered: float, answer: dict[str, Any], latency: Histogram) -> list[str]:
    found = []
    achieved = answer["sent"] / answer["seconds"] if answer["seconds"] > 0 else 0.0
    if achieved < KEPT_UP * offered:
        found.append(
            f"{achieved:,.0f} requests/s were sent of {offered:,.0f} offered: server or load generator did not keep "
            "up, and the latency is that of the queue"
        )
    late, median = answer["lateness_p99_us"], latency.percentile(50)
    if late is not None and median is not None and late > min(LATE_US, max(LATE_FLOOR_US, LATE_SHARE * median)):
        found.append(
            f"one request in a hundred was sent {late:,.0f} µs late or later by the load generator itself "
            f"(median latency {median:,.0f} µs)"
        )
    return found
