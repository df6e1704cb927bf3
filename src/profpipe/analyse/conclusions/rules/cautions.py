"""What the reader must keep in mind: noise, blind spots, doubtful and lost runs."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, listed, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.metric_keys import CPU, KERNEL_SHARE, THROUGHPUT
from profpipe.model.metric_labels import labels_apart
from profpipe.model.report import Conclusion, Evidence
from profpipe.units import percent, ratio

# Over this share of CPU time in the kernel, a user-space count misses too much to be read by itself.
KERNEL_FLOOR = 0.10
DISAGREE = 1.25
FOREIGN = 0.02
# Pairs of one server vary by 0.3-0.8 % on a quiet machine; from here on three times that is over twice the 2 % floor.
NOISY_PAIRS = 0.0134
UNCATEGORISED = 0.25
# A just-in-time compiler that takes more than this of a window's CPU time is still at work on what is measured.
COMPILING = 0.05


def control(facts: Facts) -> Iterator[Conclusion]:
    """The baseline against itself: a difference there is this series' noise, and no smaller one may be believed."""
    figures = facts.report.control.figures
    keys = [k for k in (CPU, facts.counted()) if k is not None and k in figures]
    differing = [k for k in keys if figures[k].verdict in ("better", "worse")]
    yield from (_differs_from_itself(facts, key) for key in differing)
    yield from (_varies(facts, key) for key in keys if _is_noisy(facts, key))
    same = [k for k in keys if figures[k].verdict == "no change"]
    if same and not differing:
        yield _same_as_itself(facts, same)


def _differs_from_itself(facts: Facts, key: str) -> Conclusion:
    off = facts.report.control.figures[key].ratio
    text = (
        f"Noise: {facts.baseline.label} measured against itself differs by {percent(abs((off or 1.0) - 1))} in "
        f"{_label(facts, key)}. No smaller difference in this series means anything."
    )
    rows = [Figure(off or 0.0, f"control.figures.{key}.ratio").row]
    return conclusion("control", key, text, kind="caution", weight=weight("control/noise"), rows=rows)


def _is_noisy(facts: Facts, key: str) -> bool:
    if facts.report.control.figures[key].paired:
        return False  # a ratio over starts has an interval of its own, and one start's spread does not limit it
    spread = facts.report.control.sd.get(key)
    undecided = facts.report.control.figures[key].verdict == "cannot tell"
    return undecided and spread is not None and spread > NOISY_PAIRS


def _varies(facts: Facts, key: str) -> Conclusion:
    if facts.report.control.figures[key].paired:
        return _known_within(facts, key)
    spread = facts.report.control.sd[key]
    text = (
        f"Noise: {facts.baseline.label} varies by {percent(spread)} from round to round against itself in "
        f"{_label(facts, key)}; small differences in it mean nothing."
    )
    rows = [Figure(spread, f"control.sd.{key}").row]
    return conclusion("control", key, text, kind="caution", weight=weight("control/noise"), rows=rows)


def _known_within(facts: Facts, key: str) -> Conclusion:
    """Over starts it is not one pair that counts but how well all of them know the ratio."""
    found = facts.report.control.figures[key]
    low, high = found.low or 1.0, found.high or 1.0
    text = (
        f"Noise: {facts.baseline.label} against its second copy is known within ±{percent((high / low) ** 0.5 - 1)} in "
        f"{_label(facts, key)}: a smaller difference of another variant is not seen either. More starts narrow it."
    )
    rows = [Figure(value, f"control.figures.{key}.{end}").row for end, value in (("low", low), ("high", high))]
    return conclusion("control", key, text, kind="caution", weight=weight("control/noise"), rows=rows)


def _same_as_itself(facts: Facts, keys: list[str]) -> Conclusion:
    found = {key: facts.report.control.figures[key].ratio for key in keys}
    parts = [f"{ratio(off or 1.0)} in {_label(facts, key)}" for key, off in found.items()]
    text = f"{facts.baseline.label} measured against itself: {listed(parts)}."
    rows = [Figure(off or 0.0, f"control.figures.{key}.ratio").row for key, off in found.items()]
    return conclusion("control", "", text, kind="caution", weight=weight("control/quiet"), rows=rows)


def _label(facts: Facts, key: str) -> str:
    return labels_apart(facts.report.metrics).get(key, key)


def blind_to_kernel(facts: Facts) -> Iterator[Conclusion]:
    """What a count of user instructions cannot see."""
    key = facts.counted()
    metric = facts.metric(key) if key else None
    found = [(v, f) for v in facts.variants if (f := facts.figure(v.id, KERNEL_SHARE)) and f.value >= KERNEL_FLOOR]
    if metric is None or not found:
        return
    words = [f"{share(f.value)} of the CPU time of {v.label}" for v, f in found[:1]]
    words += [f"{share(f.value)} of {v.label}" for v, f in found[1:]]
    text = f"{metric.profiler} does not see the kernel, where {listed(words)} is spent."
    yield conclusion(
        "blind-to-kernel", "", text, kind="caution", weight=weight("blind-to-kernel"), rows=[f.row for _, f in found]
    )


def disagree(facts: Facts) -> Iterator[Conclusion]:
    """Counted and clean tell different stories: the ratio differs by over a quarter, or the direction does."""
    key = facts.counted()
    metric = facts.metric(key) if key else None
    if key is None or metric is None:
        return
    words, rows, opposite = [], [], False
    for contender in facts.contenders:
        a, b = facts.relevant(contender.id, key), facts.relevant(contender.id, CPU)
        if a is None or b is None or not a.ratio or not b.ratio:
            continue
        if a.verdict == b.verdict and 1 / DISAGREE <= a.ratio / b.ratio <= DISAGREE:
            continue
        opposite |= a.verdict != b.verdict
        words.append(f"{contender.label} {ratio(a.ratio)} by {metric.profiler}, {ratio(b.ratio)} by CPU time")
        at = f"variants.{facts.place(contender.id)}.against_baseline"
        rows += [Figure(a.ratio, f"{at}.{key}.ratio").row, Figure(b.ratio, f"{at}.{CPU}.ratio").row]
    if not words:
        return
    base = facts.figure(facts.baseline.id, KERNEL_SHARE)
    why = ""
    if base is not None and base.value >= KERNEL_FLOOR:
        why = f": {metric.profiler} does not count the kernel, where {facts.baseline.label} spends {share(base.value)}"
        rows.append(base.row)
    text = (
        f"The instruments disagree on how much, against {facts.baseline.label}: {'; '.join(words)}. Believe the CPU "
        f"time{why}."
    )
    if opposite:
        text = text.replace("disagree on how much", "disagree on which costs more", 1)
    yield conclusion(
        "disagree",
        "",
        text,
        kind="caution",
        weight=weight("disagree/direction" if opposite else "disagree/size"),
        rows=rows,
    )


def stackful(facts: Facts) -> Iterator[Conclusion]:
    """Stack switches in user space make a call graph's totals false."""
    key = facts.counted()
    found = facts.category_row(key, "context-switch") if key else None
    metric = facts.metric(key) if key else None
    if found is None or metric is None:
        return
    row, path = found
    names = [v for v in facts.variants if (cell := row.cells.get(v.id)) is not None and cell.self]
    if not names:
        return
    text = (
        f"{listed([v.label for v in names])} {'switches' if len(names) == 1 else 'switch'} stacks in user space: "
        f"{metric.profiler}'s totals and callers are unreliable there, self values hold."
    )
    rows = [Figure(row.cells[v.id].self or 0.0, f"{path}.cells.{v.id}.self").row for v in names]
    yield conclusion("stackful", "", text, kind="caution", weight=weight("stackful"), rows=rows)


def load_bound(facts: Facts) -> Iterator[Conclusion]:
    """Requests a second that the load generator itself does not believe."""
    by_reason: dict[str, list[str]] = {}
    for v in facts.variants:
        found = v.figures.get(THROUGHPUT)
        if found is not None and found.values and found.median is None and found.why and v.valid:
            by_reason.setdefault(found.why, []).append(v.id)
    for i, (why, ids) in enumerate(by_reason.items()):
        text = f"No requests/s for {listed([facts.label(v) for v in ids])}: {why}."
        rows = [Evidence(path=f"variants.{facts.place(v)}.figures.{THROUGHPUT}.why", value=why) for v in ids]
        yield conclusion("load-bound", str(i + 1), text, kind="caution", weight=weight("load-bound"), rows=rows)


def compiling(facts: Facts) -> Iterator[Conclusion]:
    """Windows in which a just-in-time compiler still took a part of the CPU time."""
    for v in facts.variants:
        runs = [(i, r) for i, r in enumerate(facts.report.runs) if r.variant == v.id and r.valid and r.compiler]
        busy = [(i, r) for i, r in runs if (r.compiler or 0.0) > COMPILING]
        if not busy:
            continue
        worst = max(busy, key=lambda item: item[1].compiler or 0.0)[1]
        text = (
            f"{facts.label(v.id)} was still compiling: up to {percent(worst.compiler or 0.0, 0)} of its CPU time "
            f"({worst.profiler} round {worst.round}) is the just-in-time compiler. A longer `load.warmup` shows the "
            "code as it stays."
        )
        rows = [Figure(r.compiler or 0.0, f"runs.{i}.compiler").row for i, r in busy[:8]]
        yield conclusion("compiling", v.id, text, kind="caution", weight=weight("compiling"), rows=rows)


def foreign(facts: Facts) -> Iterator[Conclusion]:
    """Rounds in which others used the processor."""
    runs = [(i, r) for i, r in enumerate(facts.report.runs) if r.valid and r.foreign_cpu is not None]
    busy = [(i, r) for i, r in runs if (r.foreign_cpu or 0.0) > FOREIGN]
    if not busy:
        return
    worst = max(busy, key=lambda item: item[1].foreign_cpu or 0.0)[1]
    text = (
        f"{len(busy)} of {len(runs)} runs shared the machine: others used more than {percent(FOREIGN, 0)} of a "
        f"processor (worst {percent(worst.foreign_cpu or 0.0, 0)}, {worst.profiler} round {worst.round})."
    )
    rows = [Figure(r.foreign_cpu or 0.0, f"runs.{i}.foreign_cpu").row for i, r in busy[:8]]
    yield conclusion("foreign", "", text, kind="caution", weight=weight("foreign"), rows=rows)


def cut_short(facts: Facts) -> Iterator[Conclusion]:
    """A study that was stopped: what is missing is not known to be like the rest."""
    planned, ended = facts.report.study.planned_runs, len(facts.report.runs)
    if planned is None or ended >= planned:
        return
    text = f"The study was cut short: {ended} of {planned} planned runs ended. The report rests on these alone."
    rows = [Evidence(path="study.planned_runs", value=planned)]
    yield conclusion("cut-short", "", text, kind="caution", weight=weight("cut-short"), rows=rows)


def lost(facts: Facts) -> Iterator[Conclusion]:
    """Targets that could not run and runs that failed."""
    for i, left in enumerate(facts.report.study.left_out):
        rows = [Evidence(path=f"study.left_out.{i}.reason", value=left.reason)]
        text = f"{left.target} was left out: {left.reason}."
        yield conclusion("left-out", left.target, text, kind="caution", weight=weight("left-out"), rows=rows)
    by_pair: dict[tuple[str, str], list[int]] = {}
    for i, item in enumerate(facts.report.invalid):
        by_pair.setdefault((item.variant, item.profiler), []).append(i)
    for (variant, profiler), places in by_pair.items():
        first = facts.report.invalid[places[0]]
        many = f"{len(places)} {profiler} run{'s' if len(places) > 1 else ''} of {facts.label(variant)}"
        text = (
            f"{many} {'are' if len(places) > 1 else 'is'} invalid and counted nowhere ({first.phase}: {first.reason})."
        )
        rows = [Evidence(path=f"invalid.{i}.reason", value=facts.report.invalid[i].reason) for i in places[:8]]
        yield conclusion("lost", f"{variant}:{profiler}", text, kind="caution", weight=weight("lost"), rows=rows)


def uncategorised(facts: Facts) -> Iterator[Conclusion]:
    """A table in which over a quarter has no category explains too little."""
    for i, table in enumerate(facts.report.hotspots):
        poor = {v: known for v, known in table.categorised.items() if known < 1 - UNCATEGORISED}
        if poor:
            words = [f"{share(1 - known)} of {facts.label(v)}" for v, known in poor.items()]
            text = f"No category for {listed(words)} in {_label(facts, table.metric)}: rules of your own can name it."
            rows = [Figure(known, f"hotspots.{i}.categorised.{v}").row for v, known in poor.items()]
            yield conclusion(
                "uncategorised", table.metric, text, kind="caution", weight=weight("uncategorised"), rows=rows
            )
