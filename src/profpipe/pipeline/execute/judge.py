"""Is a run to be believed? By what was served and captured, never by a file's existence or a tool's exit code."""

from __future__ import annotations

from collections.abc import Sequence

from profpipe.capture import Captured
from profpipe.model.run import Phase, RunRecord
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.study import LoadPlan

# Load tools exit 0 when a tenth of the answers are 503s: more than this share of failures makes a run invalid.
FAILED_SHARE = 0.01
# A server that is never ready costs its whole timeout, under callgrind ten times that, in every round.
TRIES = 2
NOT_AGAIN = "not tried again after runs that failed alike"
BEFORE_THE_LOAD = frozenset({"build", "start", "ready", "warm-up"})


def judge(captured: Captured, plan: LoadPlan) -> tuple[str | None, Phase | None]:
    """(reason, phase) why the run is invalid, or (None, None)."""
    if captured.reason is not None:
        return captured.reason, captured.phase
    result = captured.load
    if result is None:
        return "no load was run", "load"
    errors = ", ".join(f"{kind}: {many:,}" for kind, many in result.errors.items())
    if result.served <= 0:
        return f"not one request was answered with status {plan.request.status} ({errors or 'no error named'})", "load"
    if result.failed > FAILED_SHARE * (result.served + result.failed):
        return f"{result.failed:,} of {result.served + result.failed:,} requests failed ({errors})", "load"
    if plan.mode == "count" and result.served != plan.requests:
        return (
            f"{result.served:,} of {plan.requests:,} requests were answered ({errors or 'no error named'}): "
            "a cost per request needs a trustworthy count"
        ), "load"
    return None, None


def given_up(ended: Sequence[RunRecord], run: RunPlan) -> RunRecord | None:
    """The failure after which `run` is not tried, or None.

    The last two runs of its variant under its profiler, or under none (clean), ended before any load.
    """
    for profiler in dict.fromkeys((run.profiler, "clean")):
        last = [r for r in ended if r.variant == run.variant and r.profiler == profiler][-TRIES:]
        if len(last) == TRIES and all(r.phase in BEFORE_THE_LOAD for r in last):
            return last[-1]
    return None
