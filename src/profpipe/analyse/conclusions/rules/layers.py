"""Python's layers: which of them makes the extra calls, and what that says about the cost."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, listed, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.metric_keys import CPU
from profpipe.model.report import Conclusion, Evidence, Waterfall, WaterfallBar
from profpipe.units import count

# A layer under a twentieth of the difference in calls is not named; under one call in all there is no story.
LAYER_FLOOR = 0.05
MIN_CALLS = 1.0
MAX_LAYERS = 4
# Layers between the handler and the socket. The extra calls must be mostly theirs, and the extra instructions mostly
# the interpreter's, before the one is called the reason for the other.
AROUND = ("event-loop", "stream-layer", "socket-layer", "futures", "threads", "thread-pool")
_SINGULAR = ("event-loop", "stream-layer", "socket-layer", "web-framework", "http-server")
REASON_CALLS = 0.4
REASON_INSTRUCTIONS = 0.5

Bars = list[tuple[int, WaterfallBar]]


def layers(facts: Facts) -> Iterator[Conclusion]:
    """Calls per request by layer, for every contender whose number of calls differs."""
    for contender, fall, path in _falls(facts):
        bars = _named(fall, LAYER_FLOOR)
        if not bars:
            continue
        more = "more" if fall.gap > 0 else "fewer"
        parts = [f"{count(abs(b.delta))}{_sign(b, fall)} in {_layer(facts, b)}" for _, b in bars]
        text = (
            f"{facts.label(contender)} makes {count(fall.contender_total)} calls per request in Python (built-ins "
            f"counted), {count(abs(fall.gap))} {more} than {facts.label(fall.baseline)}: {listed(parts)}."
        )
        rows = [Figure(fall.gap, f"{path}.gap").row, *_rows(bars, path)]
        heavy = weight("layers", abs(fall.gap) / 10)
        yield conclusion("layers", contender, text, kind="cause", weight=heavy, rows=rows)


def reason(facts: Facts) -> Iterator[Conclusion]:
    """Extra instructions that the interpreter executes + extra calls of Python code around the handler = why.

    Likely, not measured: neither instrument sees which call the instructions belong to.
    """
    counted = facts.counted()
    for contender, fall, path in _falls(facts):
        instructions = facts.waterfall(counted, contender) if counted else None
        costs = _costs_more(facts, contender, counted)
        if instructions is not None and costs is not None and fall.gap > 0:
            yield from _reason(facts, costs, fall, path, *instructions)


def _reason(
    facts: Facts, costs: str, fall: Waterfall, path: str, instructions: Waterfall, where: str
) -> Iterator[Conclusion]:
    contender = fall.contender
    interpreter = [
        (i, b)
        for i, b in enumerate(instructions.bars)
        if facts.group(b.category) in ("interpreter", "memory") and b.share_of_gap is not None
    ]
    files = {b.category: _files(facts, fall.metric, b.category, contender) for b in fall.bars if b.category in AROUND}
    around = [(i, b) for i, b in enumerate(fall.bars) if files.get(b.category) and b.delta >= LAYER_FLOOR * fall.gap]
    executed = sum(b.share_of_gap or 0.0 for _, b in interpreter)
    made = sum(b.delta for _, b in around)
    if executed < REASON_INSTRUCTIONS or made < REASON_CALLS * fall.gap:
        return
    names = [f"{_layer(facts, b)} ({files[b.category]})" for _, b in around]
    text = (
        f"Why {facts.label(contender)} {costs} than {facts.label(fall.baseline)}: Python code around the handler. "
        f"{'All' if executed >= 0.995 else share(executed)} of the extra instructions are the interpreter's own work, "
        f"and {extra_calls(made, fall.gap)} to pure-Python layers: {listed(names)}."
    )
    yield conclusion(
        "reason",
        contender,
        text,
        kind="cause",
        weight=weight("reason", fall.gap / 100),
        rows=[*_rows(around, path), *_rows(interpreter, where, "share_of_gap")],
        certainty="likely",
    )


def extra_calls(made: float, gap: float) -> str:
    """Other layers may make fewer calls, so that these make more extra calls than there are in all."""
    if made <= gap:
        return f"{count(made)} of the {count(gap)} extra calls per request are"
    return f"{count(made)} extra calls per request, where the other layers make {count(made - gap)} fewer, are"


def _costs_more(facts: Facts, contender: str, counted: str | None) -> str | None:
    """The verb; "spends more instructions" where CPU time does not say that it costs more; None where it does not."""
    found = facts.relevant(contender, counted) if counted else None
    if found is None or found.verdict != "worse":
        return None
    cpu = facts.compared(contender, CPU)
    return "costs more" if cpu is not None and cpu[0].verdict == "worse" else "spends more instructions"


def _falls(facts: Facts) -> Iterator[tuple[str, Waterfall, str]]:
    key = facts.traced_calls()
    for contender in facts.contenders:
        found = facts.waterfall(key, contender.id) if key else None
        if key and found and abs(found[0].gap) >= MIN_CALLS and facts.relevant(contender.id, key):
            yield contender.id, *found


def _named(fall: Waterfall, floor: float) -> Bars:
    bars = [(i, b) for i, b in enumerate(fall.bars) if abs(b.delta) >= floor * abs(fall.gap)]
    return sorted(bars[:MAX_LAYERS], key=lambda item: item[1].delta * fall.gap < 0)


def _sign(bar: WaterfallBar, fall: Waterfall) -> str:
    if (bar.delta > 0) == (fall.gap > 0):
        return ""
    return " fewer" if bar.delta < 0 else " more"


def _layer(facts: Facts, bar: WaterfallBar) -> str:
    label = facts.category(bar.category)
    return f"the {label}" if bar.category in _SINGULAR else label


def _rows(bars: Bars, path: str, field: str = "delta") -> list[Evidence]:
    return [Figure(getattr(b, field) or 0.0, f"{path}.bars.{i}.{field}").row for i, b in bars]


def _files(facts: Facts, key: str, category: str, contender: str) -> str:
    """The source files with most of a layer's calls; empty where over half of them are built-in code, not Python."""
    found = facts.category_row(key, category)
    if found is None:
        return ""
    calls: dict[str, float] = {}
    for function in found[0].functions:
        cell = function.cells.get(contender)
        file = function.function.file
        if cell is not None and cell.self and file.endswith(".py"):
            calls[file] = calls.get(file, 0.0) + cell.self
    cell = found[0].cells.get(contender)
    if cell is None or not cell.self or sum(calls.values()) < cell.self / 2:
        return ""
    best = sorted(calls, key=lambda file: (-calls[file], file))[:2]
    return listed(best) if best else ""
