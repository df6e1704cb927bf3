"""wrk's output as people paste it into a text: read as a load, with the doubts that its own arithmetic raises."""

from __future__ import annotations

import re
import shlex

from profpipe.load.doubts import with_doubts
from profpipe.load.process import OUTPUT_LIMIT
from profpipe.load.wrk import NAME, REFUSED, lost, refused
from profpipe.load.wrk.table import COUNTS, TITLE, doubts, read_table
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN


def recognises(text: str) -> bool:
    """Whether wrk wrote this text."""
    return text.lstrip().startswith(REFUSED) or (COUNTS.search(text) is not None and TITLE.search(text) is not None)


def read(text: str) -> LoadResult:
    """A finished wrk's text as a result."""
    return parse_wrk_text(text)


def parse_wrk_text(text: str) -> LoadResult:
    """What wrk printed, as a load with the doubts its own arithmetic raises (`table.doubts`).

    The text holds no histogram, so `latency` is None; `read_table` has its rows. Its version is unknown. "unable to
    connect" is a result without connections and without a served request. LoadError when the text is not wrk's.
    """
    if REFUSED in text:
        return refused(text)
    table = read_table(text)
    found = LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=_pasted_command(text),
        loop="closed",
        correction="wrk-corrected",
        connections=table.connections,
        threads=table.threads,
        served=table.requests - table.not_ok,
        seconds=table.seconds,
        failed=table.not_ok + lost(table.errors),
        errors={**table.errors, "status": table.not_ok} if table.not_ok else dict(table.errors),
        bytes_read=round(table.bytes_read),
        mean_us=table.latency.mean,
        percentiles_us=tuple(table.percentiles_us.items()),
        client_cpu_s=table.cpu_s,
        output=text[:OUTPUT_LIMIT],
    )
    return with_doubts(found, doubts(table))


def _pasted_command(text: str) -> tuple[str, ...]:
    """The `$ wrk ...` line above a pasted table, when there is one."""
    found = re.search(r"^\$ (wrk .+)$", text, re.MULTILINE)
    return tuple(shlex.split(found.group(1))) if found else ()
