"""What a trial says of slices: whether the variants are fast enough for them, and fit into memory together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from profpipe.capture.server.memory import too_much
from profpipe.model.start import control_name
from profpipe.pipeline.prepare.fitted import STUDY_S
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.trial.one_trial import Tried

# Slices of a slower server than this are a few requests long, and a study has too few of them.
LEAST_RATE = 25.0
LEAST_SLICES_S = 25.0
# A start launches all variants and the control, and at least a part of its time must be load; a verdict needs five.
LEAST_STARTS, START_SHARE = 6, 1.7


def clean_trials(prepared: PreparedStudy, tried: Mapping[tuple[str, str], Tried]) -> dict[str, Tried]:
    """Variant -> its trial without a profiler."""
    clean = next((name for name, kind in prepared.kinds.items() if kind == "clean"), "")
    return {variant: found for (variant, name), found in tried.items() if name == clean}


def why_rounds(prepared: PreparedStudy, tried: Mapping[tuple[str, str], Tried]) -> str | None:
    """Why CPU time is measured in rounds, in words; None where the trial says nothing against slices."""
    found = clean_trials(prepared, tried)
    rate = min((each.rate or 1.0 for each in found.values()), default=0.0)
    if rate < LEAST_RATE and prepared.study.slices == "auto":
        return f"the slowest variant answers {rate:.3g} requests a second, and slices need {LEAST_RATE:.0f}"
    return _too_much_memory(prepared, found)


def _too_much_memory(prepared: PreparedStudy, found: Mapping[str, Tried]) -> str | None:
    peaks = {variant: each.peak_bytes for variant, each in found.items() if each.peak_bytes is not None}
    if prepared.baseline in peaks:
        peaks[control_name(prepared.baseline)] = peaks[prepared.baseline]
    free = min((each.free for each in found.values() if each.free is not None), key=lambda f: f.size, default=None)
    return None if free is None else too_much(peaks, free)


def least_slices_s(prepared: PreparedStudy, tried: Mapping[tuple[str, str], Tried]) -> float:
    """Seconds for as many starts as a verdict needs."""
    launch = {variant: found.outside_s for variant, found in clean_trials(prepared, tried).items()}
    launch_s = sum(launch.values()) + launch.get(prepared.baseline, 0.0)
    return max(LEAST_SLICES_S, LEAST_STARTS * START_SHARE * launch_s)


def no_time(prepared: PreparedStudy, seconds: float, counted: Sequence[str]) -> str:
    """Why there are no starts: `counted` instruments leave no time for the `seconds` that they need."""
    budget = prepared.study.budget or STUDY_S
    return (
        f"a verdict needs starts that take {seconds:.0f} s, more than {' and '.join(counted)} "
        f"leave{'s' if len(counted) == 1 else ''} of the study's budget of {budget:.0f} s: allow more with --budget"
    )
