"""What causes say: which part of a difference is where, in which direction, and what is the largest or most of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from profpipe.model.report import Cause, StepCost, WaterfallBar
from tests.support.sentence_figures import CPU, KERNEL, NUMBER, SWITCHES, Told, percent_reads, reads

NOT_CATEGORIES = ("moved", "unexplained")
_SHARE = rf"{NUMBER} %"
_TIMES = rf"once|twice|never|{NUMBER} times"


def _gap(told: Told) -> Iterator[str]:
    fall = told.fall(told.key)
    factor = 1e3 if told.metric(told.key).unit == "us" else 1.0
    found = re.match(
        rf"(?P<names>.+?) explains? (?P<part>{_SHARE}) of the (?P<size>{NUMBER}.*?) that .+? (?P<verb>spends more than|"
        rf"saves against) .+?(?:, (?P<second>[^,]+) another (?P<rest>{_SHARE}))?(?:; (?P<back>.+ back))?\.$",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    if (found["verb"] == "spends more than") != (fall.gap > 0) or not reads(found["size"], abs(fall.gap) * factor):
        yield f"the gap is {fall.gap}"
    parts = [(found["names"], found["part"], 1)]
    parts += [(found["second"], found["rest"], 1)] if found["second"] else []
    given = re.findall(rf"(?:^| and )(.+?) gives? ({_SHARE}) back", found["back"] or "")
    parts += [(names, part, -1) for names, part in given]
    shares = {bar.category: bar.share_of_gap or 0.0 for bar in fall.bars}
    for names, part, sign in parts:
        keys = told.categories(names)
        whole = sum(shares.get(key, 0.0) for key in keys)
        if whole * sign <= 0 or not percent_reads(part, whole) or not set(keys) <= shares.keys():
            yield f"{names}: {whole}"
    yield from _largest_group(told, fall.bars, told.categories(found["names"]))


def _largest_group(told: Told, bars: tuple[WaterfallBar, ...], named: list[str]) -> Iterator[str]:
    """No category outside the one group that is named first explains more than that group."""
    first = sum(bar.share_of_gap or 0.0 for bar in bars if bar.category in named)
    for bar in bars:
        if bar.category not in (*named, *NOT_CATEGORIES, "other") and (bar.share_of_gap or 0.0) > first + 1e-6:
            yield f"{bar.category} explains more: {bar.share_of_gap}"


def _hypotheses(told: Told) -> Iterator[str]:
    fall = told.fall(told.counted())
    for asked in told.report.study.hypotheses:
        part = sum(bar.share_of_gap or 0.0 for bar in fall.bars if bar.category in asked.categories)
        words = re.escape(asked.text[1:])
        found = re.search(
            rf"{words} (?:explains (?P<part>{_SHARE}) of the gap|goes the other way by (?P<back>{_SHARE}) of the gap) "
            rf"\((?P<size>{NUMBER}) .*?, the gap is (?P<gap>{NUMBER})\): (?P<verdict>[a-z ]+)",
            told.text,
        )
        if found is None:
            yield f"{asked.text}: it is not read"
            continue
        if (found["back"] is not None) != (part < 0) or not percent_reads(found["part"] or found["back"] or "", part):
            yield f"{asked.text}: {part}"
        if not (reads(found["size"], abs(part * fall.gap)) and reads(found["gap"], abs(fall.gap))):
            yield f"{asked.text}: {part * fall.gap} of {fall.gap}"
        if (found["verdict"] in ("this is the reason", "this too")) != (part >= 0.5):
            yield f"{asked.text} explains {part}"


def _reason(told: Told) -> Iterator[str]:
    traced = next(m.key for m in told.report.metrics if m.instrument == "traced" and m.key.endswith(":calls"))
    calls, counted = told.fall(traced), told.fall(told.counted())
    found = re.search(
        rf"(?P<executed>All|{_SHARE}) of the extra instructions are .*?, and (?P<made>{NUMBER}) "
        rf"(?:of the (?P<all>{NUMBER}) extra calls per request"
        rf"|extra calls per request, where the other layers make (?P<fewer>{NUMBER}) fewer,)"
        rf" are to pure-Python layers: (?P<layers>.+)\.$",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    groups = {c.key: c.group or c.key for c in told.report.categories}
    executed = sum(b.share_of_gap or 0.0 for b in counted.bars if groups.get(b.category) in ("interpreter", "memory"))
    if counted.gap <= 0 or calls.gap <= 0 or not re.match(r"Why .+ (?:costs|spends) more ", told.text):
        yield "nothing is extra"
    if found["executed"] != "All" and not percent_reads(found["executed"], executed):
        yield f"the interpreter's part is {executed}"
    names = re.findall(r"(?:^|, | and |\), )((?:the )?[a-z/ -]+) \(", found["layers"])
    made = sum(b.delta for b in calls.bars if b.category in {told.category(name) for name in names})
    rest = made - calls.gap
    other, figure = ("all", calls.gap) if rest <= 0 else ("fewer", rest)
    if not (reads(found["made"], made) and reads(found[other] or "none", figure)):
        yield f"{made} of {calls.gap} calls"


def _layers(told: Told) -> Iterator[str]:
    traced = next(m.key for m in told.report.metrics if m.instrument == "traced" and m.key.endswith(":calls"))
    fall = told.fall(traced)
    found = re.search(
        rf"makes (?P<all>{NUMBER}) calls per .*?, (?P<gap>{NUMBER}) (?P<word>more|fewer) than .*?: (?P<parts>.+)\.$",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    if (found["word"] == "more") != (fall.gap > 0) or not reads(found["gap"], abs(fall.gap)):
        yield f"the gap is {fall.gap}"
    deltas, named = {bar.category: bar.delta for bar in fall.bars}, []
    for number, word, layer in re.findall(
        rf"({NUMBER})(?: (more|fewer))? in (.+?)(?=, {NUMBER}| and {NUMBER}|$)", found["parts"]
    ):
        key = told.category(layer)
        named.append(key)
        delta = deltas.get(key, 0.0)
        if (delta > 0) != ((word or found["word"]) == "more") or not reads(number, abs(delta)):
            yield f"{layer}: {delta}"
    rest = [abs(d) for key, d in deltas.items() if key not in (*named, *NOT_CATEGORIES)]
    if max(rest, default=0.0) > min((abs(deltas.get(key, 0.0)) for key in named), default=0.0) + 1e-9:
        yield "a layer that is not named changed by more"


def _syscalls(told: Told) -> Iterator[str]:
    found = re.search(
        rf" makes (?P<after>{NUMBER}) system calls? per request, .*? (?P<before>{NUMBER}): (?P<size>{NUMBER}) "
        rf"(?P<word>more|fewer)(?:, (?P<most>most of the difference|{NUMBER} of them) (?P<how>in|made by the "
        rf"Python function) “?(?P<name>[^”]+).*)?\.$",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    ends = [told.figure(variant, told.key) or 0.0 for variant in (told.contender, told.baseline)]
    gap = ends[0] - ends[1]
    if not (reads(found["after"], ends[0]) and reads(found["before"], ends[1]) and reads(found["size"], abs(gap))):
        yield f"{ends}"
    if (found["word"] == "more") != (gap > 0):
        yield f"the difference is {gap}"
    if found["name"]:
        yield from _system_call(told, found["name"], found["most"], gap)
        made = [f for f in told.functions(told.key) if f.function.name == found["name"]]
        if (found["how"] == "in") == any(f.function.runtime == "python" for f in made):
            yield f"{found['name']}: a function of Python is no system call"


def _system_call(told: Told, name: str, most: str, gap: float) -> Iterator[str]:
    rows = list(told.functions(told.key))
    parts = [told.delta(row) / gap for row in rows if row.function.name == name]
    if not parts:
        yield f"no function is called {name}"
        return
    best = max(parts)
    if best < max(told.delta(row) / gap for row in rows) - 1e-9:
        yield f"{name} is not the largest"
    if most.startswith("most") != (best > 0.5) or (most[0].isdigit() and not reads(most, abs(best * gap))):
        yield f"its part is {best}"


def _user_switches(told: Told) -> Iterator[str]:
    fall = told.fall(told.counted())
    bar = next(b for b in fall.bars if b.category == "context-switch")
    found = re.search(rf"({_SHARE}) of the gap between .*? \(({NUMBER}) of ({NUMBER}) ", told.text)
    if found is None:
        yield "it is not read"
        return
    if not (reads(found[2], abs(bar.delta)) and reads(found[3], abs(fall.gap))):
        yield f"{bar.delta} of {fall.gap}"
    if not percent_reads(found[1], bar.share_of_gap or 0.0):
        yield f"{bar.share_of_gap}"
    if ("the other way" in told.text) != ((bar.share_of_gap or 0.0) < 0):
        yield f"the direction: {bar.share_of_gap}"


def _kernel_switches(told: Told) -> Iterator[str]:
    words = r"more than .+ and still costs less CPU|that .+ costs? more: .+ and costs less CPU|and costs less CPU\.$"
    if not re.search(words, told.text):
        yield "it is not read"
    base_cpu, base = told.figure(told.baseline, CPU) or 0.0, told.figure(told.baseline, SWITCHES) or 0.0
    for variant in told.report.study.contenders:
        label, own = told.label(variant), told.figure(variant, SWITCHES)
        named = f"{label} (" in told.text or f"{label} switches" in told.text
        if own is None or not named:
            continue
        costs_more = (told.figure(variant, CPU) or 0.0) > base_cpu
        if costs_more != told.text.startswith(("Switching threads is not the cause", "It is not for switching")):
            yield f"{label} costs {'more' if costs_more else 'less'}"
        if costs_more != (base > own):
            yield f"{label} switches {own} times, the baseline {base}"


def _kernel_part(told: Told) -> Iterator[str]:
    after, before = (
        (told.figure(v, CPU) or 0.0, told.figure(v, KERNEL) or 0.0) for v in (told.contender, told.baseline)
    )
    kernel, gap = after[0] * after[1] - before[0] * before[1], after[0] - before[0]
    sizes = re.search(rf"\(about ({NUMBER} \S+) of ({NUMBER} \S+) per request\)", told.text)
    if sizes is not None:
        if not (reads(sizes[1], abs(kernel)) and reads(sizes[2], abs(gap))):
            yield f"{kernel} of {gap}"
        if abs(kernel) > abs(gap) * 1.001:
            yield "a part that is larger than the whole"
    part = re.search(rf"({_SHARE}) of the (?:CPU )?gap", told.text)
    if part is not None and (not percent_reads(part[1], kernel / gap) or kernel / gap < 0):
        yield f"its part is {kernel / gap}"
    if told.conclusion.kind == "cause":
        dear, cheap = (told.contender, told.baseline) if gap > 0 else (told.baseline, told.contender)
        if not told.text.startswith(f"{told.label(dear)} costs more CPU than {told.label(cheap)}"):
            yield "the direction is the other"
    spent = re.search(rf"about ({NUMBER} \S+) (less in it|more per request there)", told.text)
    if spent is not None and (spent[2].startswith("less") != (kernel / gap < 0) or not reads(spent[1], abs(kernel))):
        yield f"in the kernel: {kernel}"
    outside = re.search(rf", and ({NUMBER} \S+) (\w+) outside it", told.text)
    less = outside is not None and outside[2] == "less"
    if outside is not None and (not less or kernel / gap < 1 or not reads(outside[1], abs(kernel - gap))):
        yield f"outside the kernel: {gap - kernel}"


def _functions(told: Told) -> Iterator[str]:
    path = re.match(r"causes\.(\d+)\.", told.conclusion.rows[0].path)
    assert path is not None
    cause = told.report.causes[int(path[1])]
    word = re.search(r"(?:costs|also costs) (more|less)", told.text)
    if word is None or (word[1] == "more") != (cause.gap > 0):
        yield f"the gap is {cause.gap}"
    entry, leaf = cause.steps[cause.entry], cause.steps[-1]
    delta = _grown(entry.before, entry.after)
    yield from _added(told, cause, delta)
    found = re.search(rf"difference, ({_SHARE}) of it in “(.+?)”", told.text)
    if found and (
        found[2] != leaf.function.name or not percent_reads(found[1], _grown(leaf.before, leaf.after) / delta)
    ):
        yield f"{leaf.function.name} is {_grown(leaf.before, leaf.after) / delta} of it"
    yield from _how_often(told, entry.before, entry.after)
    yield from _split(told, entry.before, entry.after)
    yield from _called(told, cause)


def _called(told: Told, cause: Cause) -> Iterator[str]:
    """Calls of built-in functions and of the server's own code, which stand after the cost."""
    calls = (*cause.built_ins, *cause.own_calls)
    text = told.text.partition("of the difference")[2]
    said = re.findall(rf"({_TIMES}) per request (?:instead of|in both|in .+?, ({_TIMES}) in)(?: ({_TIMES}))?", text)
    if len(said) != len(calls):
        yield f"{len(said)} calls are told, not {len(calls)}"
        return
    for call, (first, other, second) in zip(calls, said, strict=True):
        few, many = sorted((call.before, call.after))
        told_as = sorted(_times(t) for t in (first, other or second or first))
        if abs(told_as[0] - few) > max(0.011, 0.005 * few) or abs(told_as[1] - many) > max(0.011, 0.005 * many):
            yield f"{call.function.name} is called {call.before} and {call.after} times"


def _times(text: str) -> float:
    words = {"once": 1.0, "twice": 2.0, "never": 0.0}
    return words[text] if text in words else float(text.split()[0].replace(",", ""))


def _grown(before: StepCost, after: StepCost) -> float:
    return after.total - before.total


def _added(told: Told, cause: Cause, delta: float) -> Iterator[str]:
    found = re.search(
        rf"This (adds|saves) (?:({NUMBER}(?: (?:ns|µs|ms|s)\b)?) .*?, )?({_SHARE}) of the difference(?:.*?other "
        rf"functions give ({_SHARE}) of the difference back)?",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    scale = {"us": 1e3}.get(cause.unit, 1.0)
    if (found[1] == "adds") != (delta > 0) or (found[2] and not reads(found[2], abs(delta) * scale)):
        yield f"it adds {delta}"
    if not percent_reads(found[3], delta / cause.gap) or delta / cause.gap < 0:
        yield f"its part is {delta / cause.gap}"
    if found[4] and not percent_reads(found[4], delta / cause.gap - 1):
        yield f"others give {delta / cause.gap - 1} back"


def _how_often(told: Told, before: StepCost, after: StepCost) -> Iterator[str]:
    many = rf"(once|twice|{NUMBER} times)"
    found = re.search(rf"{many} per request(?: instead of {many}| in both)?", told.text.partition(". This ")[0])
    if found is None:
        return
    only = re.search(r"only in (.+?) “", told.text)
    left_out = only is not None and only[1] == told.label(told.baseline)
    first, second = (before.calls, after.calls) if left_out else (after.calls, before.calls)
    for said, value in ((found[1], first), (found[2], second)):
        said = {"once": "1", "twice": "2"}.get(said or "", said or "")
        if said and (
            value is None or abs(float(re.match(NUMBER, said)[0].replace(",", "")) - value) > max(0.011, 0.005 * value)
        ):  # type: ignore[index]
            yield f"it is called {before.calls} and {after.calls} times"
    if only is not None and (second or 0.0) > 0.01:
        yield f"the other calls it {second} times"


def _split(told: Told, before: StepCost, after: StepCost) -> Iterator[str]:
    found = re.search(r"(?P<how>[Bb]eing called (?P<word>more|less) often)", told.text)
    if found is None or not before.calls or not after.calls:
        return
    if (found["word"] == "more") != (after.calls > before.calls):
        yield f"it is called {before.calls} and {after.calls} times"
    each = before.total / before.calls, after.total / after.calls
    often = (after.calls - before.calls) * sum(each) / 2 / (after.total - before.total)
    shares = [
        float(p.replace(",", "")) / 100
        for p in re.findall(rf"({NUMBER}) %", told.text[_sentence(told.text, found.start()) :])
    ]
    back = " back." in told.text[found.start() :]
    expected = sorted(map(abs, (often, 1 - often)))
    if (
        back != (not 0 <= often <= 1)
        or max(abs(a - b) for a, b in zip(sorted(shares[:2]), expected, strict=True)) > 0.006
    ):
        yield f"{often} by calls, {1 - often} by their cost"
    price = re.search(r"a (higher|lower) cost of a call", told.text)
    if price is not None and (price[1] == "higher") != (each[1] > each[0]):
        yield f"a call costs {each}"


def _sentence(text: str, at: int) -> int:
    """Where the sentence begins that holds this place."""
    return text.rfind(". ", 0, at) + 1


def _habits(told: Told) -> Iterator[str]:
    calls = next(c for c in told.report.habits if told.conclusion.id == f"habits:{c.contender}:{c.habit}")
    more, less = told.contender, told.baseline
    if calls.before > calls.after:
        more, less = less, more
    many = rf"(never|once|twice|{NUMBER} times)"
    found = re.match(
        rf"{re.escape(told.label(more))} .*?: “(.+?)”.*? runs {many} per request.*?, {many} in "
        rf"{re.escape(told.label(less))}\. To look at next: ",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    words = {"never": "0", "once": "1", "twice": "2"}
    for said, value in ((found[2], max(calls.before, calls.after)), (found[3], min(calls.before, calls.after))):
        number = float(words.get(said, said).split()[0].replace(",", ""))
        if abs(number - value) > max(0.011, 0.005 * value):
            yield f"it runs {calls.before} and {calls.after} times"
    method = re.fullmatch(r"<method '(\w+)' of '([\w.]+)' objects>", calls.function.name)
    if found[1] != (f"{method[2]}.{method[1]}" if method else calls.function.name):
        yield f"the function is {calls.function.name}"


def _dependencies(told: Told) -> Iterator[str]:
    found = re.search(r" that (.+?) (spends more than|saves against) (.+?)(?:[:(.]| \()", told.text)
    if told.conclusion.kind != "cause":
        return
    if found is None:
        yield "it is not read"
        return
    metric = next(m.key for m in told.report.metrics if told.compared(m.key).relevant and m.key in _waterfalls(told))
    gap = told.compared(metric).delta or 0.0
    if (found[2] == "spends more than") != (gap > 0):
        yield f"the gap is {gap}"
    packages = {d.words: d for d in told.report.dependencies if d.contender == told.contender}
    for words, part in re.findall(rf"(\S+ (?:\S+ → \S+|\S+ \((?:new|gone)\))) explains ({_SHARE})", told.text):
        prefixes = packages[words].prefixes
        rows = [
            r
            for r in told.functions(metric)
            if r.function.file.startswith(prefixes) or r.function.name.startswith(prefixes)
        ]
        if not percent_reads(part, sum(told.delta(r) for r in rows) / gap):
            yield f"{words} explains {sum(told.delta(r) for r in rows) / gap}"
        most = re.search(rf"{re.escape(words)} explains .*?\(most of it in “(.+?)”", told.text)
        if most is not None:
            yield from _most_of(
                told,
                most[1],
                sum(told.delta(r) for r in rows),
                [told.delta(r) for r in rows if r.function.name == most[1]],
            )
    most = re.search(r"most of it in “(.+?)”", told.text)
    if most is not None and " is all that differs" in told.text:
        yield from _most_of(
            told, most[1], gap, [told.delta(r) for r in told.functions(metric) if r.function.name == most[1]]
        )


def _most_of(told: Told, name: str, whole: float, deltas: list[float]) -> Iterator[str]:
    if max((delta / whole for delta in deltas), default=0.0) <= 0.5:
        yield f"{name} holds {[delta / whole for delta in deltas]}"


def _waterfalls(told: Told) -> set[str]:
    return {w.metric for w in told.report.waterfall if w.contender == told.contender}


def _commits(told: Told) -> Iterator[str]:
    found = re.match(
        rf"“(?P<name>.+?)”(?P<inside> with what it calls)? became (?P<word>more expensive|cheaper) by (?P<size>{NUMBER}"
        rf"(?: (?:ns|µs|ms|s)\b)?).*?, (?P<part>{_SHARE}) of what .+? (?P<verb>adds to|saves against) ",
        told.text,
    )
    if found is None:
        yield "it is not read"
        return
    gap = told.compared(told.key).delta or 0.0
    row = next(r for r in told.functions(told.key) if r.id == told.conclusion.id.rpartition(":")[2])
    before, after = row.cells[told.baseline], row.cells[told.contender]
    delta = (after.self or 0.0) - (before.self or 0.0) - (after.moved or 0.0)
    if found["inside"]:
        delta = (after.total or 0.0) - (before.total or 0.0)
    factor = 1e3 if told.metric(told.key).unit == "us" else 1.0
    if (found["word"] == "cheaper") != (delta < 0) or (found["verb"] == "adds to") != (gap > 0):
        yield f"{delta} of {gap}"
    if not (reads(found["size"], abs(delta) * factor) and percent_reads(found["part"], delta / gap)):
        yield f"{delta}, {delta / gap}"
    calls = re.search(rf"called ({NUMBER}) times per request instead of ({NUMBER})", told.text)
    if calls and not (reads(calls[1], after.calls or 0.0) and reads(calls[2], before.calls or 0.0)):
        yield f"it is called {before.calls} and {after.calls} times"


def _nothing(told: Told) -> Iterator[str]:
    if told.compared(told.key).verdict != "no change":
        yield "the whole changed"
    if any(
        r.cells[told.contender].verdict in ("better", "worse")
        for r in told.functions(told.key)
        if told.contender in r.cells
    ):
        yield "a function changed"


def _unmatched(told: Told) -> Iterator[str]:
    if not percent_reads(told.text.split(" of ")[0], told.table(told.key).unmatched[told.contender]):
        yield "the share is another"


def _no_claim(_: Told) -> Iterator[str]:
    """The words are those of the cells' own reasons, which tests of moved cost and of alignment check."""
    yield from ()


CAUSES: Mapping[str, Callable[[Told], Iterator[str]]] = {
    "gap": _gap,
    "hypotheses": _hypotheses,
    "reason": _reason,
    "layers": _layers,
    "syscalls": _syscalls,
    "user-switches": _user_switches,
    "kernel-switches": _kernel_switches,
    "kernel-part": _kernel_part,
    "functions": _functions,
    "habits": _habits,
    "dependencies": _dependencies,
    "commits": _commits,
    "commits-callees": _commits,
    "commits-nothing": _nothing,
    "commits-moved": _no_claim,
    "commits-renamed": _no_claim,
    "unmatched": _unmatched,
}
