"""Loads that follow from a trial, where the study leaves them to profpipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from profpipe.study import LoadPlan, Study

# Seconds of slices of a study that sets its loads itself and no budget; of a whole study whose loads are fitted.
SLICES_S, STUDY_S = 60.0, 180.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much a load sends: `warmup` = requests before the window, `timeout` = seconds after which it is aborted."""

    requests: int
    connections: int
    warmup: int
    timeout: float

    def left_open(self, plan: LoadPlan) -> dict[str, object]:
        """What this says of the keys that the plan does not set itself."""
        found = {
            "requests": self.requests,
            "connections": self.connections,
            "warmup": self.warmup,
            "timeout": self.timeout,
        }
        return {key: value for key, value in found.items() if key not in plan.model_fields_set}


@dataclass(frozen=True, slots=True)
class Fitted:
    """`sizes` = (variant, instrument) -> its load; `slices` = connections and warm-up of the slices.

    `slices_s` = seconds that starts may take; `not_by_slices` = why this study cannot be measured by them.
    """

    sizes: Mapping[tuple[str, str], Size] = field(default_factory=dict)
    slices: Size | None = None
    slices_s: float | None = None
    not_by_slices: str | None = None


NOT_FITTED = Fitted()


def leaves_count_open(study: Study, instrument: str) -> bool:
    """Whether the study says nothing of how many requests a run under this instrument sends."""
    use = study.use(instrument)
    plan = use.load or study.load
    # A trial cannot choose for a program of the user's own: it may take seconds to start.
    return (
        plan.command is None
        and plan.mode == "count"
        and use.requests is None
        and "requests" not in plan.model_fields_set
    )
