"""Is a run valid? Decided by what was served and captured, never by a file's existence or a tool's exit code."""

from __future__ import annotations

from profpipe.model.run import Phase, RunRecord
from profpipe.study import LoadPlan
from profpipe.study.schema import asks_for

# A run with a larger share of failed requests is invalid: load tools exit 0 even when a tenth of the answers are 503s.
FAILED_SHARE = 0.01


def judge(record: RunRecord, plan: LoadPlan) -> tuple[str | None, Phase | None]:
    """Why the run is invalid, as (reason, phase); (None, None) when it is valid."""
    if record.reason is not None:
        return record.reason, record.phase
    result = record.load
    if result is None:
        return "no load ran", "load"
    if result.incomplete is not None:
        return f"the load did not run to its end: {result.incomplete}", "load"
    errors = ", ".join(f"{kind}: {many:,}" for kind, many in result.errors.items())
    if result.served <= 0 and plan.command is not None:
        return f"{result.tool} counted no {plan.unit} ({errors or 'no error reported'})", "load"
    if result.served <= 0:
        return f"no request was answered with {plan.status_words} ({errors or 'no error reported'})", "load"
    if result.failed > FAILED_SHARE * (result.served + result.failed):
        return f"{result.failed:,} of {result.served + result.failed:,} requests failed ({errors})", "load"
    fixed = plan.mode == "count" and (plan.command is None or asks_for(plan, "requests"))
    if fixed and result.served != plan.requests:
        return (
            f"{result.served:,} of {plan.requests:,} requests were answered ({errors or 'no error reported'}): "
            "a cost per request needs a trustworthy count"
        ), "load"
    return None, None
