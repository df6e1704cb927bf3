"""What cautions say: sizes of noise, shares of the kernel, how many runs were lost or shared the machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tests.support.sentence_figures import CPU, KERNEL, NUMBER, Told, percent_reads, reads

_SHARE = rf"{NUMBER} %"


def _control(told: Told) -> Iterator[str]:
    control = told.report.control
    differs = re.search(rf"differs by ({_SHARE}) in", told.text)
    varies = re.search(rf"varies by ({_SHARE}) from", told.text)
    if differs and not percent_reads(differs[1], (control.figures[told.key].ratio or 0.0) - 1):
        yield f"the ratio is {control.figures[told.key].ratio}"
    if varies and not percent_reads(varies[1], control.sd[told.key]):
        yield f"the spread is {control.sd[told.key]}"
    for number, label in re.findall(rf"({NUMBER})× in (.+?)(?=,| and |\.$)", told.text):
        key = next(m.key for m in told.report.metrics if m.label == label)
        if not reads(number, control.figures[key].ratio or 0.0):
            yield f"the ratio in {label} is {control.figures[key].ratio}"


def _blind_to_kernel(told: Told) -> Iterator[str]:
    for v in told.report.variants:
        found = re.search(rf"({_SHARE}) of (?:the CPU time of )?{re.escape(v.label)}(?:,| and | is )", told.text)
        if found and v.role != "control" and not percent_reads(found[1], told.figure(v.id, KERNEL) or 0.0):
            yield f"{v.label} spends {told.figure(v.id, KERNEL)} there"


def _disagree(told: Told) -> Iterator[str]:
    opposite = False
    for contender in told.report.study.contenders:
        label = re.escape(told.label(contender))
        found = re.search(rf"(?:: |; ){label} ({NUMBER})× by .*?, ({NUMBER})× by CPU time", told.text)
        if found is None:
            continue
        counted, cpu = told.compared(told.counted(), contender), told.compared(CPU, contender)
        opposite |= counted.verdict != cpu.verdict
        if not (reads(found[1], counted.ratio or 0.0) and reads(found[2], cpu.ratio or 0.0)):
            yield f"{label}: {counted.ratio}, {cpu.ratio}"
    if ("on which costs more" in told.text) != opposite:
        yield "the direction"
    spent = re.search(rf"the kernel, where .+ spends ({_SHARE})\.$", told.text)
    if spent is not None and not percent_reads(spent[1], told.figure(told.baseline, KERNEL) or 0.0):
        yield f"the kernel's part is {told.figure(told.baseline, KERNEL)}"


def _foreign(told: Told) -> Iterator[str]:
    found = re.match(
        rf"({NUMBER}) of ({NUMBER}) runs shared .*? than (\d+) % .*?worst ({_SHARE}), (.+) round (\d+)", told.text
    )
    if found is None:
        yield "it is not read"
        return
    shares = [r.foreign_cpu for r in told.report.runs if r.valid and r.foreign_cpu is not None]
    busy = [s for s in shares if s > int(found[3]) / 100]
    if (int(found[1].replace(",", "")), int(found[2].replace(",", ""))) != (len(busy), len(shares)):
        yield f"{len(busy)} of {len(shares)}"
    if not percent_reads(found[4], max(busy, default=0.0)):
        yield f"the worst is {max(busy, default=0.0)}"


def _compiling(told: Told) -> Iterator[str]:
    found = re.search(rf"up to ({_SHARE}) of its CPU time", told.text)
    most = max((r.compiler or 0.0 for r in told.report.runs if r.valid and r.variant == told.contender), default=0.0)
    if found is None or not percent_reads(found[1], most):
        yield f"the largest share is {most}"


def _replaced(told: Told) -> Iterator[str]:
    most = max(r.ended for r in told.report.runs if r.valid and r.variant == told.contender)
    if not told.text.startswith(f"{most} of its processes ended "):
        yield f"{most} processes ended"


def _uncategorised(told: Told) -> Iterator[str]:
    known = told.table(told.key).categorised
    for v in told.report.variants:
        found = re.search(rf"({_SHARE}) of {re.escape(v.label)}(?:,| and | in )", told.text)
        if found and v.id in known and not percent_reads(found[1], 1 - known[v.id]):
            yield f"{v.label}: {1 - known[v.id]}"


def _no_symbols(told: Told) -> Iterator[str]:
    for v in told.report.variants:
        parts = [
            row.cells[v.id].share or 0.0
            for category in told.table(told.key).rows
            for row in category.functions
            if row.function.name.startswith(("(no symbol)", "[unknown]")) and v.id in row.cells
        ]
        found = re.search(rf"({_SHARE}) of {re.escape(v.label)}(?:,| and | in )", told.text)
        if found and not percent_reads(found[1], sum(parts)):
            yield f"{v.label}: {sum(parts)}"


def _lost(told: Told) -> Iterator[str]:
    runs = re.match(rf"({NUMBER}) (\S+) runs? of (.+?) (?:is|are) invalid", told.text)
    if runs is not None:
        lost = [i for i in told.report.invalid if (told.label(i.variant), i.profiler) == (runs[3], runs[2])]
        yield from () if int(runs[1]) == len(lost) else (f"{len(lost)} runs",)
    starts, slices = re.match(rf"({NUMBER}) of ({NUMBER}) starts", told.text), told.report.study.slices
    if starts is not None and slices is not None and int(starts[2]) != slices.starts + len(slices.lost):
        yield f"{slices.starts} starts and {len(slices.lost)} lost"


def _cut_short(told: Told) -> Iterator[str]:
    wanted = f"{len(told.report.runs)} of {told.report.study.planned_runs} planned runs"
    if wanted not in told.text:
        yield wanted


def _lottery(told: Told) -> Iterator[str]:
    size = re.search(rf"more than the ({_SHARE}) between", told.text)
    ratio = told.compared(CPU).ratio or 1.0
    if size is None or not percent_reads(size[1], ratio - 1):
        yield f"the difference is {ratio - 1}"
    for v in told.report.variants:
        found = re.search(rf"(?:^|, | and ){re.escape(v.label)} costs ({NUMBER} \S+) to ({NUMBER} \S+)", told.text)
        spread = v.lottery.get(CPU)
        if found is None or spread is None or v.role == "control":
            continue
        if not (reads(found[1], spread.low * 1e3) and reads(found[2], spread.high * 1e3)):
            yield f"{v.label}: {spread}"
        if spread.high / spread.low - 1 <= abs(ratio - 1):
            yield f"{v.label} varies by less than the difference"


def _put_off(told: Told) -> Iterator[str]:
    inside, outside = told.figure(_variant(told), CPU) or 0.0, told.figure(_variant(told), "clean:between_us") or 0.0
    found = re.search(rf"uses ({_SHARE}) more", told.text)
    if found is None or not percent_reads(found[1], outside / inside):
        yield f"its part is {outside / inside}"


def _bursts(told: Told) -> Iterator[str]:
    spread = next(v for v in told.report.variants if v.id == _variant(told)).lottery[CPU]
    found = re.search(rf"costs ({_SHARE}) more in the mean", told.text)
    if found is None or not percent_reads(found[1], (spread.mean_over_median or 0.0) - 1):
        yield f"{spread.mean_over_median}"


def _variant(told: Told) -> str:
    return told.conclusion.id.partition(":")[2]


def _idle(told: Told) -> Iterator[str]:
    for v in told.report.variants:
        found = re.search(rf"(?:: |, | and ){re.escape(v.label)} ({_SHARE})", told.text)
        if found and v.role != "control" and not percent_reads(found[1], v.idle_cpu or 0.0):
            yield f"{v.label}: {v.idle_cpu}"


def _few_starts(told: Told) -> Iterator[str]:
    slices = told.report.study.slices
    if slices is None or f" {'one start' if slices.starts == 1 else f'{slices.starts} starts'} " not in told.text:
        yield "another number of starts"


def _no_number(_: Told) -> Iterator[str]:
    """It names variants and reasons, and its rows are where they are."""
    yield from ()


CAUTIONS: Mapping[str, Callable[[Told], Iterator[str]]] = {
    "control": _control,
    "blind-to-kernel": _blind_to_kernel,
    "disagree": _disagree,
    "foreign": _foreign,
    "compiling": _compiling,
    "replaced": _replaced,
    "uncategorised": _uncategorised,
    "lost": _lost,
    "no-symbols": _no_symbols,
    "left-out": _no_number,
    "cut-short": _cut_short,
    "lottery": _lottery,
    "put-off": _put_off,
    "bursts": _bursts,
    "idle": _idle,
    "few-starts": _few_starts,
    "random-layouts": _no_number,
    "stackful": _no_number,
    "load-bound": _no_number,
    "rule-failed": _no_number,
}
