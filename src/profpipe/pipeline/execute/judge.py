"""Is a run to be believed? By what was served and captured, never by a file's existence or a tool's exit code."""

from __future__ import annotations

from profpipe.capture import Captured
from profpipe.model.run import Phase
from profpipe.study import LoadPlan

# Load tools exit 0 when a tenth of the answers are 503s: more than this share of failures makes a run invalid.
FAILED_SHARE = 0.01


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
