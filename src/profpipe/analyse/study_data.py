"""What analysis is given: a study's runs with their profiles, and the words that go into the report unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from profpipe.model.profile import Profile
from profpipe.model.report import ALPHA, Calibration, CommitInfo, Sequential
from profpipe.model.run import RunRecord
from profpipe.study.schema import CategoryRule
from profpipe.units import Instrument


@dataclass(frozen=True, slots=True)
class RunData:
    """One run and what was read of its captures (several profiles when the server forks, none for `clean`)."""

    record: RunRecord
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyData:
    """Everything a report is computed from. Order of `contenders` is the order of the report.

    Control runs are those whose record says `control`; their variant is the baseline. `instruments` maps a
    profiler's name to its kind. `limits` = (profiler, text, variants). `left_out` = (target, reason).
    `tools` maps the name of an instrument to the profiler behind it, where that is another; `hypotheses` = (text,
    categories); `classic_name` = how the classic lists write a function's name; None = as the capture has it. `per` is
    what costs are divided by, in words: "request", or "capture" where no request was counted. `commits` = variant ->
    the commit it was built from, where the variants are one program at several commits; `same_program` says the same
    of captures whose commits are not known; `sequential` = how rounds were added. `alpha` = the share of reports
    without a real change that may hold a false verdict; where rounds were added, the report is judged at the level of
    one look. `calibration` is one of the same machine and load, or None.
    """

    study: str
    question: str
    baseline: str
    contenders: tuple[str, ...]
    runs: tuple[RunData, ...]
    instruments: Mapping[str, Instrument]
    rounds: int
    labels: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()
    load: str = ""
    placement: str = ""
    command: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    profpipe: str = ""
    limits: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    categories: tuple[CategoryRule, ...] = ()
    planned_runs: int | None = None
    per: str = "request"
    tools: Mapping[str, str] = field(default_factory=dict)
    hypotheses: tuple[tuple[str, tuple[str, ...]], ...] = ()
    classic_name: Callable[[str], str] | None = None
    commits: Mapping[str, CommitInfo] = field(default_factory=dict)
    same_program: bool = False
    sequential: Sequential | None = None
    alpha: float = ALPHA
    calibration: Calibration | None = None

    @property
    def level(self) -> float:
        """What this report may spend: alpha, or its part of it where the verdicts are looked at several times."""
        return self.alpha if self.sequential is None else self.sequential.alpha

    @property
    def variants(self) -> tuple[str, ...]:
        """Baseline first, then the contenders."""
        return (self.baseline, *self.contenders)

    @property
    def one_program(self) -> bool:
        """Whether a function of one variant can be looked for in another under another name or file."""
        return self.same_program or all(v in self.commits for v in self.variants)

    def again(self, name: str) -> bool:
        """Whether this instrument is a profiler that an earlier one is too: the same tool under another load."""
        return next(n for n in self.instruments if self.tools.get(n, n) == self.tools.get(name, name)) != name

    def label(self, variant: str) -> str:
        return self.labels.get(variant) or variant

    def family(self, variant: str) -> str:
        """Functions align within one language family only; all that is neither Python nor Go is native code."""
        language = self.languages.get(variant, "other")
        return language if language in ("python", "go") else "native"
