"""The tables and graphs of a report: hotspots by category and function, waterfalls, raw lists and flame graphs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profpipe.model.figure import Part, Ratio, Series, Verdict

Certainty = Literal["measured", "likely", "hint"]
Origin = Literal["own", "library", "standard library", "interpreter", "kernel", ""]
# The two bars of a waterfall that are no category.
MOVED = "moved"
UNEXPLAINED = "unexplained"
# Values of a waterfall are multiples of 2^-20 (a millionth): sums of such floats under 2^32 have no rounding error, so
# that the bars add up to the gap exactly, not nearly.
GRID = float(1 << 20)


def on_grid(value: float) -> float:
    """The nearest multiple of 1 / GRID."""
    return round(value * GRID) / GRID


class CategoryInfo(Part):
    key: str
    label: str
    about: str = ""
    group: str = Field("", description="categories of one group tell one story, for example writing the response")


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
    line: int | None = Field(None, description="where it is defined; null: the profiler does not say")
    origin: Origin = Field("", description="whose code it is; empty: not known")
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


class LibraryRow(Part):
    """All functions of one library, or of the server's own code, the standard library, the interpreter, the kernel."""

    origin: Origin = Field(description="whose code it is; empty: not known")
    library: str = Field("", description="the library: its Python or npm package, Go module or object")
    functions: int = Field(description="that ran in some variant")
    cells: dict[str, Cell]


class HotspotTable(Part):
    """One metric: categories align across variants, functions hang under them."""

    metric: str
    total: dict[str, Series]
    categorised: dict[str, Ratio] = Field(description="variant -> share of self that has a category")
    rows: tuple[CategoryRow, ...] = ()
    libraries: tuple[LibraryRow, ...] = Field((), description="the same costs by library, the largest first")
    unmatched: dict[str, Ratio] = Field(
        default_factory=dict,
        description="contender -> share of both sides' self in functions that only one side has and did not move",
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


class StepCost(Part):
    """One function in one variant, per request."""

    calls: Ratio | None = Field(None, description="null: the profiler counts none")
    self: Ratio
    total: Ratio


class CauseStep(Part):
    """One function on the way from the server's own code down to where the difference is."""

    function: FunctionName
    category: str
    before: StepCost
    after: StepCost


class CauseCall(Part):
    """Calls of one function by another, per request."""

    caller: FunctionName
    function: FunctionName
    before: Ratio
    after: Ratio


class Cause(Part):
    """A way through the call graph along which the totals of two variants differ, from caller to callee.

    `own` is the step of the server's own code nearest to `entry`; `entry` the function that is called more or less
    often, or that has the server's own code for its caller; the last step the deepest that still holds most of it, or
    the one with the largest part of it where none holds most.
    """

    metric: str = Field(description="what the totals count, with its instrument")
    contender: str
    gap: Ratio = Field(description="difference of the whole, in the metric")
    exact: bool = Field(description="whether the same requests give the same totals")
    label: str = Field(description="what is counted, in words")
    unit: Literal["1", "ns", "us"]
    steps: tuple[CauseStep, ...]
    entry: int = Field(description="place of the entry in `steps`")
    own: int | None = Field(None, description="place of the own function in `steps`; null: none is on the way")
    runs: FunctionName | None = Field(
        None, description="the server's own function that the steps from the entry on run, as a library runs a hook"
    )
    built_ins: tuple[CauseCall, ...] = Field(
        (), description="built-in functions that the last step calls more or less often, or the one that costs it most"
    )
    own_calls: tuple[CauseCall, ...] = Field(
        (), description="what the server's own code calls more or less often, where none of it is on the way"
    )


class HabitCalls(Part):
    """Calls that tell a habit of a server (a query for each row, a template compiled for each request), per request."""

    habit: str
    contender: str
    profiler: str = Field(description="which counted the calls")
    function: FunctionName = Field(
        description="whose calls these are: of the functions that tell it, that differs most"
    )
    own: FunctionName | None = Field(
        None, description="the server's own function nearest above it; null: none is known"
    )
    before: Ratio
    after: Ratio


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
