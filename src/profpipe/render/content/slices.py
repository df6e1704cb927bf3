"""How CPU time was measured by slices: starts, what a slice is, where memory lay, and each variant's lottery."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.metric_keys import BY_START, CPU, OF_SLICES
from profpipe.model.report import Lottery, Report, SlicesInfo
from profpipe.render.content.variants import labels
from profpipe.render.text import amount, cut

# A server that does nothing between requests uses far less: what a timer or two cost.
IDLE_MATTERS = 0.005
FROM_START = " from start to start"
_KEYS = frozenset({*BY_START, *(figure.key for figure in OF_SLICES)})


@dataclass(frozen=True, slots=True, kw_only=True)
class LotteryRow:
    """One variant: its range over starts, what its starts and its slices vary by, and its CPU time without a load."""

    label: str
    range: str
    within: str
    between: str
    idle: str
    polls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LostText:
    """A start that no variant has figures of."""

    variant: str
    where: str
    reason: str
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesText:
    """`summary` = one line for the first screen, `facts` = (what, text) for those who want to know more."""

    summary: str
    facts: tuple[tuple[str, str], ...]
    lotteries: tuple[LotteryRow, ...]
    lost: tuple[LostText, ...]


def by_start(report: Report, key: str) -> bool:
    """Whether the values of a figure are those of starts, not of rounds."""
    return report.study.slices is not None and key in _KEYS


def slices_text(report: Report) -> SlicesText | None:
    """None where the figures without a profiler were measured in rounds."""
    info = report.study.slices
    if info is None:
        return None
    return SlicesText(
        summary=starts_words(info),
        facts=_facts(info),
        lotteries=_lotteries(report),
        lost=_lost(report, info),
    )


def starts_words(info: SlicesInfo) -> str:
    """ "24 starts, each with fresh processes of all variants side by side; 1 lost; the budget is spent"."""
    many = "1 start" if info.starts == 1 else f"{info.starts} starts"
    lost = f"; {len(info.lost)} lost" if info.lost else ""
    return f"{many}, each with fresh processes of all variants side by side{lost}; {cut(info.stopped, 200)}"


def lottery_words(lottery: Lottery | None, unit: str) -> str:
    """ "26.3 to 33.4 µs from start to start"; empty where both ends read the same."""
    if lottery is None:
        return ""
    low, high = amount(lottery.low, unit), amount(lottery.high, unit)
    same_unit = low.partition(" ")[2] == high.partition(" ")[2]
    return "" if low == high else f"{low.partition(' ')[0] if same_unit else low} to {high}{FROM_START}"


def lottery_parts(lottery: Lottery | None) -> str:
    """What the range is made of, as standard deviations."""
    if lottery is None:
        return ""
    return f"between starts {units.percent(lottery.between)}, within a start {units.percent(lottery.within)}"


def _facts(info: SlicesInfo) -> tuple[tuple[str, str], ...]:
    found = [
        ("Slices", f"{cut(info.length, 500)}; {info.passes} passes a start over {info.connections} open connections"),
        ("Memory layouts", _layouts(info)),
        ("Rule", f"{cut(info.rule, 600)}. The rule was fixed before the first start"),
        ("No change", f"means that a change is smaller than {units.percent(info.resolution)}"),
        ("Ended", cut(info.stopped, 300)),
    ]
    if info.starts_per_minute is not None and info.load_share is not None:
        pace = f"{info.starts_per_minute:.0f} starts a minute; {units.percent(info.load_share, 0)} of the time was load"
        found.append(("Pace", pace))
    found += [("Left out", f"{left.target}: {cut(left.reason, 400)}") for left in info.left_out]
    return tuple(found)


def _layouts(info: SlicesInfo) -> str:
    if info.fixed_layouts is None:
        return "unknown: no start was kept"
    if info.fixed_layouts:
        return f"drawn for every start from seed {info.seed}, the same for all variants of a start"
    return "random: this system does not let a program choose its addresses, so that more starts are needed"


def _lotteries(report: Report) -> tuple[LotteryRow, ...]:
    metric = next((metric for metric in report.metrics if metric.key == CPU), None)
    found = []
    for variant in report.variants:
        lottery, idle = variant.lottery.get(CPU), variant.idle_cpu
        if lottery is None:
            continue
        found.append(
            LotteryRow(
                label=variant.label,
                range=lottery_words(lottery, metric.unit if metric else "us").removesuffix(FROM_START),
                within=units.percent(lottery.within),
                between=units.percent(lottery.between),
                idle=units.UNKNOWN if idle is None else units.percent(idle, 2),
                polls=idle is not None and idle >= IDLE_MATTERS,
            )
        )
    return tuple(found)


def _lost(report: Report, info: SlicesInfo) -> tuple[LostText, ...]:
    who = labels(report)
    return tuple(
        LostText(
            variant="no variant" if lost.variant is None else who.get(lost.variant, lost.variant),
            where=f"start {lost.start}, during {lost.phase}",
            reason=cut(lost.reason, 1000),
            log="\n".join(lost.log_tail),
        )
        for lost in info.lost
    )
