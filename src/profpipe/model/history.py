"""What the history says: one series per study, variant, machine and metric (or function), in the order of commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from profpipe.model.report import FunctionName


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What must be equal for two values to be in one series. Machines are never mixed."""

    study: str
    variant: str
    machine: str
    metric: str
    function: str | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a series counts, as the newest report of it says. `function` is None for a metric of the whole variant."""

    label: str
    unit: str
    better: str
    exact: bool
    function: FunctionName | None = None
    category: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One report's figure. `value` is None with a `why`; `low` and `high` are None where no interval is known.

    `gate` = passed, failed or accepted; None where nothing was asked.
    """

    entry: str
    commit: str | None
    subject: str
    commit_time: str | None
    dirty: bool
    created: str
    value: float | None
    low: float | None = None
    high: float | None = None
    rounds: int | None = None
    why: str | None = None
    report: str | None = None
    gate: str | None = None

    @property
    def when(self) -> tuple[datetime, datetime]:
        """Order in a series: the commit's time where it is known, else the run's; runs of one commit by their own."""
        created = moment(self.created)
        return (moment(self.commit_time) if self.commit_time else created), created


@dataclass(frozen=True, slots=True)
class MovedFunction:
    """A function that costs more or less since a change: medians of its own cost, None where no report lists it."""

    id: str
    function: FunctionName
    unit: str
    before: float | None
    after: float | None

    @property
    def delta(self) -> float:
        return (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True, slots=True)
class Behind:
    """What lies behind a change of level. `metric` = what the functions' costs count.

    `commits` = (hash, subject), the newest first, since the report before; `more` = how many others. `packages` =
    packages in another version, in words.
    """

    metric: str = ""
    functions: tuple[MovedFunction, ...] = ()
    commits: tuple[tuple[str, str], ...] = ()
    more: int = 0
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The level changed with the point at `index`: medians of the points between this change and its neighbours."""

    index: int
    before: float
    after: float
    behind: Behind = Behind()

    @property
    def ratio(self) -> float | None:
        return self.after / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Trend:
    """A series with its changes of level. `changes` is None where none were sought."""

    key: SeriesKey
    label: str
    machine_text: str
    quantity: Quantity
    points: tuple[Point, ...]
    changes: tuple[ChangePoint, ...] | None = None


@dataclass(frozen=True, slots=True)
class FunctionChoice:
    """A function that the history knows."""

    id: str
    function: FunctionName
    category: str


def moment(text: str) -> datetime:
    """An ISO 8601 time, UTC where it names no zone. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
