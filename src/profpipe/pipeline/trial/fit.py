"""Loads and rounds that finish within a budget, computed from what a trial found. Nothing here runs anything.

On a busy machine everything takes longer, and times get less certain while counts stay the same. So where the budget
does not allow all, what only explains a cost goes first, then the verdict on CPU time, and counted instruments last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from profpipe.pipeline.execute.one_run import EXTRA_LOAD_ROUNDS
from profpipe.pipeline.prepare.fitted import SLICES_S, STUDY_S, Fitted, Size, leaves_count_open
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.trial.by_slices import LEAST_SLICES_S, clean_trials, least_slices_s, no_time, why_rounds
from profpipe.pipeline.trial.one_trial import MOST_CONNECTIONS, Tried
from profpipe.units import Instrument

# Seconds of load in a run. Counted runs are slow and exact; their window begins at a whole second.
RUN_S: Mapping[Instrument, float] = {"counted": 5.0}
RUN_DEFAULT_S = 3.0
ROUNDS: Mapping[Instrument, int] = {"clean": 7, "counted": 3, "sampled": 3, "traced": 2}
FEWEST: Mapping[Instrument, int] = {"clean": 5, "counted": 2, "sampled": 1, "traced": 1}
# Of the load that the budget would allow, tried one after another until the study fits.
SHARES = (1.0, 0.7, 0.5, 0.35)
# Counts of an instrument are the same for all variants, unless the fastest would then be loaded for too short a time.
SAME_COUNT = 10.0
MOST_WARM_UP, WARM_UP_SHARE = 300, 0.3
REQUESTS_A_CONNECTION = 8
LEAST_TIMEOUT_S, TIMEOUT_FACTOR = 15.0, 6.0
# Reading the captures, comparing and writing the page.
REPORT_S = 8.0
# The first trial of slice lengths sends this many requests a connection and variant (slices.start), in about TRIAL_S.
LENGTH_REQUESTS, LENGTH_S, LENGTH_TRIAL_S = 12 * 2 * 16, 6.0, 12.0

Pair = tuple[str, str]
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from a trial. `too_long` = instrument -> why the budget does not allow it."""

    fitted: Fitted
    rounds: Mapping[str, int]
    control: bool
    expected_s: float
    too_long: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Setting:
    """How much is measured: a share of the load of every run, and the rounds of each instrument."""

    share: float
    rounds: Mapping[str, int]
    control: bool


def plan(
    prepared: PreparedStudy,
    tried: Mapping[Pair, Tried],
    spent_s: float,
    *,
    by_slices: bool,
    without: Mapping[str, str] = NOTHING,
) -> Plan:
    """The largest load and most rounds that fit. `tried` holds valid trials only; `by_slices` = starts are possible.

    What the study sets itself is kept, however long it takes. An instrument of which even the least does not fit is
    named in `too_long`, as are those of `without`, for the reasons there; the clean runs are never.
    """
    not_by_slices = why_rounds(prepared, tried) if by_slices else None
    by_slices = by_slices and not_by_slices is None
    left_s = (prepared.study.budget or STUDY_S) - spent_s - REPORT_S
    least_s = least_slices_s(prepared, tried) if by_slices else 0.0
    lengths_s = LENGTH_TRIAL_S if by_slices else 0.0
    found = _largest(prepared, tried, left_s - lengths_s - least_s, without, by_slices=by_slices)
    if by_slices and prepared.study.slices is not True and (counted := _counted_among(prepared, found[2], without)):
        alone = _largest(prepared, tried, left_s, without, by_slices=False)
        if not set(counted) <= set(alone[2]):
            found, by_slices, lengths_s = alone, False, 0.0
            not_by_slices = no_time(prepared, LENGTH_TRIAL_S + least_s, counted)
    setting, runs_s, too_long = found
    budget_s = left_s - lengths_s
    # On a busy machine starts are slow: fewer of them, rather than a study that goes beyond its budget.
    slices_s = max(budget_s - runs_s, min(least_s, LEAST_SLICES_S)) if by_slices else 0.0
    if prepared.study.budget is None:
        slices_s = min(slices_s, max(SLICES_S, least_s))
    fitted = Fitted(
        sizes=_sizes(prepared, tried, setting.share),
        slices=_slices(prepared, tried) if by_slices else None,
        slices_s=slices_s or None,
        not_by_slices=not_by_slices,
    )
    expected_s = spent_s + runs_s + slices_s + lengths_s + REPORT_S
    return Plan(fitted, setting.rounds, setting.control, expected_s, too_long)


def _largest(
    prepared: PreparedStudy, tried: Mapping[Pair, Tried], seconds: float, without: Mapping[str, str], *, by_slices: bool
) -> tuple[_Setting, float, dict[str, str]]:
    """The most that `seconds` allow, how long it takes, and the instruments that are left out for it."""
    too_long = dict(without)
    while True:
        names = [name for name in prepared.kinds if name not in too_long]
        for setting in _settings(prepared, names, by_slices=by_slices):
            needed = _runs_s(prepared, tried, setting, by_slices=by_slices)
            if (total := sum(needed.values())) <= seconds:
                return setting, total, too_long
        may_go = [name for name in names if _may_go(prepared, name)]
        worst = max(may_go, key=lambda name: (prepared.kinds[name] != "counted", needed[name]), default=None)
        if worst is None:
            return setting, total, too_long
        too_long[worst] = _too_long(prepared, needed[worst])


def hopeless(
    prepared: PreparedStudy,
    tried: Mapping[Pair, Tried],
    pair: Pair,
    variants: int,
    spent_s: float,
    *,
    by_slices: bool,
) -> str | None:
    """Why even the fewest rounds would not fit, known from one of so many `variants`; None where they may.

    What clean runs need for a verdict on CPU time is kept from instruments that explain, not from those that count.
    """
    _, name = pair
    if not _may_go(prepared, name):
        return None
    one = tried[pair]
    needed_s = _rounds(prepared, name, FEWEST) * variants * one.outside_s
    counted = prepared.kinds[name] == "counted"
    clean_s = _once_s(prepared, tried) if counted else _least_clean_s(prepared, tried, by_slices)
    left_s = (prepared.study.budget or STUDY_S) - spent_s - REPORT_S - clean_s
    return None if needed_s + (variants - 1) * one.seconds <= left_s else _too_long(prepared, needed_s)


def _may_go(prepared: PreparedStudy, name: str) -> bool:
    """Clean runs stay, the first instrument (a study without any says nothing), and what the study sets itself."""
    return (
        prepared.kinds[name] != "clean"
        and name != next(iter(prepared.kinds))
        and leaves_count_open(prepared.study, name)
    )


def _too_long(prepared: PreparedStudy, needed_s: float) -> str:
    budget = prepared.study.budget or STUDY_S
    return (
        f"its runs would take {needed_s:.0f} s at the least, more than the study's budget of {budget:.0f} s leaves: "
        "allow more with --budget"
    )


def _counted_among(prepared: PreparedStudy, too_long: Mapping[str, str], without: Mapping[str, str]) -> list[str]:
    """The counted instruments that slices leave no time for."""
    return [name for name in too_long if name not in without and prepared.kinds[name] == "counted"]


def _settings(prepared: PreparedStudy, names: list[str], *, by_slices: bool) -> Iterator[_Setting]:
    """From the most to the least: shorter runs first, then fewer rounds, then counted runs without a control.

    Last, one clean round: it shows how fast the variants are, and starts or counts decide.
    """
    most = {name: _rounds(prepared, name, ROUNDS) for name in names}
    least = {name: min(_rounds(prepared, name, FEWEST), most[name]) for name in names}
    some = {name: least[name] if prepared.kinds[name] in {"sampled", "traced"} else most[name] for name in names}
    control = prepared.study.control
    for share in SHARES:
        yield _Setting(share, most, control)
    yield _Setting(SHARES[-1], some, control)
    yield _Setting(SHARES[-1], some, False)
    yield _Setting(SHARES[-1], least, False)
    if by_slices or any(prepared.kinds[name] == "counted" for name in names):
        once = {name: 1 if prepared.kinds[name] == "clean" and _open(prepared, name) else least[name] for name in names}
        yield _Setting(SHARES[-1], once, False)


def _open(prepared: PreparedStudy, name: str) -> bool:
    """Whether the study leaves the rounds of the instrument to profpipe."""
    return prepared.study.use(name).rounds is None and "rounds" not in prepared.study.model_fields_set


def _rounds(prepared: PreparedStudy, name: str, default: Mapping[Instrument, int]) -> int:
    study = prepared.study
    chosen = study.use(name).rounds or (study.rounds if "rounds" in study.model_fields_set else None)
    return chosen or default.get(prepared.kinds[name], ROUNDS["sampled"])


def _runs_s(
    prepared: PreparedStudy, tried: Mapping[Pair, Tried], setting: _Setting, *, by_slices: bool
) -> dict[str, float]:
    """Seconds of all runs of every instrument."""
    sizes = _sizes(prepared, tried, setting.share)
    found = {}
    for name, rounds in setting.rounds.items():
        clean = prepared.kinds[name] == "clean"
        each = {v: _run_s(prepared, tried[v, name], name, sizes.get((v, name))) for v in _variants(tried, name)}
        control = setting.control and (prepared.kinds[name] == "counted" or (clean and not by_slices))
        again = each.get(prepared.baseline, 0.0) if control else 0.0
        many = min(rounds, EXTRA_LOAD_ROUNDS) if clean and by_slices else rounds
        found[name] = many * (sum(each.values()) + again)
        if clean:
            extra = sum(p.duration for p in (prepared.study.throughput, prepared.study.latency) if p is not None)
            found[name] += min(many, EXTRA_LOAD_ROUNDS) * len(each) * extra
    return found


def _run_s(prepared: PreparedStudy, tried: Tried, name: str, size: Size | None) -> float:
    rate = tried.rate or 1.0
    if size is not None:
        return tried.outside_s + (size.requests + size.warmup) / rate
    use = prepared.study.use(name)
    load = use.load or prepared.study.load
    if load.mode != "count":
        return tried.outside_s + load.duration
    return tried.outside_s + ((use.requests or load.requests) + load.warmup) / rate


def _variants(tried: Mapping[Pair, Tried], name: str) -> list[str]:
    return [variant for variant, instrument in tried if instrument == name]


def _sizes(prepared: PreparedStudy, tried: Mapping[Pair, Tried], share: float) -> dict[Pair, Size]:
    """The loads of the instruments whose count the study leaves open."""
    found: dict[Pair, Size] = {}
    for name, kind in prepared.kinds.items():
        if not leaves_count_open(prepared.study, name):
            continue
        rates = {variant: tried[variant, name].rate or 1.0 for variant in _variants(tried, name)}
        slowest = min(rates.values(), default=1.0)
        apart = max(rates.values(), default=1.0) > SAME_COUNT * slowest
        for variant, rate in rates.items():
            found[variant, name] = size(
                rate if apart else slowest, share * RUN_S.get(kind, RUN_DEFAULT_S), _connections(tried)
            )
    return found


def _connections(tried: Mapping[Pair, Tried]) -> int:
    """As many as every variant serves at a time."""
    return min((found.connections for found in tried.values()), default=MOST_CONNECTIONS)


def size(rate: float, seconds: float, most: int = MOST_CONNECTIONS) -> Size:
    """A load of about `seconds` for a server that answers `rate` requests a second."""
    requests = max(_two_digits(rate * seconds), 1)
    return Size(
        requests=requests,
        connections=min(max(requests // REQUESTS_A_CONNECTION, 1), most),
        warmup=min(max(int(rate * seconds * WARM_UP_SHARE), 1), MOST_WARM_UP),
        timeout=max(LEAST_TIMEOUT_S, round(TIMEOUT_FACTOR * (requests / rate + 1))),
    )


def _two_digits(number: float) -> int:
    """Rounded down to two digits, so that counts read well: 4,271 -> 4,200."""
    scale = 1
    while number / scale >= 100:
        scale *= 10
    return int(number / scale) * scale


def _least_clean_s(prepared: PreparedStudy, tried: Mapping[Pair, Tried], by_slices: bool) -> float:
    """Seconds for the least that the clean runs need."""
    clean = next((name for name, kind in prepared.kinds.items() if kind == "clean"), None)
    if clean is None:
        return 0.0
    if by_slices and why_rounds(prepared, tried) is None:
        return least_slices_s(prepared, tried) + LENGTH_TRIAL_S
    each = [tried[variant, clean].outside_s + RUN_DEFAULT_S * SHARES[-1] for variant in _variants(tried, clean)]
    return FEWEST["clean"] * sum(each)


def _once_s(prepared: PreparedStudy, tried: Mapping[Pair, Tried]) -> float:
    """Seconds of one clean run of each variant, as short as they get."""
    extra_s = sum(plan.duration for plan in (prepared.study.throughput, prepared.study.latency) if plan is not None)
    each_s = RUN_DEFAULT_S * SHARES[-1] + extra_s
    return sum(found.outside_s + each_s for found in clean_trials(prepared, tried).values())


def _clean_rates(prepared: PreparedStudy, tried: Mapping[Pair, Tried]) -> list[float]:
    return [found.rate or 1.0 for found in clean_trials(prepared, tried).values()]


def _slices(prepared: PreparedStudy, tried: Mapping[Pair, Tried]) -> Size:
    """As many connections as let the trial of slice lengths end in LENGTH_S."""
    rates = _clean_rates(prepared, tried)
    pass_s = sum(1 / rate for rate in (*rates, max(min(rates), 1.0))) * LENGTH_REQUESTS
    connections = min(max(int(LENGTH_S / pass_s), 1), _connections(tried))
    found = size(min(rates), RUN_DEFAULT_S)
    return replace(found, connections=connections)
