"""The trial of a prepared study: what is tried, what is left out after it, and the study that follows."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from profpipe.errors import CaptureError
from profpipe.model.report import Limit
from profpipe.model.trial import TrialRecord, TrialRow
from profpipe.pipeline.captures import unreadable
from profpipe.pipeline.events import Listener, Note, TrialEnded, TrialStarted
from profpipe.pipeline.execute.interface import Session
from profpipe.pipeline.prepare.fitted import STUDY_S, leaves_count_open
from profpipe.pipeline.prepare.load_plans import NOT_MEASURED
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.request_limits import beyond_limit
from profpipe.pipeline.trial.fit import Pair, Plan, hopeless, plan
from profpipe.pipeline.trial.one_trial import TrialUnit, Tried

BEFORE_THE_LOAD = frozenset({"start", "ready", "warm-up"})
# A failure that came so soon is tried once more: it may have been chance.
AGAIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The study that follows from a trial, and its record; `broken` = variants that do not serve at all."""

    prepared: PreparedStudy
    record: TrialRecord
    broken: Mapping[str, CaptureError] = field(default_factory=dict)


@dataclass(slots=True)
class _Trial:
    """What is found while variants are tried."""

    prepared: PreparedStudy
    session: Session
    listen: Listener
    by_slices: bool
    before_s: float
    tried: dict[Pair, Tried] = field(default_factory=dict)
    failed: dict[Pair, str] = field(default_factory=dict)
    broken: dict[str, CaptureError] = field(default_factory=dict)
    hopeless: dict[str, str] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    @property
    def spent_s(self) -> float:
        """Seconds of the study's budget that are spent, those before the trial included."""
        return self.before_s + time.monotonic() - self.begun

    def run(self, without: Collection[str]) -> None:
        """Instrument after instrument, clean runs first where the study has them: what does not serve shows there."""
        for name in self.prepared.kinds:
            variants = [v for v in self.prepared.targets if (v, name) not in self.prepared.refused and v not in without]
            for variant in variants:
                if variant in self.broken or name in self.hopeless:
                    continue
                self.listen(TrialStarted(variant, name))
                self._one(variant, name)
                if (variant, name) in self.tried:
                    self._give_up(variant, name, len(variants))

    def _give_up(self, variant: str, name: str, variants: int) -> None:
        """Try no other variant under an instrument that is known to be too slow."""
        pair = variant, name
        why = hopeless(self.prepared, self.tried, pair, variants, self.spent_s, by_slices=self.by_slices)
        if why is not None:
            self.hopeless[name] = why

    def _one(self, variant: str, name: str) -> None:
        tried, reason = self._carry_out(variant, name)
        if reason is not None and tried.seconds < AGAIN_S and not tried.record.refused:
            tried, reason = self._carry_out(variant, name)
        if reason is None:
            self.tried[variant, name] = tried
            self.listen(TrialEnded(variant, name, tried.rate, None))
            return
        self.failed[variant, name] = reason
        self.listen(TrialEnded(variant, name, None, reason))
        record = tried.record
        if self.prepared.kinds[name] == "clean" and record.phase in BEFORE_THE_LOAD:
            self.broken[variant] = CaptureError(record.phase, record.reason or reason, log_tail=record.log_tail)

    def _carry_out(self, variant: str, name: str) -> tuple[Tried, str | None]:
        with TemporaryDirectory(prefix="profpipe-trial-") as folder:
            ((_, tried),) = self.session.carry_out([TrialUnit(Path(folder), variant, name)])
            return tried, tried.record.reason or unreadable(tried.record, Path(folder))


def needs_trial(prepared: PreparedStudy) -> bool:
    """Whether the study leaves a count of requests to profpipe."""
    return any(leaves_count_open(prepared.study, name) for name in prepared.kinds)


def try_out(
    prepared: PreparedStudy,
    session: Session,
    broken: Collection[str],
    listen: Listener,
    *,
    by_slices: bool,
    before_s: float = 0.0,
) -> Outcome:
    """Try every variant under every instrument, and fit loads and rounds to the budget.

    What cannot be measured is left out with its reason. Raises CaptureError where nothing is left to compare. `broken`
    = variants that do not build; `by_slices` = CPU time can be measured by slices; `before_s` = seconds of the budget
    that building took.
    """
    trial = _Trial(prepared, session, listen, by_slices, before_s)
    trial.run(broken)
    spent_s = trial.spent_s
    _enough_left(prepared, trial)
    left = _without(prepared, trial.failed, trial.broken)
    found = plan(left, trial.tried, spent_s, by_slices=by_slices, without=trial.hopeless)
    pairs = ((variant, name) for variant in left.targets for name in found.too_long)
    gone = {pair: found.too_long[pair[1]] for pair in pairs if pair not in left.refused}
    replacing = _beyond_limits(left, found)
    gone |= replacing
    left = _planned(_without(left, gone, {}), found)
    for name, why in (*found.too_long.items(), *((f"{name} of {v}", why) for (v, name), why in replacing.items())):
        listen(Note(f"{name} is {NOT_MEASURED}: {why}"))
    return Outcome(left, _record(left, trial, gone, spent_s - before_s, found.expected_s), trial.broken)


def _beyond_limits(prepared: PreparedStudy, found: Plan) -> dict[Pair, str]:
    """What the fitted loads would make a server replace its workers in, with the reason."""
    reasons = {
        (variant, name): beyond_limit(prepared.targets[variant], prepared.kinds[name], size.requests + size.warmup)
        for (variant, name), size in found.fitted.sizes.items()
        if name not in found.too_long
    }
    return {pair: why for pair, why in reasons.items() if why is not None}


def _enough_left(prepared: PreparedStudy, trial: _Trial) -> None:
    """Raises CaptureError, with the reason of the first failure, where no comparison is possible."""
    others = [name for name in prepared.targets if name != prepared.baseline]
    for name in prepared.kinds:
        found = {variant for variant, instrument in trial.tried if instrument == name}
        if prepared.baseline in found and (not others or found & set(others)):
            return
    if not trial.failed:
        return
    variant, name = next(iter(trial.failed))
    error = trial.broken.get(variant)
    reasons = "; ".join(f"{v} under {n}: {why}" for (v, n), why in _each_reason(trial.failed))
    lines = "".join(f"\n    {line}" for line in error.log_tail[-10:]) if error else ""
    left = "nothing is left to compare" if others else "nothing is left to measure"
    raise CaptureError(error.phase if error else "load", f"{left} after the trial: {reasons}{lines}")


def _each_reason(failed: Mapping[Pair, str]) -> Iterable[tuple[Pair, str]]:
    """Every reason once, with the first that had it."""
    seen: dict[str, Pair] = {}
    for pair, why in failed.items():
        seen.setdefault(why, pair)
    return [(pair, why) for why, pair in seen.items()]


def _without(prepared: PreparedStudy, failed: Mapping[Pair, str], broken: Mapping[str, CaptureError]) -> PreparedStudy:
    """The study without what failed. A variant that does not serve keeps its clean runs, which then say so."""
    clean = {name for name, kind in prepared.kinds.items() if kind == "clean"}
    kept = {(variant, name) for variant in broken for name in clean}
    gone = {pair: why for pair, why in failed.items() if pair not in kept}
    refused = prepared.refused | set(gone)
    refused |= {(variant, name) for variant in broken for name in prepared.kinds if name not in clean}
    kinds = {
        name: kind
        for name, kind in prepared.kinds.items()
        if any((variant, name) not in refused for variant in prepared.targets)
    }
    by_text: dict[tuple[str, str], list[str]] = {}
    for (variant, name), why in gone.items():
        by_text.setdefault((name, f"{NOT_MEASURED}: {why}"), []).append(variant)
    limits = tuple(Limit(profiler=name, text=text, variants=tuple(who)) for (name, text), who in by_text.items())
    return replace(
        prepared,
        refused=frozenset(refused),
        kinds=kinds,
        rounds={name: rounds for name, rounds in prepared.rounds.items() if name in kinds},
        limits=(*prepared.limits, *limits),
    )


def _planned(prepared: PreparedStudy, found: Plan) -> PreparedStudy:
    study = prepared.study
    if study.control and not found.control:
        study = study.model_copy(update={"control": False})
    rounds = {name: found.rounds[name] for name in prepared.kinds}
    prepared = replace(prepared, study=study, fitted=found.fitted, rounds=rounds)
    return replace(prepared, runs=prepared.schedule(rounds, {}, 0))


def _record(
    prepared: PreparedStudy, trial: _Trial, gone: Mapping[Pair, str], trial_s: float, expected_s: float
) -> TrialRecord:
    rows = []
    for (variant, name), tried in trial.tried.items():
        size = prepared.fitted.sizes.get((variant, name))
        why = gone.get((variant, name))
        rows.append(
            TrialRow(
                variant=variant,
                profiler=name,
                rate=tried.rate,
                requests=None if why or size is None else size.requests,
                connections=None if why or size is None else size.connections,
                reason=why,
            )
        )
    rows += [TrialRow(variant=v, profiler=name, reason=why) for (v, name), why in trial.failed.items()]
    return TrialRecord(
        seconds=round(trial_s, 1),
        budget_s=prepared.study.budget or STUDY_S,
        expected_s=round(expected_s, 1),
        rows=tuple(rows),
    )
