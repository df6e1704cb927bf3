"""Which runs of a profiler are samples, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterable

from profpipe.analyse.study_data import RunData, StudyData
from profpipe.model.profile import Profile


def refusal(run: RunData, per: str = "request") -> str | None:
    """Why this run's profile is no sample: invalid, empty, cut short, no count of requests. None = it is one."""
    record = run.record
    if record.reason is not None:
        return record.reason
    if not run.profiles:
        return "no profile was read from this run"
    partial = next((p.meta.partial for p in run.profiles if p.meta.partial), None)
    if partial:
        return f"the capture is partial: {partial}"
    if per == "request" and not record.requests:
        return "no trustworthy count of served requests"
    if all(p.self_sum(m.key) == 0 for p in run.profiles for m in p.metrics[:1]) and not _counts_calls(run.profiles):
        return "the profile is empty: its total is 0"
    return None


def good_runs(study: StudyData, variant: str, profiler: str) -> list[RunData]:
    """The valid runs of a variant, control runs left out, by round."""
    runs = [
        r
        for r in study.runs
        if r.record.variant == variant
        and r.record.profiler == profiler
        and not r.record.control
        and refusal(r, study.per) is None
    ]
    return sorted(runs, key=lambda r: r.record.round)


def _counts_calls(profiles: Iterable[Profile]) -> bool:
    return any(p.measured is not None and p.measured.calls.any() for p in profiles)
