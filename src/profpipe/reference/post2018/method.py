"""Rows about how it was done: tools, build, load, the list itself, the machine."""

from __future__ import annotations

from statistics import median

from profpipe.analyse.conclusions.facts import Facts, share
from profpipe.reference.post2018.answer import Answer, Given, Row, no_count, runs_under, unknown
from profpipe.units import amount

TOOLS = ("valgrind", "perf", "wrk", "h2load")
ABSENT = "absent"


def tools(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    found = {name: facts.report.environment.get(name, ABSENT) for name in TOOLS}
    there = [f"{name} {version}" for name, version in found.items() if version != ABSENT]
    gone = [name for name, version in found.items() if version == ABSENT]
    text = ", ".join(there) + (f"; absent: {', '.join(gone)}" if gone else "")
    return Answer("differs", text, float(len(there)), row["differs"])


def saved(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    runs = runs_under(facts, "callgrind")
    if not runs:
        return unknown("callgrind did not run")
    complete = sum(run.valid for run in runs)
    return Answer(
        "differs", f"{complete} of {len(runs)} callgrind runs left a complete profile", float(complete), row["differs"]
    )


def ready(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    runs = facts.report.runs
    late = [x for x in facts.report.invalid if x.phase == "ready"]
    text = f"{len(runs) - len(late)} of {len(runs)} runs waited for the line ready port=N; no fixed sleep"
    return Answer("kept", text, float(len(runs) - len(late)))


def symbols(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    if (missing := no_count(facts, row["variants"])) is not None:
        return missing
    table = facts.table(facts.counted() or "")
    assert table is not None
    nameless = max(
        sum(
            (cell.share or 0.0)
            for category in table[0].rows
            for function in category.functions
            if function.function.name.startswith(("(no symbol)", "???")) and (cell := function.cells.get(variant))
        )
        for variant in row["variants"]
    )
    text = f"{share(1 - nameless)} of the instructions have a function's name"
    return Answer("differs", text, 1 - nameless, row["differs"])


def command(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    text = f"{facts.report.study.command}: build, start, load, profile, compare, report"
    return Answer("kept", text, float(len(facts.report.runs)))


def load(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    runs = [r for r in runs_under(facts, "callgrind") if r.profiler == "callgrind" and r.valid and r.seconds]
    if not runs:
        return unknown("callgrind has no valid run")
    middle = median(r.seconds or 0.0 for r in runs)
    text = (
        f"the same load for {amount(middle, 's')} inside the counted window of each of {len(runs)} runs: it begins "
        "when the server is ready and ends before the dump"
    )
    return Answer("kept" if abs(middle - row["seconds"]) < 1 else "differs", text, middle)


def lists(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    found = facts.report.classic
    if not found:
        return unknown("no profile was counted")
    rests = " and ".join(share(item.rest / item.total) for item in found if item.total)
    text = f"{len(found)} lists of {len(found[0].rows)} rows in the same form; the other functions have {rests}"
    return Answer(
        "kept",
        text,
        float(len(found[0].rows)),
        "the post's rows cover 38.0 % and 39.1 % of the total, which it does not mention",
    )


def environment(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    known = facts.report.environment
    return Answer("differs", ", ".join(f"{key} {known[key]}" for key in row["keys"] if key in known))


def crates(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    locked = [
        f"{key.removeprefix('crates of ')}: {text}"
        for key, text in facts.report.environment.items()
        if key.startswith("crates of ")
    ]
    return Answer("differs", "; ".join(locked), float(len(locked)), row["differs"])
