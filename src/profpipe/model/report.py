"""report.json: every number of a report, versioned. `analyse` fills it, `render` shows it, others read it.

Unknown is null beside a `why` that says the reason. All costs are per request unless a name says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Literal["profpipe.report/1"] = "profpipe.report/1"

Verdict = Literal["better", "worse", "no change", "cannot tell"]
Certainty = Literal["measured", "likely", "hint"]
InstrumentKind = Literal["clean", "counted", "sampled", "traced"]
Ratio = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Series(Part):
    """One figure of one variant over its rounds. `values` has one entry per round, null = that run is invalid."""

    values: tuple[Ratio | None, ...] = ()
    median: Ratio | None = None
    low: Ratio | None = None
    high: Ratio | None = None
    cv: Ratio | None = None
    why: str | None = Field(None, description="why the median is unknown")


class Comparison(Part):
    """Contender against baseline for one figure. `floor` = the change that such rounds show in eight of ten studies."""

    verdict: Verdict
    ratio: Ratio | None = None
    low: Ratio | None = None
    high: Ratio | None = None
    delta: Ratio | None = None
    significant: bool = False
    relevant: bool = False
    floor: Ratio | None = None
    p: Ratio | None = None
    why: str = ""


class MetricInfo(Part):
    """A column of the report: `key` is `instrument:metric`, for example `callgrind:instructions`."""

    key: str
    label: str
    unit: str
    instrument: InstrumentKind
    profiler: str
    better: Literal["lower", "higher"] = "lower"
    exact: bool = False
    ranked: bool = Field(True, description="false: traced shares are diluted and never ranked")
    about: str = ""
    again: bool = Field(False, description="true: a profiler's second use in the study, under another load")


class CategoryInfo(Part):
    key: str
    label: str
    about: str = ""
    group: str = Field("", description="categories of one group tell one story, for example writing the response")


class CommitInfo(Part):
    """The commit that a variant was built from."""

    commit: str = Field(description="full hash; that of HEAD where uncommitted changes are part of the variant")
    ref: str = Field("", description="how it was asked for: a branch, a tag, HEAD~2, or `worktree`")
    subject: str = ""
    time: str = Field("", description="committer's time, ISO 8601")
    dirty: bool = Field(False, description="uncommitted changes are part of it")


class Variant(Part):
    id: str
    label: str
    role: Literal["baseline", "contender", "control"]
    command: tuple[str, ...] = ()
    language: str = ""
    valid: bool = True
    why: str | None = None
    figures: dict[str, Series] = Field(default_factory=dict, description="metric key -> per request, or as labelled")
    against_baseline: dict[str, Comparison] = Field(default_factory=dict)
    latency: dict[str, Series] = Field(default_factory=dict, description="p50_us, p99_us")
    throughput: Series = Series()
    disturbance: dict[str, Series] = Field(default_factory=dict, description="profiler -> req/s with it on")
    notes: tuple[str, ...] = ()
    commit: CommitInfo | None = None


class Cell(Part):
    """One function (or category) in one variant. self is per request; share is of the variant's own total."""

    self: Ratio | None = None
    low: Ratio | None = None
    high: Ratio | None = None
    share: Ratio | None = None
    total: Ratio | None = None
    total_why: str | None = None
    calls: Ratio | None = None
    verdict: Verdict | None = None
    ratio: Ratio | None = None
    why: str | None = None
    moved: Ratio | None = Field(
        None,
        description="part of the change (self minus the baseline's) that only changed place between this function and "
        "a caller or callee; over all functions these add up to 0",
    )


class FunctionName(Part):
    name: str
    file: str = ""
    object: str = ""
    runtime: str = "native"
    raw: tuple[str, ...] = Field((), description="names as the profiler wrote them, when they differ")


class ChangedLines(Part):
    """Lines of the diff between two commits that lie in one function; spans hold their first and last line."""

    file: str = Field(description="path in the repository, at the contender; at the baseline for a deleted file")
    added: tuple[tuple[int, int], ...] = Field((), description="spans in the contender's file")
    removed: tuple[tuple[int, int], ...] = Field((), description="spans in the baseline's file")
    lines: int = Field(description="changed lines of this function, added and removed")
    certainty: Certainty = Field(
        "measured", description="measured: the profiler saw a changed line run there; hint: the file changed, not more"
    )
    why: str = ""


class Alignment(Part):
    """Why one row holds functions of two names: the contender's is shown, this is the baseline's."""

    before: FunctionName
    certainty: Certainty
    why: str


class FunctionRow(Part):
    id: str = Field(description="stable: same function, same id, in every report")
    function: FunctionName
    cells: dict[str, Cell]
    callers: dict[str, tuple[tuple[str, float], ...]] = Field(
        default_factory=dict, description="variant -> (function name, calls per request)"
    )
    callees: dict[str, tuple[tuple[str, float], ...]] = Field(default_factory=dict)
    alignment: dict[str, Alignment] = Field(
        default_factory=dict, description="contender -> how it was found under another name"
    )
    changes: dict[str, tuple[ChangedLines, ...]] = Field(
        default_factory=dict, description="contender -> changed lines that lie in the function, the most lines first"
    )


class CategoryRow(Part):
    category: str
    cells: dict[str, Cell]
    functions: tuple[FunctionRow, ...] = ()
    hidden: int = Field(0, description="functions under the size floor that are summed in the row but not listed")


class HotspotTable(Part):
    """One metric: categories align across variants, functions hang under them."""

    metric: str
    total: dict[str, Series]
    categorised: dict[str, Ratio] = Field(description="variant -> share of self that has a category")
    rows: tuple[CategoryRow, ...] = ()
    unmatched: dict[str, Ratio] = Field(
        default_factory=dict,
        description="contender -> share of both sides' self that stands in functions of one side only and did not move",
    )


class WaterfallBar(Part):
    category: str = Field(description="a category key, or `moved`, or `unexplained`")
    baseline: Ratio
    contender: Ratio
    delta: Ratio
    share_of_gap: Ratio | None = None
    verdict: Verdict = "cannot tell"


class Waterfall(Part):
    """The gap of one contender, in parts that add up to `gap` exactly."""

    metric: str
    baseline: str
    contender: str
    baseline_total: Ratio
    contender_total: Ratio
    gap: Ratio
    bars: tuple[WaterfallBar, ...]


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
    """What an instrument cannot say. Stands beside its table."""

    profiler: str
    text: str
    variants: tuple[str, ...] = ()


class ClassicRow(Part):
    value: int
    share: Ratio
    place: str = Field(description="file:function")


class ClassicList(Part):
    """The list of the 2018 tools: raw counts of the whole window, not per request."""

    variant: str
    metric: str
    total: int
    rows: tuple[ClassicRow, ...]
    rest: int = Field(description="total minus the rows shown")
    rest_functions: int = 0


class Flame(Part):
    """A flame graph as preorder columns; widths are self + children, derived by the page.

    Node i: names[function[i]], depth[i], own[i] = self value per request. `name_kind` is the runtime code per name.
    """

    variant: str
    metric: str
    names: tuple[str, ...]
    name_kind: tuple[int, ...]
    function: tuple[int, ...]
    depth: tuple[int, ...]
    own: tuple[Ratio, ...]


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
    """What `--fail-on` asked for and what was found. `failed` decides exit code 3."""

    asked: tuple[str, ...]
    failed: bool
    hits: tuple[str, ...] = Field((), description="in words: what regressed, by how much")


class StudyInfo(Part):
    id: str
    question: str
    baseline: str
    contenders: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = Field((), description="(target, reason) of targets that could not run")
    hypotheses: tuple[Hypothesis, ...] = ()
    rounds: int
    load: str = Field(description="the load plan in words, tool and version included")
    placement: str
    command: str = Field(description="what makes this report again")
    planned_runs: int | None = Field(None, description="more than `runs` holds: the study was cut short")
    sequential: Sequential | None = Field(None, description="null: the rounds were fixed beforehand")
    alpha: Ratio = Field(0.01, description="share of reports without any real change that may hold a false verdict")


class Report(Part):
    schema_: Literal["profpipe.report/1"] = Field(SCHEMA, alias="schema")
    profpipe: str = Field(description="version that wrote it")
    created: str
    study: StudyInfo
    environment: dict[str, str]
    variants: tuple[Variant, ...]
    metrics: tuple[MetricInfo, ...]
    categories: tuple[CategoryInfo, ...]
    hotspots: tuple[HotspotTable, ...] = ()
    waterfall: tuple[Waterfall, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    control: Control = Control()
    calibration: Calibration | None = None
    gate: Gate | None = None
    invalid: tuple[Invalid, ...] = ()
    limits: tuple[Limit, ...] = ()
    classic: tuple[ClassicList, ...] = ()
    flames: tuple[Flame, ...] = ()
    runs: tuple[RunRow, ...] = ()
    reference: ReferenceInfo | None = Field(None, description="the published study that `seed_table` is about")
    # Reports of every version have their rows under this name, from the time when `seed` was the only such study.
    seed_table: tuple[SeedRow, ...] = Field((), description="a published study, statement by statement")
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
