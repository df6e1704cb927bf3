"""What analysis reads: a study's record as it was stored, and its runs with their profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from profpipe.model.profile import Profile
from profpipe.model.report import ALPHA, Calibration
from profpipe.model.run import RunRecord
from profpipe.model.start import Start
from profpipe.model.study import StudyRecord, VariantFacts
from profpipe.study.schema import CategoryRule
from profpipe.units import Instrument


@dataclass(frozen=True, slots=True)
class RunData:
    """One run and what was read of its captures (several profiles when the server forks, none for `clean`)."""

    record: RunRecord
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyData:
    """Everything a report is computed from. The record's facts are in `record`, and nowhere else.

    Control runs are those whose record says `control`; their variant is the baseline. `per` is what costs are divided
    by: requests, or whole captures where no request was counted. `same_program` = all captures are of one program
    whose commits are not known. `alpha` = the share of reports without a real change that may hold a false verdict.
    `calibration` is one of the same machine and load, or None. `classic_name` = how the classic lists write a
    function's name; None = as the capture has it. `starts` = what was measured by slices, in their order.
    """

    record: StudyRecord
    runs: tuple[RunData, ...]
    per: Literal["request", "capture"] = "request"
    same_program: bool = False
    alpha: float = ALPHA
    calibration: Calibration | None = None
    classic_name: Callable[[str], str] | None = None
    starts: tuple[Start, ...] = ()

    @property
    def baseline(self) -> str:
        return self.record.baseline

    @property
    def contenders(self) -> tuple[str, ...]:
        """In the order of the report."""
        return tuple(v.id for v in self.record.variants if v.id != self.baseline)

    @property
    def variants(self) -> tuple[str, ...]:
        """Baseline first, then the contenders."""
        return (self.baseline, *self.contenders)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Name of an instrument -> its kind, in the order of the report."""
        return self.record.kinds

    @property
    def profilers(self) -> tuple[str, ...]:
        """The instruments that leave captures."""
        return tuple(name for name, kind in self.instruments.items() if kind != "clean")

    @property
    def level(self) -> float:
        """What verdicts over rounds may spend: alpha without the part of the starts, or one look's part of that."""
        if self.record.sequential is not None:
            return self.record.sequential.alpha
        return self.alpha if self.record.slices is None else max(self.alpha - self.record.slices.alpha, 0.0)

    @property
    def one_program(self) -> bool:
        """Whether a function of one variant can be looked for in another under another name or file."""
        return self.same_program or all(v in self.record.commits for v in self.variants)

    @property
    def category_rules(self) -> tuple[CategoryRule, ...]:
        """The user's own rules, as checked values."""
        return tuple(CategoryRule.model_validate(rule) for rule in self.record.categories)

    def again(self, name: str) -> bool:
        """True if an earlier instrument uses the same profiler under another load."""
        tools = self.record.tools
        return next(n for n in self.instruments if tools.get(n, n) == tools.get(name, name)) != name

    def facts(self, variant: str) -> VariantFacts:
        return next(v for v in self.record.variants if v.id == variant)

    def label(self, variant: str) -> str:
        return self.facts(variant).label or variant

    def language_family(self, variant: str) -> str:
        """Functions align within one language family only; all others are native code."""
        language = self.facts(variant).language or "other"
        return language if language in ("python", "go", "node", "jvm") else "native"

    def in_order(self) -> StudyData:
        """Runs by variant, profiler and round, so that the order they came in leaves no trace; strangers left out."""
        place = {v: i for i, v in enumerate(self.variants)}
        tools = {p: i for i, p in enumerate(self.instruments)}
        known = [r for r in self.runs if r.record.variant in place and r.record.profiler in tools]

        def key(run: RunData) -> tuple[int, int, bool, int, int]:
            r = run.record
            return place[r.variant], tools[r.profiler], r.control, r.round, r.order

        starts = tuple(sorted(self.starts, key=lambda start: start.ticket.number))
        return replace(self, runs=tuple(sorted(known, key=key)), starts=starts)
