"""Which runs are not tried because the same run has failed before."""

from __future__ import annotations

from collections.abc import Sequence

from profpipe.errors import CaptureError
from profpipe.model.run import RunRecord
from profpipe.pipeline.prepare.schedule import RunPlan

# A server that is never ready costs its whole timeout, under callgrind ten times that, in every round.
TRIES = 2
NOT_AGAIN = "not tried again after two failed runs"
BEFORE_THE_LOAD = frozenset({"build", "start", "ready", "warm-up"})
# What has failed there fails so in every round: no load, or a capture that cannot be read.
FOR_GOOD = BEFORE_THE_LOAD | {"parse"}


def given_up(ended: Sequence[RunRecord], plan: RunPlan) -> RunRecord | None:
    """The failure after which a run is not tried, or None.

    The last two runs of its variant under its profiler, or under none (clean), ended before any load, or their
    captures could not be read.
    """
    for profiler in dict.fromkeys((plan.profiler, "clean")):
        last = [r for r in ended if r.variant == plan.variant and r.profiler == profiler][-TRIES:]
        if len(last) == TRIES and all(r.phase in FOR_GOOD for r in last):
            return last[-1]
    return None


def not_tried_again(last: RunRecord) -> CaptureError:
    """The error of a run that is not tried, with the reason why the last one failed, named once."""
    why = (last.reason or "").removeprefix(f"{NOT_AGAIN}: ")
    return CaptureError(last.phase or "start", f"{NOT_AGAIN}: {why}")
