"""What `profpipe load` prints of a finished result."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.model.audit import Audit
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN, amount, count, duration_ns

SHOWN = (50.0, 90.0, 95.0, 99.0, 99.9)
LOOPS = {"closed": "closed loop", "open": "fixed rate", None: "closed loop or fixed rate: it does not say"}


def load_lines(result: LoadResult, audit: Audit) -> Iterator[str]:
    """Facts first, then the doubts about them, then the checks. Unknown facts are named as unknown."""
    tool = result.tool if result.version == UNKNOWN else f"{result.tool} {result.version}"
    connections = UNKNOWN if result.connections is None else count(result.connections)
    yield f"{tool}, {LOOPS[result.loop]}, connections: {connections}"
    yield f"served    {count(result.served)} {result.unit}s in {amount(result.seconds, 's')}{_rate(result)}"
    if result.failed or result.errors:
        kinds = ", ".join(f"{kind}: {many:,}" for kind, many in result.errors.items())
        yield f"failed    {count(result.failed)}{f' ({kinds})' if kinds else ''}"
    if result.bytes_read is not None and result.served:
        yield f"bytes     {amount(result.bytes_read, 'B')}, {count(result.bytes_read / result.served)} a {result.unit}"
    yield f"latency   {_latency(result)}"
    for doubt in result.doubts:
        yield f"doubtful  {doubt}"
    yield f"{audit.words} passed"
    for check in audit.checks:
        if check.passed is not None:
            yield f"  {'+' if check.passed else 'x'} {check.words}"
    if unknown := len(audit.checks) - audit.checked:
        yield f"  ? {unknown} more need a study, or what {result.tool} does not say"


def _rate(result: LoadResult) -> str:
    return "" if result.rate is None else f", {count(result.rate)} a second"


def _latency(result: LoadResult) -> str:
    found = dict(result.percentiles_us)
    if result.latency is not None:
        found = {q: value for q in SHOWN if (value := result.latency.percentile(q)) is not None}
    parts = [f"mean {duration_ns(result.mean_us * 1e3)}"] if result.mean_us is not None else []
    parts += [f"p{q:g} {duration_ns(found[q] * 1e3)}" for q in SHOWN if q in found]
    return ", ".join(parts) or f"{UNKNOWN}: {result.tool} does not print it"
