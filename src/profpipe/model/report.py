"""report.json: every number of a report, versioned. `analyse` fills it, `render` shows it, others read it.

Unknown is null, with the reason in `why`. All costs are per request unless a name says otherwise. Figures
are in `figure`, tables and graphs in `report_tables`; all parts of the document can be imported from here.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from profpipe.model.audit import Audit, Check
from profpipe.model.figure import CommitInfo, Comparison, Lottery, MetricInfo, Part, Ratio, Series, Variant, Verdict
from profpipe.model.report_tables import (
    GRID,
    MOVED,
    UNEXPLAINED,
    Alignment,
    CategoryInfo,
    CategoryRow,
    Cause,
    CauseCall,
    CauseStep,
    Cell,
    Certainty,
    ChangedLines,
    ClassicList,
    ClassicRow,
    Flame,
    FunctionName,
    FunctionRow,
    HabitCalls,
    HotspotTable,
    LibraryRow,
    Origin,
    StepCost,
    Waterfall,
    WaterfallBar,
    on_grid,
)
from profpipe.model.routes import MixCost, Route, RouteCost, RouteTable
from profpipe.model.services import ServiceTable
from profpipe.model.slices import LeftOut, LostStart, RouteRecord, SlicesInfo, SlicesRecord
from profpipe.model.trial import TrialRecord

__all__ = [
    "ALPHA",
    "GRID",
    "MOVED",
    "SCHEMA",
    "UNEXPLAINED",
    "Alignment",
    "Audit",
    "Calibration",
    "CategoryInfo",
    "CategoryRow",
    "Cause",
    "CauseCall",
    "CauseStep",
    "Cell",
    "Certainty",
    "ChangedLines",
    "Check",
    "ClassicList",
    "ClassicRow",
    "CommitInfo",
    "Comparison",
    "Conclusion",
    "Control",
    "Dependency",
    "Evidence",
    "Flame",
    "FunctionName",
    "FunctionRow",
    "Gate",
    "HabitCalls",
    "HotspotTable",
    "Hypothesis",
    "Invalid",
    "LeftOut",
    "LibraryRow",
    "Limit",
    "LostStart",
    "Lottery",
    "MetricInfo",
    "MixCost",
    "Origin",
    "Part",
    "Ratio",
    "Report",
    "Route",
    "RouteCost",
    "RouteRecord",
    "RouteTable",
    "RunRow",
    "SeedRow",
    "Sequential",
    "Series",
    "SlicesInfo",
    "SlicesRecord",
    "StepCost",
    "StudyInfo",
    "Variant",
    "Verdict",
    "Waterfall",
    "WaterfallBar",
    "on_grid",
]

SCHEMA: Literal["profpipe.report/2"] = "profpipe.report/2"
# Share of reports, or of single comparisons, in which a false verdict is accepted.
ALPHA = 0.01


class Evidence(Part):
    """The place in this file a conclusion rests on: a dotted path and the value found there."""

    path: str
    value: Ratio | str | None = None


class Conclusion(Part):
    id: str
    rule: str
    text: str
    certainty: Certainty
    weight: Ratio = Field(0.0, description="order of showing, the heaviest first")
    kind: Literal["verdict", "cause", "not-the-cause", "caution"] = "cause"
    rows: tuple[Evidence, ...] = ()


class Control(Part):
    """The baseline measured against itself: what this machine's noise looks like under this study."""

    figures: dict[str, Comparison] = Field(default_factory=dict)
    sd: dict[str, Ratio] = Field(default_factory=dict, description="metric -> sd of the A/A ratio of pairs of rounds")
    why: str | None = None


class Invalid(Part):
    variant: str
    profiler: str
    round: int | None = None
    phase: str
    reason: str
    log_tail: tuple[str, ...] = ()


class Limit(Part):
    """What an instrument cannot show. The page prints it next to the table."""

    profiler: str
    text: str
    variants: tuple[str, ...] = ()


class RunRow(Part):
    variant: str
    profiler: str
    round: int
    order: int
    valid: bool
    why: str | None = None
    served: int | None = None
    seconds: Ratio | None = None
    rate: Ratio | None = None
    foreign_cpu: Ratio | None = Field(None, description="share of one processor used by others in the window")
    compiler: Ratio | None = Field(None, description="share of the server's CPU time of its just-in-time compiler")
    ended: int = Field(0, description="processes of the server that ended in the window")
    warnings: tuple[str, ...] = ()


class Hypothesis(Part):
    text: str
    categories: tuple[str, ...]


class ReferenceInfo(Part):
    """The published study that `seed_table` is about."""

    key: str = Field(description="its name in profpipe.toml")
    title: str
    about: str = Field(description="one sentence about it")


class SeedRow(Part):
    """One statement of a published study, and our figure. `value` is a share of 1 or a count per request."""

    number: int
    what: str
    post: str = Field(description="the published statement")
    ours: str
    value: Ratio | None = None
    verdict: Literal["kept", "differs", "corrected", "not measured"]
    why: str = ""


class Sequential(Part):
    """How rounds were added, and the rule that keeps looking early from raising false verdicts."""

    rule: str = Field(description="in words, with the level of each look")
    looks: tuple[int, ...] = Field(description="rounds per variant after which the verdicts were looked at")
    planned: tuple[int, ...] = Field(description="rounds per variant of all looks that were allowed")
    alpha: Ratio = Field(description="level of one look; the looks' levels add up to the report's")
    stopped: Literal["stable", "max-rounds", "budget", "cut short"]


class Calibration(Part):
    """A/A comparisons run on this machine before: how wide its noise is, and how often a verdict was false."""

    created: str
    machine: str
    study: str
    comparisons: int
    false_verdicts: int = Field(description="comparisons with a better or worse verdict anywhere in their report")
    low: Ratio = Field(description="interval of the false-verdict rate, 95 %")
    high: Ratio
    sd: dict[str, Ratio] = Field(description="metric -> sd of the ratio of one pair of rounds of the same commit")


class Gate(Part):
    """What the rules of the gate asked for and what was found. `failed` decides exit code 3."""

    asked: tuple[str, ...]
    failed: bool
    hits: tuple[str, ...] = Field((), description="in words: what regressed, by how much")
    accepted: tuple[str, ...] = Field((), description="in words: regressions that were accepted, by whom and why")
    undecided: tuple[str, ...] = Field((), description="in words: what the rules ask for and these runs did not decide")


class Dependency(Part):
    """A package that a contender has in another version than the baseline, or that only one of them has."""

    contender: str
    name: str
    before: str | None = Field(description="version at the baseline; null: it is not there")
    after: str | None = Field(description="version at the contender; null: it is not there")
    prefixes: tuple[str, ...] = Field((), description="how files or names of its functions begin")
    alone: bool = Field(False, description="nothing else differs: no other package, and no file but lock files")

    @property
    def words(self) -> str:
        """`MarkupSafe 2.1.5 → 3.0.2`, `anyio 4.4.0 (new)`."""
        if self.before is None or self.after is None:
            return f"{self.name} {self.after or self.before} ({'gone' if self.after is None else 'new'})"
        return f"{self.name} {self.before} → {self.after}"


class StudyInfo(Part):
    id: str
    question: str
    baseline: str
    contenders: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = Field((), description="targets that could not run")
    hypotheses: tuple[Hypothesis, ...] = ()
    rounds: int
    load: str = Field(description="the load plan in words, tool and version included")
    request: str = Field("", description="method and path of the request, for example `GET /item`")
    unit: str = Field("request", description="what the load counts, in the singular: costs are per unit")
    placement: str
    command: str = Field(description="what makes this report again")
    planned_runs: int | None = Field(None, description="more than `runs` holds: the study was cut short")
    sequential: Sequential | None = Field(None, description="null: the rounds were fixed beforehand")
    slices: SlicesInfo | None = Field(None, description="null: figures without a profiler were measured in rounds")
    trial: TrialRecord | None = Field(None, description="null: the study sets the loads of all runs itself")
    alpha: Ratio = Field(ALPHA, description="share of reports without any real change that may hold a false verdict")


class Report(Part):
    schema_: Literal["profpipe.report/2"] = Field(SCHEMA, alias="schema")
    profpipe: str = Field(description="version that wrote it")
    created: str
    study: StudyInfo
    environment: dict[str, str]
    variants: tuple[Variant, ...]
    metrics: tuple[MetricInfo, ...]
    categories: tuple[CategoryInfo, ...]
    hotspots: tuple[HotspotTable, ...] = ()
    waterfall: tuple[Waterfall, ...] = ()
    causes: tuple[Cause, ...] = Field((), description="of each contender, the largest first")
    habits: tuple[HabitCalls, ...] = Field((), description="of each contender, those whose calls differ")
    conclusions: tuple[Conclusion, ...] = ()
    control: Control = Control()
    calibration: Calibration | None = None
    gate: Gate | None = None
    dependencies: tuple[Dependency, ...] = Field((), description="packages whose version differs from the baseline's")
    invalid: tuple[Invalid, ...] = ()
    limits: tuple[Limit, ...] = ()
    classic: tuple[ClassicList, ...] = ()
    flames: tuple[Flame, ...] = ()
    runs: tuple[RunRow, ...] = ()
    routes: RouteTable | None = Field(None, description="cost of each route; null: the load has one request")
    services: tuple[ServiceTable, ...] = Field((), description="what each service beside the servers does per request")
    audit: Audit | None = Field(None, description="what was checked of the loads; null: no load was run")
    reference: ReferenceInfo | None = Field(None, description="the published study that `seed_table` is about")
    # Reports of every version have their rows under this name, from the time when `seed` was the only such study.
    seed_table: tuple[SeedRow, ...] = Field((), description="a published study, statement by statement")
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
