"""Rows about the post's P.S.: its three wrk tables, what follows from them, and our figures of the same programs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from profpipe.analyse.conclusions.facts import Facts, listed
from profpipe.model.metric_keys import THROUGHPUT
from profpipe.model.report import Report
from profpipe.model.run import LoadResult
from profpipe.reference.post2018.answer import Answer, Given, Row, unknown
from profpipe.units import count, ratio

TABLES = ("tokio_minihttp 1", "may http 1", "may http 2")
# The same programs in the study of the P.S., response as in the post and response alike.
SEED = ("tokio-proto-mini", "may-http", "may-http-2")
EQUAL = ("tokio-proto-mini-equal", "may-http-equal", "may-http-2-equal")


def fairness(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    if given.other is None:
        return unknown("profpipe run seed-fairness measures it; its newest report is shown here")
    modes = {"each its own response": SEED, "the same response": EQUAL}
    words = [f"{mode}: {text}" for mode, names in modes.items() if (text := _rates(given.other, names))]
    if not words:
        words = [f"{mode}: {text}" for mode, names in modes.items() if (text := _instructions(given.other, names))]
    if not words:
        return unknown("the newest report of seed-fairness has no valid figure of these programs")
    why = "the post's two programs did not send the same answer, 106 bytes against 93"
    return Answer("corrected", f"{'; '.join(words)} (seed-fairness of {given.other.created[:10]})", None, why)


def _rates(report: Report, names: Sequence[str]) -> str:
    """Requests a second of the variants that have them, in words; rates that the load generator doubts are left out."""
    every = [(v.label, v.figures.get(THROUGHPUT)) for v in report.variants if v.id in names]
    found = [(label, series.median) for label, series in every if series is not None and series.median]
    return listed([f"{label} {count(value)}/s" for label, value in found]) if found else ""


def _instructions(report: Report, names: Sequence[str]) -> str:
    key = Facts(report).counted()
    found = [(v.label, v.figures[key].median) for v in report.variants if v.id in names and key in v.figures]
    return listed([f"{label} {count(value)} instructions per request" for label, value in found if value])


def pasted(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    """One of the post's tables, by its own arithmetic."""
    read = given.loads[row["table"]]
    mean = _mean_us(read)
    size = count(round(_exact_bytes(read), 2))
    text = (
        f"requests / time = {count(read.rate or 0)}/s, {size} bytes each, a true mean of {count(mean)} µs per request"
    )
    return Answer("corrected" if read.doubts else "kept", text, mean, "; ".join(read.doubts))


def ratios(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    first, second, third = (given.loads[name].rate or 0.0 for name in TABLES)
    text = (
        f"may to tokio_minihttp {ratio(second / first)}, two threads to one {ratio(third / second)}, may with two to "
        f"tokio_minihttp {ratio(third / first)}"
    )
    why = (
        "twice the threads gave more than twice the requests, more than a second thread can add: the two "
        "runs differ in more than their threads, and the client limited the second"
    )
    return Answer("corrected" if third / second > 2 else "kept", text, third / second, why)


def arithmetic(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    """The checks on every table: rate, whole bytes, threads x Req/Sec, Little's law, the client's CPU."""
    rates = [name for name in TABLES if "rate" in given.loads[name].doubted]
    means = [name for name in TABLES if "latency" in given.loads[name].doubted]
    sizes = [_exact_bytes(given.loads[name]) for name in TABLES]
    whole = all(isclose(size, round(size), abs_tol=0.02) for size in sizes)
    text = (
        f"requests, time and rate agree in all three, responses are {'whole' if whole else 'no whole'} numbers of "
        f"bytes; {len(means)} of 3 mean latencies are impossible, {len(rates)} of 3 rates limited by the client"
    )
    why = "wrk adds latencies of requests it never sent, so its mean is not the time a request takes"
    return Answer("corrected" if means or rates else "kept", text, float(len(means)), why)


def _mean_us(read: LoadResult) -> float:
    """connections / rate: in a closed loop every connection always has one request outstanding (Little's law)."""
    return read.connections / read.rate * 1e6 if read.rate and read.connections else 0.0


def _exact_bytes(read: LoadResult) -> float:
    return (read.bytes_read or 0) / read.served
