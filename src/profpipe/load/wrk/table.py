"""The text wrk prints, every figure of it, and the arithmetic it must agree with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from profpipe.errors import LoadError
from profpipe.load.doubts import Doubt
from profpipe.load.process import CLIENT_BOUND
from profpipe.load.wrk import NO_ANSWER, PHANTOM

UNSTEADY = 0.02  # threads x Req/Sec against the total: wrk's own sampling is 0.5 to 1 % off

TIME_US = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
PLAIN = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
BYTES = {"B": 1.0, "KB": 1024.0, "MB": 1024.0**2, "GB": 1024.0**3, "TB": 1024.0**4}

VALUE = r"(-?nan|[\d.]+)"
TIME = rf"{VALUE}(us|ms|s|m|h)"
SIZE = r"([\d.]+)([KMGT]?B)"
SHARE = rf"{VALUE}%"
COUNTS = re.compile(rf"^\s*(\d+) requests in {TIME}, {SIZE} read", re.MULTILINE)
LAYOUT = re.compile(r"^\s*(\d+) threads and (\d+) connections", re.MULTILINE)
TITLE = re.compile(r"^Running \S+ test @ (\S+)", re.MULTILINE)
RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
TRANSFER = re.compile(rf"^Transfer/sec:\s+{SIZE}", re.MULTILINE)
LATENCY = re.compile(rf"^\s*Latency\s+{TIME}\s+{TIME}\s+{TIME}\s+{SHARE}", re.MULTILINE)
PER_THREAD = re.compile(
    rf"^\s*Req/Sec\s+{VALUE}([kMGT]?)\s+{VALUE}([kMGT]?)\s+{VALUE}([kMGT]?)\s+{SHARE}", re.MULTILINE
)
PERCENTILE = re.compile(rf"^\s*([\d.]+)%\s+{TIME}\s*$", re.MULTILINE)
SOCKET_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
NOT_OK = re.compile(r"Non-2xx or 3xx responses: (\d+)")
TIMED = re.compile(r"([\d.]+)s user ([\d.]+)s system ([\d.]+)% cpu")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of "Thread Stats": microseconds for Latency, requests a second of one thread for Req/Sec.

    None where wrk prints nan or a zero for lack of any answer. `within` = share of the values within one sd.
    """

    mean: float | None
    stdev: float | None
    maximum: float | None
    within: float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Every figure of wrk's text in microseconds, seconds and bytes (1 KB = 1,024 bytes)."""

    url: str
    threads: int
    connections: int
    latency: Row
    per_thread: Row
    requests: int
    seconds: float
    seconds_step: float  # one step of the last printed digit: how exact what follows from it can be
    bytes_read: float
    bytes_step: float
    rate: float
    transfer: float
    percentiles_us: dict[float, float] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    not_ok: int = 0
    cpu_s: float | None = None  # from the line of the shell's `time`, when it was pasted too
    cpu_share: float | None = None  # of one processor

    @property
    def true_mean_us(self) -> float | None:
        """Mean time of a request in a closed loop: every connection always has one outstanding (Little's law)."""
        return self.connections / self.rate * 1e6 if self.rate > 0 else None


def read_table(text: str) -> Table:
    """Read wrk's text. LoadError naming the line that is missing or not as wrk writes it."""
    requests, seconds, second_unit, size, size_unit = _need(COUNTS, text, "N requests in T, B read").groups()
    threads, connections = _need(LAYOUT, text, "N threads and N connections").groups()
    transfer, transfer_unit = _need(TRANSFER, text, "Transfer/sec:").groups()
    errors, not_ok, timed = SOCKET_ERRORS.search(text), NOT_OK.search(text), TIMED.search(text)
    kinds = zip(("connect", "read", "write", "timeout"), errors.groups() if errors else ("0",) * 4, strict=True)
    return Table(
        url=_need(TITLE, text, "Running T test @ URL").group(1),
        threads=int(threads),
        connections=int(connections),
        latency=_row(_need(LATENCY, text, "Latency").groups(), TIME_US, empty=requests == "0"),
        per_thread=_row(_need(PER_THREAD, text, "Req/Sec").groups(), PLAIN, empty=requests == "0"),
        requests=int(requests),
        seconds=float(seconds) * TIME_US[second_unit] / 1e6,
        seconds_step=_step(seconds) * TIME_US[second_unit] / 1e6,
        bytes_read=float(size) * BYTES[size_unit],
        bytes_step=_step(size) * BYTES[size_unit],
        rate=float(_need(RATE, text, "Requests/sec:").group(1)),
        transfer=float(transfer) * BYTES[transfer_unit],
        percentiles_us={float(q): float(value) * TIME_US[unit] for q, value, unit in PERCENTILE.findall(text)},
        errors={kind: int(many) for kind, many in kinds if int(many)},
        not_ok=int(not_ok.group(1)) if not_ok else 0,
        cpu_s=float(timed.group(1)) + float(timed.group(2)) if timed else None,
        cpu_share=float(timed.group(3)) / 100 if timed else None,
    )


def doubts(table: Table) -> Iterator[Doubt]:
    """What the table's own arithmetic contradicts."""
    if table.requests == 0:
        yield NO_ANSWER
        return
    yield from _rate_doubts(table)
    mean, true = table.latency.mean, table.true_mean_us
    if mean is not None and true is not None and mean > PHANTOM * true:
        yield Doubt(
            f"{table.connections} connections at {table.rate:,.0f} requests/s mean {true:,.0f} us per request, wrk "
            f"reports {mean:,.0f} us: it adds samples for requests that were never sent",
            ("latency",),
        )
    if table.cpu_share is not None and table.cpu_share >= CLIENT_BOUND * table.threads:
        yield Doubt(
            f"wrk used {table.cpu_share:.0%} of the {table.threads:.0%} its {table.threads} threads can use: this is "
            "its own ceiling, not the server's; the rate is a lower bound",
            ("rate", "latency"),
        )


def _rate_doubts(table: Table) -> Iterator[Doubt]:
    counted = table.requests / table.seconds
    if abs(counted - table.rate) > table.rate * (table.seconds_step / table.seconds + 1e-4):
        yield Doubt(
            f"{table.requests:,} requests in {table.seconds:g} s are {counted:,.0f} a second, the text says "
            f"{table.rate:,.0f}",
            ("rate",),
        )
    each = table.bytes_read / table.requests
    # Responses cut off at the end are in the bytes and not in the count: at most one per connection.
    slack = (table.bytes_step / 2 + each * table.connections) / table.requests
    if table.not_ok == 0 and slack < 0.25 and abs(each - round(each)) > slack + 1e-3:
        yield Doubt(f"a response has {each:,.2f} bytes on average: they were not all the same", ("rate",))
    per_thread = table.per_thread.mean
    if per_thread is not None and abs(per_thread * table.threads / table.rate - 1) > UNSTEADY:
        yield Doubt(
            f"{table.threads} threads x {per_thread:,.0f} requests/s are not the total of {table.rate:,.0f}: the rate "
            "was not steady",
            ("rate",),
        )


def _need(pattern: re.Pattern[str], text: str, line: str) -> re.Match[str]:
    found = pattern.search(text)
    if found is None:
        raise LoadError(f"this is not what wrk prints: no readable line `{line}`; give its whole output")
    return found


def _row(groups: tuple[str, ...], units: dict[str, float], *, empty: bool) -> Row:
    values = [None if empty or "nan" in text else float(text) * units[unit] for text, unit in _pairs(groups)]
    within = None if empty or "nan" in groups[6] else float(groups[6]) / 100
    return Row(values[0], values[1], values[2], within)


def _pairs(groups: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return zip(groups[0:6:2], groups[1:6:2], strict=True)


def _step(text: str) -> float:
    return float(10.0 ** -len(text.partition(".")[2]))
