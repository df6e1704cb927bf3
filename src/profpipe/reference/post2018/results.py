"""Rows about what was found: the question, the two lists, the three conclusions, switching, cost per request."""

from __future__ import annotations

from profpipe.analyse.conclusions.facts import Facts, listed, share
from profpipe.reference.post2018.answer import (
    Answer,
    Given,
    Row,
    category_share,
    function_shares,
    no_count,
    unknown,
)
from profpipe.units import count

# A share between two thirds and one and a half times the post's is the same row of the same program.
KEPT = 1.5
SWITCH = "swap_registers"
CALLERS = 3


def question(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    found = [c for c in facts.report.conclusions if c.rule == "hypotheses"]
    if not found:
        return unknown("the gap in instructions per request is not known")
    return Answer("kept", found[0].text, None, "decided by instructions per request, which the post did not have")


def function(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    if (missing := no_count(facts, [row["variant"]])) is not None:
        return missing
    found = function_shares(facts, row["variant"], row["match"])
    part, each = sum(item[1] for item in found), sum(item[2] for item in found)
    if not found:
        return Answer("differs", "under 0.1 %", 0.0, row["differs"])
    text = f"{share(part)}, {count(each)} instructions per request"
    kept = 1 / KEPT <= part / row["share"] <= KEPT
    return Answer("kept" if kept else "differs", text, part, "" if kept else row["differs"])


def largest(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    if (missing := no_count(facts, [row["variant"]])) is not None:
        return missing
    parts = [(key, category_share(facts, row["variant"], key)[0]) for key in row["categories"]]
    whole = sum(part for _, part in parts)
    words = listed([f"{facts.category(key)} {share(part)}" for key, part in parts])
    text = f"{words}: {share(whole)} together"
    holds = whole >= row["least"]
    why = "" if holds else f"under the {share(row['least'])} that would make it the most of its time"
    return Answer("kept" if holds else "differs", text, whole, why)


def copies(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    """memcpy copies; memset only cleared a buffer before it was read into. The post took both for copying."""
    if (missing := no_count(facts, [row["variant"]])) is not None:
        return missing
    variant = row["variant"]
    copied, cleared = (category_share(facts, variant, key)[0] for key in ("memcpy", "memset"))
    who = _callers(facts, variant, "memset")
    by = f", called by {listed(who)}" if who else ""
    text = f"memcpy {share(copied)}; memset {share(cleared)}{by}"
    if copied + cleared >= 0.5:
        return Answer("kept", text, copied)
    first, most = _largest(facts, variant)
    why = (
        "memset copies nothing: it clears the 8 KiB read buffer and the header slots of every request, which hyper "
        f"0.11.16 stopped. The largest category is {first}, {share(most)}"
    )
    return Answer("corrected", text, copied, why)


def _largest(facts: Facts, variant: str) -> tuple[str, float]:
    table = facts.table(facts.counted() or "")
    found = [(row.cells[variant].share or 0.0, row.category) for row in (table[0].rows if table else ())]
    most, key = max(found, default=(0.0, "unknown"))
    return facts.category(key), most


def _callers(facts: Facts, variant: str, name: str) -> list[str]:
    found = function_shares(facts, variant, [name])
    named = found[0][0].callers.get(variant, ()) if found else ()
    return [f"{caller} ({count(calls)} per request)" for caller, calls in named[:CALLERS] if calls >= 0.5]


def shares(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    if (missing := no_count(facts, row["variants"])) is not None:
        return missing
    parts = [sum(category_share(facts, v, key)[0] for key in row["categories"]) for v in row["variants"]]
    labels = listed([facts.category(key) for key in row["categories"]])
    text = (
        f"{labels}: {listed([f'{share(p)} of {facts.label(v)}' for v, p in zip(row['variants'], parts, strict=True)])}"
    )
    return Answer("kept", text, parts[0])


def switches(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    """Share and calls of the switch itself, by number of connections."""
    if (missing := no_count(facts, [row["variant"]])) is not None:
        return missing
    loads = {f"{profiler}:instructions": text for profiler, text in row["connections"].items()}
    known = [key for key in loads if facts.table(key) is not None] or [facts.counted() or ""]
    words, parts = [], []
    for key in known:
        part, each = category_share(facts, row["variant"], "context-switch", key)
        calls = _calls(facts, key, row["variant"])
        often = f"{count(calls)} calls of {SWITCH} per request, " if calls is not None else ""
        words.append(f"{loads.get(key, key.partition(':')[0])}: {often}{count(each)} instructions, {share(part)}")
        parts.append(part)
    why = (
        "call_box was the closure a coroutine begins in, with the connection's whole loop inlined, not the switch; the "
        "observation holds. Callgrind's call graph is false where stacks switch: only own cost and counts are used"
    )
    return Answer("corrected", "; ".join(words), max(parts), why)


def _calls(facts: Facts, key: str, variant: str) -> float | None:
    found = facts.category_row(key, "context-switch")
    for function in found[0].functions if found else ():
        if function.function.name == SWITCH and (cell := function.cells.get(variant)):
            return cell.calls
    return None


def per_request(row: Row, facts: Facts, given: Given) -> Answer:  # noqa: ARG001
    if (missing := no_count(facts, row["variants"])) is not None:
        return missing
    key = facts.counted() or ""
    words = []
    for variant in row["variants"]:
        cost, calls = facts.figure(variant, key), facts.figure(variant, f"{key.partition(':')[0]}:syscalls")
        kernel = facts.figure(variant, "clean:kernel_share")
        parts = [
            f"{count(cost.value)} instructions" if cost else "",
            f"{count(calls.value)} system calls" if calls else "",
        ]
        parts.append(f"{share(kernel.value)} of CPU time in the kernel" if kernel else "")
        words.append(f"{facts.label(variant)}: {', '.join(part for part in parts if part)}")
    first = facts.figure(row["variants"][0], key)
    why = "two programs' percentages of their own totals cannot be compared; instructions per request can"
    rounds = len({run.round for run in facts.report.runs if run.profiler == key.partition(":")[0] and run.valid})
    text = f"{'; '.join(words)}; {count(rounds)} {'round' if rounds == 1 else 'rounds'}"
    return Answer("corrected", text, first.value if first else None, why)
