"""h2load over HTTP/1.1: a fixed number of requests or a closed loop, with every request in its log.

Not used: `-r` is a rate of connections, and `--rps` is a rate per client (4 clients x 100 = 400 requests/s) counted
from the actual start, so that neither is a fixed rate with latency from the intended start.
"""

from __future__ import annotations

import math
import re
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from profpipe.errors import LoadError
from profpipe.load.doubts import Doubt, with_doubts
from profpipe.load.interface import Cpus, Program
from profpipe.load.plan import has_header, headers, limit_of_programs, url
from profpipe.load.process import OUTPUT_LIMIT, Ended, client_bound, cut_short, processors, run_child, tail, version_of
from profpipe.model.run import Histogram, LoadResult
from profpipe.units import UNKNOWN

if TYPE_CHECKING:
    from profpipe.study.schema import LoadPlan

NAME = "h2load"
# Not "count": the built-in client costs less, counts reconnects, and sends the same bytes on every machine.
MODES = frozenset({"closed"})
PROGRAM: Program = (NAME, ("--version",), r"nghttp2/(\S+)")
VERSION: Program = (NAME, ("--version",), r"h2load (\S+)")  # with the library's name, as in the results of old runs
OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection", "user-agent")
SLACK_S = 1.0  # beyond the timeout that h2load is given, before it is killed

TIME_US = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
FINISHED = re.compile(r"^finished in ([\d.]+)(us|ms|s|m|h), ([\d.]+) req/s, ([\d.]+)([KMGT]?B)/s", re.MULTILINE)
REQUESTS = re.compile(
    r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout",
    re.MULTILINE,
)
STATUS = re.compile(r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", re.MULTILINE)
TRAFFIC = re.compile(
    r"^traffic: \S+ \((\d+)\) total, \S+ \((\d+)\) headers \(space savings [-\d.]+%\), \S+ \((\d+)\) data", re.MULTILINE
)
TIMES = re.compile(r"^time for request:\s+" + r"\s+".join([r"([\d.]+)(us|ms|s|m|h)"] * 4), re.MULTILINE)
CLIENTS = re.compile(r"^spawning thread #\d+: (\d+) total client", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Summary:
    """All figures of h2load's text, in seconds, bytes and microseconds."""

    clients: int
    threads: int
    seconds: float
    rate: float
    total: int
    started: int
    done: int
    succeeded: int
    failed: int
    errored: int
    timeout: int
    by_class: dict[int, int]
    bytes_total: int
    bytes_headers: int
    bytes_data: int
    request_us: tuple[float, float, float, float]  # min, max, mean, standard deviation


@dataclass(frozen=True, slots=True)
class Log:
    """What --log-file says: answers by status, and the latencies of those with the expected one."""

    statuses: dict[int, int]
    latency: Histogram


def missing() -> str | None:
    """Why it cannot run here, with the install line; None when it can."""
    return None if shutil.which(NAME) else "h2load is not installed: apt install nghttp2-client"


def refuses(plan: LoadPlan) -> str | None:
    """What h2load cannot do, each with its reason; None when it can do the plan."""
    if plan.mode == "rate":
        return "its --rps is a rate per client counted from the actual start: a slow server would slow the load down"
    if plan.mode == "count" and plan.requests < plan.connections:
        return f"h2load needs at least one request per connection ({plan.requests} for {plan.connections})"
    if limit := limit_of_programs(NAME, plan):
        return limit
    if name := has_header(plan.request, *OWN_HEADERS):
        return f"h2load sends the header {name} itself and would send it twice"
    return None


def recognises(text: str) -> bool:
    """Whether a finished h2load wrote this text."""
    return FINISHED.search(text) is not None and TRAFFIC.search(text) is not None


def read(text: str) -> LoadResult:
    """A finished h2load's text as a result."""
    return parse_h2load(text)


def run(plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """Run h2load. Its exit code is 0 even when every connection was refused: only its counts are believed."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{NAME}.log"
    log.unlink(missing_ok=True)
    command = _command(plan, host, port, folder, log)
    ended = run_child(
        command, cpus=cpus, threads=plan.threads, timeout=plan.timeout + SLACK_S, folder=folder, name=NAME
    )
    found = _killed(plan, ended, log) if ended.timed_out else None
    if found is None and not FINISHED.search(ended.stdout):
        output = tail(ended.stderr or ended.stdout)
        raise LoadError(f"h2load failed (exit code {ended.code}) and printed no summary: {output}")
    found = found or parse_h2load(ended.stdout, log if log.exists() else None, expected=plan.request.status)
    bound = client_bound(ended.cpu_s, ended.seconds, processors(cpus, plan.threads))
    found = replace(
        found,
        version=version_of(VERSION),
        command=ended.command,
        connections=plan.connections,
        threads=plan.threads,
        client_cpu_s=ended.cpu_s,
        incomplete=cut_short(ended, plan, found.seconds),
    )
    return with_doubts(found, (*ended.doubts, *([bound] if bound and found.served else [])))


def parse_h2load(text: str, log: Path | None = None, *, expected: int = 200) -> LoadResult:
    """h2load's summary and, when given, its log of every request.

    With a complete log, `served` counts the rows of the expected status and `latency` holds them. Without one,
    `served` counts responses of that status' class (2xx) and latency is unknown. `failed` = total - served. In a
    timed run the requests outstanding at its end were sent and are neither. LoadError names an unreadable line.
    """
    summary = read_summary(text)
    rows = read_log(log, expected) if log is not None else None
    logged = sum(rows.statuses.values()) if rows is not None else 0
    doubts: list[Doubt] = []
    if rows is not None and logged != summary.done:
        words = f"the log holds {logged:,} requests, the summary {summary.done:,}: it was cut short"
        doubts.append(Doubt(words, ("latency",)))
        rows = None
    served = rows.latency.total if rows is not None else summary.by_class.get(expected // 100, 0)
    if served and served < summary.total:
        lost = summary.total - served
        words = f"{lost:,} of {summary.total:,} requests were not served and have no latency"
        doubts.append(Doubt(words, ("latency",)))
    found = LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="none",
        connections=summary.clients,
        threads=summary.threads,
        served=served,
        seconds=summary.seconds,
        sent=summary.started,
        failed=summary.total - served,
        errors=_errors(summary, rows, expected),
        bytes_read=summary.bytes_total,
        latency=rows.latency if rows is not None else None,
        mean_us=summary.request_us[2] if summary.done else None,
        output=text[-OUTPUT_LIMIT:],
    )
    return with_doubts(found, doubts)


def read_summary(text: str) -> Summary:
    """Read h2load's text. LoadError naming the line that is missing or not as h2load writes it."""
    seconds, unit, rate, _, _ = _need(FINISHED, text, "finished in T, N req/s, B/s").groups()
    counts = [int(many) for many in _need(REQUESTS, text, "requests: N total, ...").groups()]
    statuses = _need(STATUS, text, "status codes: N 2xx, ...").groups()
    size, header, data = (int(many) for many in _need(TRAFFIC, text, "traffic: ...").groups())
    times = _need(TIMES, text, "time for request: ...").groups()
    clients = [int(many) for many in CLIENTS.findall(text)]
    least, most, mean, stdev = (float(times[i]) * TIME_US[times[i + 1]] for i in range(0, 8, 2))
    total, started, done, succeeded, failed, errored, timeout = counts
    return Summary(
        clients=sum(clients),
        threads=len(clients),
        seconds=float(seconds) * TIME_US[unit] / 1e6,
        rate=float(rate),
        total=total,
        started=started,
        done=done,
        succeeded=succeeded,
        failed=failed,
        errored=errored,
        timeout=timeout,
        by_class={i: int(many) for i, many in enumerate(statuses, start=2)},
        bytes_total=size,
        bytes_headers=header,
        bytes_data=data,
        request_us=(least, most, mean, stdev),
    )


def read_log(path: Path, expected: int) -> Log:
    """start in microseconds, status, latency in microseconds, tab-separated; later versions may add columns."""
    statuses: Counter[int] = Counter()
    latencies: list[int] = []
    with path.open(encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            try:
                _, status, latency, *_ = line.split("\t")
                code, microseconds = int(status), int(latency)
            except ValueError:
                raise LoadError(
                    f"{path}:{number}: {line[:80]!r} is not a row of h2load's log (start, status, latency in "
                    "microseconds, tab-separated); run the load again"
                ) from None
            statuses[code] += 1
            if code == expected:
                latencies.append(microseconds)
    return Log(dict(statuses), Histogram.of(latencies))


def _command(plan: LoadPlan, host: str, port: int, folder: Path, log: Path) -> list[str]:
    command = [NAME, "--h1", "-c", str(plan.connections), "-t", str(plan.threads), f"--log-file={log}"]
    if plan.mode == "count":
        command += ["-n", str(plan.requests), f"-N{math.ceil(plan.timeout * 1000)}ms"]  # -T never fires in 1.52
    else:
        command += ["-D", f"{math.ceil(plan.duration * 1000)}ms"]
    if plan.request.body:
        body = folder / "request.body"
        body.write_text(plan.request.body, encoding="utf-8")
        command += ["-d", str(body)]
    if plan.request.method != "GET" or plan.request.body:  # -d alone would turn every method into POST
        command += ["-H", f":method: {plan.request.method}"]
    for name, value in headers(plan.request):
        command += ["-H", f"{name}: {value}"]
    return [*command, url(plan, host, port)]


def _errors(summary: Summary, rows: Log | None, expected: int) -> dict[str, int]:
    """Kinds of failure. h2load counts requests never begun and those timed out as errored: counted apart here."""
    if rows is not None:
        found = {f"status {status}": many for status, many in sorted(rows.statuses.items()) if status != expected}
    else:
        wanted = expected // 100
        found = {f"status {i}xx": many for i, many in summary.by_class.items() if i != wanted and many}
    unsent = max(0, summary.total - summary.started)
    kinds = {
        "not sent": unsent,
        "timeout": summary.timeout,
        "errored": max(0, summary.errored - unsent - summary.timeout),
    }
    return found | {kind: many for kind, many in kinds.items() if many}


def _killed(plan: LoadPlan, ended: Ended, log: Path) -> LoadResult:
    """It did not end in time: only the rows it had written by then are known, and nothing of what it sent."""
    rows = read_log(log, plan.request.status) if log.exists() and log.stat().st_size else Log({}, Histogram((), ()))
    served = rows.latency.total
    asked = plan.requests if plan.mode == "count" else sum(rows.statuses.values())
    found = LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=ended.command,
        loop="closed",
        correction="none",
        connections=plan.connections,
        threads=plan.threads,
        served=served,
        seconds=ended.seconds,
        failed=asked - served,
        errors={"timeout": max(1, asked - served)},
        latency=rows.latency,
        output=ended.stdout[-OUTPUT_LIMIT:],
    )
    return with_doubts(
        found, [Doubt(f"h2load did not end within {plan.timeout:g} s and was killed", ("rate", "latency"))]
    )


def _need(pattern: re.Pattern[str], text: str, line: str) -> re.Match[str]:
    found = pattern.search(text)
    if found is None:
        raise LoadError(f"this is not what h2load prints: no readable line `{line}`; give its whole output")
    return found
