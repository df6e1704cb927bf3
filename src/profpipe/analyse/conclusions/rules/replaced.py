"""A server that replaced its processes while it was measured: the cost of starting them is in its figures."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import Conclusion


def replaced(facts: Facts) -> Iterator[Conclusion]:
    """For every variant of whose processes some ended in the window of a valid run."""
    for v in facts.variants:
        runs = [(i, r) for i, r in enumerate(facts.report.runs) if r.variant == v.id and r.valid and r.ended]
        if not runs:
            continue
        worst = max(runs, key=lambda item: item[1].ended)[1]
        text = (
            f"{worst.ended} of its processes ended while {facts.label(v.id)} was measured ({worst.profiler} round "
            f"{worst.round}): what others need to start in their place is in its cost per request. For the cost of "
            "requests alone, set no limit of requests for a process (--max-requests, --limit-max-requests), or see in "
            "the server's log why one died."
        )
        rows = [Figure(r.ended, f"runs.{i}.ended").row for i, r in runs[:8]]
        yield conclusion("replaced", v.id, text, kind="caution", weight=weight("replaced"), rows=rows)
