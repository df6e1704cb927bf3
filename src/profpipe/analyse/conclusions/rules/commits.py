"""Two commits of one program: functions that became more expensive, their changed lines, and what only moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from profpipe.analyse.conclusions.facts import Facts, Figure, amount, conclusion, listed, plain, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import (
    Cell,
    Certainty,
    ChangedLines,
    Conclusion,
    Evidence,
    FunctionRow,
    MetricInfo,
    Variant,
)
from profpipe.units import count, percent

# A function under a twentieth of the gap is not named; at most three get a sentence each.
NAMED = 0.05
MAX_NAMED = 3
# Changed lines explain the gap through what their function calls when this much of it is in its total.
MOST = 0.5
MAX_SPANS = 3
MAX_MOVED = 4
# Calls per request repeat within 1 %.
MORE_CALLS = 0.01
UNMATCHED = 0.05
_SURE: dict[Certainty, int] = {"measured": 0, "likely": 1, "hint": 2}


@dataclass(frozen=True, slots=True)
class _Row:
    """A function of one table with both cells, and its path in report.json."""

    row: FunctionRow
    path: str
    contender: str
    before: Cell
    after: Cell

    @property
    def delta(self) -> float:
        """What it costs more, without what only moved here or away."""
        return (self.after.self or 0.0) - (self.before.self or 0.0) - (self.after.moved or 0.0)

    @property
    def total(self) -> float | None:
        """What it and its callees cost more; None where a total is not known."""
        before, after = self.before.total, self.after.total
        return None if before is None or after is None else after - before

    @property
    def changes(self) -> tuple[ChangedLines, ...]:
        return self.row.changes.get(self.contender, ())

    @property
    def name(self) -> str:
        return self.row.function.name


def commits(facts: Facts) -> Iterator[Conclusion]:
    """For every contender that was built from a commit, as the baseline was, or whose functions were aligned."""
    for contender in facts.contenders:
        for metric in facts.report.metrics:
            found = facts.table(metric.key)
            if found is None or metric.instrument not in ("counted", "sampled") or metric.key.endswith(":syscalls"):
                continue
            if contender.id not in found[0].unmatched:
                continue
            rows = _rows(facts, metric.key, contender.id)
            yield from _changed(facts, contender, metric, rows)
            yield from _with_callees(facts, contender, metric, rows)
            yield from _nothing(facts, contender, metric, rows)
            yield from _moved(contender, metric, rows)
            yield from _unmatched(facts, contender, metric)


def _rows(facts: Facts, key: str, contender: str) -> list[_Row]:
    found = facts.functions(key, contender)
    return [_Row(row, path, contender, before, after) for row, path, before, after in found]


def _changed(facts: Facts, contender: Variant, metric: MetricInfo, rows: list[_Row]) -> Iterator[Conclusion]:
    """One sentence per function that explains the gap, with the lines of the commit in it."""
    compared = facts.relevant(contender.id, metric.key)
    gap = compared.delta if compared is not None else None
    if not gap:
        return
    wanted = "worse" if gap > 0 else "better"
    named = [r for r in rows if r.after.verdict == wanted and r.delta / gap >= NAMED]
    named.sort(key=lambda r: (-abs(r.delta), r.path))
    where = f"variants.{facts.place(contender.id)}.against_baseline.{metric.key}.delta"
    for place, row in enumerate(named[:MAX_NAMED]):
        more = "more expensive" if gap > 0 else "cheaper"
        text = (
            f"“{row.name}” became {more} by {amount(abs(row.delta), metric)}, {share(row.delta / gap)} of what "
            f"{facts.label(contender.id)} {'adds to' if gap > 0 else 'saves against'} {facts.baseline.label}"
        )
        lines, certainty, evidence = _lines(row, rows)
        text += f"{_renamed(row)}{_calls(row)}; {lines}."
        cells = [
            Figure(cell.self or 0.0, f"{row.path}.cells.{variant}.self").row
            for variant, cell in ((contender.id, row.after), (facts.baseline.id, row.before))
        ]
        about = f"{contender.id}:{metric.key}:{row.row.id}"
        heavy = weight("commits/counted" if metric.exact else "commits/sampled", MAX_NAMED - 1 - place)
        yield conclusion(
            "commits", about, text, kind="cause", weight=heavy, certainty=certainty,
            rows=[*cells, Figure(gap, where).row, *evidence],
        )  # fmt: skip


def _with_callees(facts: Facts, contender: Variant, metric: MetricInfo, rows: list[_Row]) -> Iterator[Conclusion]:
    """The innermost function with changed lines that holds most of the gap in what it calls: `snprintf` now, say."""
    compared = facts.relevant(contender.id, metric.key)
    gap = compared.delta if compared is not None else None
    if not gap:
        return
    changed = [r for r in rows if r.changes and r.changes[0].certainty != "hint"]
    held = [(d, r) for r in changed if (d := r.total) is not None and MOST <= d / gap <= 1 / MOST]
    held = [(d, r) for d, r in held if r.delta / gap < MOST]
    if not held:
        return
    delta, row = min(held, key=lambda item: (item[1].after.total or 0.0, item[1].path))
    more, verb = ("more expensive", "adds to") if gap > 0 else ("cheaper", "saves against")
    text = (
        f"“{row.name}” with what it calls became {more} by {amount(abs(delta), metric)}, {share(delta / gap)} of what "
        f"{contender.label} {verb} {facts.baseline.label}{_renamed(row)}; {_lines(row, rows)[0]}."
    )
    cells = [
        Figure(cell.total or 0.0, f"{row.path}.cells.{variant}.total").row
        for variant, cell in ((contender.id, row.after), (facts.baseline.id, row.before))
    ]
    about = f"{contender.id}:{metric.key}:{row.row.id}"
    certainty = _lines(row, rows)[1]
    yield conclusion(
        "commits-callees",
        about,
        text,
        kind="cause",
        weight=weight("commits-callees"),
        certainty=certainty,
        rows=[*cells, _evidence(row)],
    )


def _renamed(row: _Row) -> str:
    found = row.row.alignment.get(row.contender)
    if found is None or not row.before.self or not row.after.self:
        return ""
    return f" (“{found.before.name}” before)" if found.before.name != row.name else f" (in {found.before.file} before)"


def _calls(row: _Row) -> str:
    before, after = row.before.calls, row.after.calls
    if not before or not after or abs(after - before) <= MORE_CALLS * before:
        return ""
    return f", called {count(after)} times per request instead of {count(before)}"


def _lines(row: _Row, rows: list[_Row]) -> tuple[str, Certainty, list[Evidence]]:
    """The changed lines in a function, else in one that calls it; how sure; the rows it rests on."""
    found = row.row.alignment.get(row.contender)
    certainty: Certainty = found.certainty if found is not None else "measured"
    if row.changes:
        best = row.changes[0]
        sure = max(certainty, best.certainty, key=_SURE.__getitem__)
        if best.certainty == "hint":
            text = f"its file {best.file} changed in this commit, in which function is not known"
        else:
            text = f"{_place(best)} changed in this commit and {'lies' if _single(best) else 'lie'} in it"
        return text, sure, [_evidence(row)]
    callers = {name for name, _ in row.row.callers.get(row.contender, ())}
    changed = [r for r in rows if r.name in callers and r.changes and r.changes[0].certainty != "hint"]
    if changed:
        first = max(changed, key=lambda r: (r.changes[0].lines, r.path))
        do = "does" if _single(first.changes[0]) else "do"
        words = f"no changed line lies in it, but {_place(first.changes[0])} {do} in its caller “{first.name}”"
        return words, "likely", [_evidence(first)]
    return "no changed line is known to lie in it", certainty, []


def _single(change: ChangedLines) -> bool:
    spans = change.added or change.removed
    return len(spans) == 1 and spans[0][0] == spans[0][1]


def _evidence(row: _Row) -> Evidence:
    return Evidence(path=f"{row.path}.changes.{row.contender}.0.lines", value=row.changes[0].lines)


def _place(change: ChangedLines) -> str:
    """`epoll_head.c:120-131, 140`; lines of the baseline where all that changed was taken away."""
    spans = change.added or change.removed
    shown = ", ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in spans[:MAX_SPANS])
    rest = f" and {len(spans) - MAX_SPANS} more" if len(spans) > MAX_SPANS else ""
    return f"{change.file}:{shown}{rest}" + ("" if change.added else " (removed)")


def _nothing(facts: Facts, contender: Variant, metric: MetricInfo, rows: list[_Row]) -> Iterator[Conclusion]:
    """Neither the whole nor any function changed; the sentence names the smallest change these rounds detect."""
    found = facts.compared(contender.id, metric.key)
    if found is None or found[0].verdict != "no change" or found[0].detectable is None:
        return
    if any(r.after.verdict != "no change" for r in rows):
        return
    c, path = found
    text = (
        f"No function of {contender.label} became more expensive or cheaper than in {facts.baseline.label} in "
        f"{metric.label}. A change of the whole under {percent(c.detectable or 0.0)} would not have been seen."
    )
    rows_ = [Figure(c.detectable or 0.0, f"{path}.detectable").row]
    about = f"{contender.id}:{metric.key}"
    yield conclusion("commits-nothing", about, text, kind="not-the-cause", weight=weight("commits-nothing"), rows=rows_)


def _moved(contender: Variant, metric: MetricInfo, rows: list[_Row]) -> Iterator[Conclusion]:
    """What looks like a regression of one function and is none: cost that came from a caller or callee, new names."""
    arrived = [r for r in rows if (r.after.moved or 0.0) > 0 and r.after.verdict == "no change" and r.after.why]
    arrived.sort(key=lambda r: (-(r.after.moved or 0.0), r.path))
    if arrived:
        words = [
            f"in “{r.name}” {(r.after.why or '').removeprefix('moved: ').split(';')[0]}" for r in arrived[:MAX_MOVED]
        ]
        rows_ = [Figure(r.after.moved or 0.0, f"{r.path}.cells.{contender.id}.moved").row for r in arrived[:MAX_MOVED]]
        text = f"Moved, no regression: {'; '.join(words)}."
        about = f"{contender.id}:{metric.key}"
        yield conclusion(
            "commits-moved",
            about,
            text,
            kind="not-the-cause",
            weight=weight("commits-moved"),
            rows=rows_,
            certainty="likely",
        )
    renamed = [r for r in rows if _renamed(r) and r.after.verdict == "no change"]
    renamed.sort(key=lambda r: (-(r.after.self or 0.0), r.path))
    if renamed:
        shown = renamed[:MAX_MOVED]
        words = [f"“{r.name}”{_renamed(r)}, {plain(r.after.self or 0.0, metric)}" for r in shown]
        text = f"Only the name or the file changed, not the cost in {metric.label}: {listed(words)}."
        at = [(r, r.row.alignment[contender.id]) for r in shown]
        rows_ = [Evidence(path=f"{r.path}.alignment.{contender.id}.why", value=a.why) for r, a in at]
        certainty = max((a.certainty for _, a in at), key=_SURE.__getitem__)
        about = f"{contender.id}:{metric.key}"
        yield conclusion(
            "commits-renamed",
            about,
            text,
            kind="not-the-cause",
            weight=weight("commits-renamed"),
            rows=rows_,
            certainty=certainty,
        )


def _unmatched(facts: Facts, contender: Variant, metric: MetricInfo) -> Iterator[Conclusion]:
    """Much of both sides in functions of one side only: what these cost has no counterpart to be compared with."""
    found = facts.table(metric.key)
    part = found[0].unmatched.get(contender.id) if found else None
    if found is None or part is None or part < UNMATCHED:
        return
    text = (
        f"{share(part)} of {metric.label} is in functions that only one of {facts.baseline.label} and "
        f"{contender.label} has: they are new, gone, or not recognised under another name."
    )
    rows = [Figure(part, f"{found[1]}.unmatched.{contender.id}").row]
    yield conclusion(
        "unmatched", f"{contender.id}:{metric.key}", text, kind="caution", weight=weight("unmatched"), rows=rows
    )
