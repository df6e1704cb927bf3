"""The functions that make the difference: own code first, then the library below it, with calls and cost."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, listed, named, share, times
from profpipe.analyse.conclusions.registry import weight
from profpipe.analyse.statistics.same_calls import SAME_CALLS, same_calls
from profpipe.model.metric_keys import CPU
from profpipe.model.report import Cause, CauseStep, Conclusion, Evidence
from profpipe.units import SAMPLES, count, duration_ns

# A function that costs more than this of the whole difference: others give the rest back.
ALL = 1.005
# A cause that holds this much of the difference.
MOST = 0.5
# Categories that say nothing beside the names of the functions.
SILENT = ("application", "library", "standard-library", "other", "interpreter")


def functions(facts: Facts) -> Iterator[Conclusion]:
    """For every contender that differs beyond noise: what its functions cost more or less, the largest first."""
    for contender in facts.contenders:
        causes = [(i, c) for i, c in enumerate(facts.report.causes) if c.contender == contender.id]
        differing = [(i, c) for i, c in causes if _differs(facts, c)]
        # Of several instruments the first that finds most in own code: samples of V8 may end in what calls it.
        mostly_own = [c for _, c in differing if c.own is not None and abs(_delta(c.steps[c.entry]) / c.gap) >= MOST]
        told = next((c.metric for c in (*mostly_own, *(c for _, c in differing))), None)
        for place, (i, cause) in enumerate((i, c) for i, c in differing if c.metric == told):
            yield _conclusion(facts, cause, f"causes.{i}", place)


def _differs(facts: Facts, cause: Cause) -> bool:
    """Whether the total of the cause's own metric differs, or else a cost of the whole server in its direction.

    Samples are few: their total may not tell what the CPU time of clean runs does, or the counts of calls and
    allocations.
    """
    direction = "worse" if cause.gap > 0 else "better"
    cpu = facts.relevant(cause.contender, CPU)
    if not cause.exact and cpu is not None and cpu.verdict != direction:
        return False
    own = facts.compared(cause.contender, cause.metric)
    told = own is not None and (cause.exact or own[0].relevant)
    keys = [cause.metric] if told else [CPU, *facts.counted_keys()]
    found = [c for key in keys if (c := facts.relevant(cause.contender, key)) is not None]
    return bool(found) and found[0].verdict == direction


def _conclusion(facts: Facts, cause: Cause, path: str, place: int) -> Conclusion:
    contender, baseline = facts.label(cause.contender), facts.baseline.label
    word = "more" if cause.gap > 0 else "less"
    start = f"Why {contender} costs {word} than {baseline}" if place == 0 else f"{contender} also costs {word} because"
    parts = [f"{start}{':' if place == 0 else ''} {_calls(cause, contender, baseline)}. {_cost(cause)}."]
    more = (
        _split(cause),
        _runs(cause),
        _built_ins(cause),
        _own_calls(cause, baseline, contender),
        _category(facts, cause),
    )
    parts += [text for text in more if text]
    steps = {cause.entry, len(cause.steps) - 1} | ({cause.own} if cause.own is not None else set())
    rows = [Figure(cause.gap, f"{path}.gap").row]
    rows += [row for i in sorted(steps) for row in _rows(cause.steps[i], f"{path}.steps.{i}")]
    return conclusion(
        "functions",
        f"{cause.contender}:{place + 1}",
        " ".join(parts),
        kind="cause",
        weight=weight("functions/counted" if cause.exact else "functions/timed", 1.0 - 0.3 * place),
        rows=rows,
        certainty="measured" if cause.exact else "likely",
    )


def _calls(cause: Cause, contender: str, baseline: str) -> str:
    """Who calls the entry, and how often, in both variants."""
    step = cause.steps[cause.entry]
    entry, before, after = named(step.function), step.before.calls, step.after.calls
    who = _who(cause)
    if before is None or after is None:
        return f"{entry}, which {who} calls" if who else entry
    if same_calls(before, after):
        by = f", which {who} calls" if who else ", called"
        return f"{entry}{by} {times(after)} per request in both"
    if after < SAME_CALLS:
        subject = f"{who} calls {entry}" if who else f"{entry} runs"
        return f"only in {baseline} {subject}, {times(before)} per request"
    if before < SAME_CALLS:
        subject = f"{who} calls {entry}" if who else f"{entry} runs"
        return f"only in {contender} {subject}, {times(after)} per request"
    subject = f"{who} calls {entry}" if who else f"{entry} runs"
    return f"{subject} {times(after)} per request instead of {times(before)}"


def _who(cause: Cause) -> str:
    """The server's own function nearest to the entry, and the direct caller where that is another one."""
    own = cause.own if cause.own is not None and cause.own < cause.entry else None
    direct = cause.entry - 1
    if direct < 0:
        return ""
    if own is None or own == direct:
        return named(cause.steps[direct].function)
    return f"{named(cause.steps[own].function)}, through {named(cause.steps[direct].function)},"


def _cost(cause: Cause) -> str:
    """What the entry costs with all that it calls, and the deepest function that still holds most of that."""
    entry, leaf = cause.steps[cause.entry], cause.steps[-1]
    part = _delta(entry) / cause.gap
    text = f"This {'adds' if cause.gap > 0 else 'saves'} "
    tool, what = cause.metric.split(":", 1)
    if what == SAMPLES.key:  # how many a request has depends on how often the profiler looks, and tells nobody anything
        text += f"{share(part)} of the difference, by the samples of {tool}"
    else:
        by = "" if cause.exact else f" by {tool}"
        text += f"{_amount(abs(_delta(entry)), cause)} per request{by}, {share(part)} of the difference"
    if leaf is not entry:
        text += f", {share(_delta(leaf) / _delta(entry))} of it in {named(leaf.function)}"
    return text if part <= ALL else f"{text}; other functions give {share(part - 1)} of the difference back"


def _amount(value: float, cause: Cause) -> str:
    if cause.unit == "1":
        return f"{count(value)} {cause.label}"
    return f"{duration_ns(value * (1e3 if cause.unit == 'us' else 1))} of {cause.label}"


def _delta(step: CauseStep) -> float:
    return step.after.total - step.before.total


def _split(cause: Cause) -> str:
    """How much of the entry's difference is more calls, and how much is a higher cost of each, where both changed."""
    step = cause.steps[cause.entry]
    before, after, delta = step.before, step.after, _delta(step)
    if not before.calls or not after.calls or not delta or before.calls < SAME_CALLS or after.calls < SAME_CALLS:
        return ""
    if same_calls(before.calls, after.calls):
        return ""
    each = before.total / before.calls, after.total / after.calls
    often = (after.calls - before.calls) * (each[0] + each[1]) / 2 / delta
    words = "more often" if after.calls > before.calls else "less often"
    if 0 <= often <= 1:
        return f"{share(often)} of that comes from being called {words}, {share(1 - often)} from what a call costs."
    # The two have opposite directions: one is more than the whole, and the other takes some of it back.
    both = f"being called {words}", f"a {'higher' if each[1] > each[0] else 'lower'} cost of a call"
    first, second = both if often > 1 else both[::-1]
    part = max(often, 1 - often)
    verb = "adds" if cause.gap > 0 else "saves"
    return f"{first[0].upper()}{first[1:]} {verb} {share(part)} of that, and {second} takes {share(part - 1)} back."


def _runs(cause: Cause) -> str:
    """A hook of the server that a library runs, or what a pool of threads runs."""
    return "" if cause.runs is None else f"It runs the server's own {named(cause.runs)}."


def _built_ins(cause: Cause) -> str:
    """The built-in functions that the last step calls: C code that no profiler of instructions shows by name."""
    if not cause.built_ins:
        return ""
    first, of_entry = cause.built_ins[0], cause.entry == len(cause.steps) - 1
    if same_calls(first.before, first.after):
        often = f"{times(first.after)} per request in both"
        who = "it" if of_entry else "that one"
        return f"Most of it is in the built-in {named(first.function)}, which {who} calls {often}."
    calls = [
        f"{named(c.function)} {times(c.after)} per request instead of {_or_never(c.before)}" for c in cause.built_ins
    ]
    return f"{'It' if of_entry else 'That one'} calls the built-in {listed(calls)}."


def _own_calls(cause: Cause, baseline: str, contender: str) -> str:
    """What the server's own code calls differently, where the way leads through none of it."""
    found = []
    for call in cause.own_calls:
        more, less, many, few = contender, baseline, call.after, call.before
        if few > many:
            more, less, many, few = less, more, few, many
        found.append(
            f"{named(call.caller)} calls {named(call.function)} {times(many)} per request in {more}, "
            f"{_or_never(few)} in {less}"
        )
    return f"The server's own code differs: {listed(found)}." if found else ""


def _or_never(calls: float) -> str:
    return times(calls) if calls >= SAME_CALLS else "never"


def _category(facts: Facts, cause: Cause) -> str:
    step = next((s for s in (cause.steps[-1], cause.steps[cause.entry]) if s.category not in SILENT), None)
    return "" if step is None else f"Category: {facts.category(step.category)}."


def _rows(step: CauseStep, path: str) -> Iterator[Evidence]:
    for name, side in (("before", step.before), ("after", step.after)):
        yield Figure(side.total, f"{path}.{name}.total").row
        if side.calls is not None:
            yield Figure(side.calls, f"{path}.{name}.calls").row
