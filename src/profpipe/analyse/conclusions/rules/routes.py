"""Which route of a load costs a contender more, and where the mix costs more than its routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from profpipe.analyse.conclusions.facts import Facts, conclusion, listed, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import Conclusion, Evidence, Route, RouteCost, Variant
from profpipe.units import duration_ns, ratio

# Routes that one sentence names; the table has all.
MOST_NAMED = 4
Found = tuple[int, Route, int, RouteCost]


def changed_routes(facts: Facts) -> Iterator[Conclusion]:
    """One sentence for each contender: the routes that cost it more or less, and how many do not."""
    for contender in facts.contenders:
        every = _of(facts, contender)
        changed = sorted((each for each in every if _relevant(each[3])), key=lambda each: -abs(_ratio(each[3]) - 1))
        if not changed:
            continue
        named = changed[:MOST_NAMED]
        words = [_words(facts, each, contender, first=place == 0) for place, each in enumerate(named)]
        text = listed(words) + _others(every, len(changed), len(named))
        rows = [
            Evidence(path=f"routes.routes.{i}.costs.{j}.against.ratio", value=_ratio(cost)) for i, _, j, cost in named
        ]
        more = max(_ratio(each[3]) for each in changed) - 1
        yield conclusion(
            "routes", contender.id, f"{text}.", kind="cause", weight=weight("routes", max(more, 0.0)), rows=rows
        )


def _of(facts: Facts, contender: Variant) -> list[Found]:
    table = facts.report.routes
    routes = enumerate(table.routes if table is not None else ())
    return [
        (i, route, j, cost)
        for i, route in routes
        for j, cost in enumerate(route.costs)
        if cost.variant == contender.id and cost.against is not None
    ]


def _relevant(cost: RouteCost) -> bool:
    return cost.against is not None and cost.against.relevant and cost.against.ratio is not None


def _ratio(cost: RouteCost) -> float:
    return (cost.against.ratio if cost.against is not None else None) or 1.0


def _words(facts: Facts, found: Found, contender: Variant, *, first: bool) -> str:
    """`POST /orders costs 1.31× as much CPU in new as in old (1.45 ms, 1.10 ms)`."""
    _, route, _, cost = found
    base = next((each for each in route.costs if each.variant == facts.baseline.id), None)
    medians = [each.cpu.median for each in (cost, base) if each is not None]
    sizes = [duration_ns(median * 1000) for median in medians if median is not None]
    shown = f" ({', '.join(sizes)})" if len(sizes) == 2 else ""
    if not first:
        return f"{route.request} {ratio(_ratio(cost))}{shown}"
    where = f"as much CPU per request in {contender.label} as in {facts.baseline.label}"
    return f"{route.request} costs {ratio(_ratio(cost))} {where}{shown}"


def _others(every: Sequence[Found], changed: int, named: int) -> str:
    """What the sentence adds of all other routes."""
    parts = [f"{changed - named} more differ as well"] if changed > named else []
    verdicts = [cost.against.verdict for *_, cost in every if cost.against is not None and not _relevant(cost)]
    same, unknown = verdicts.count("no change"), len(verdicts) - verdicts.count("no change")
    if same:
        parts.append(f"the other {_routes(same)} the same" if not unknown else f"{_others_are(same)} the same")
    if unknown:
        parts.append(f"the measurements cannot tell for {unknown} other{'' if unknown == 1 else 's'}")
    return f"; {', '.join(parts)}" if parts else ""


def _routes(many: int) -> str:
    return "route is" if many == 1 else f"{many} routes are"


def _others_are(many: int) -> str:
    return f"{many} other route{' is' if many == 1 else 's are'}"


def mix_over_sum(facts: Facts) -> Iterator[Conclusion]:
    """A mix that costs more than its routes do alone: its interval leaves out their sum."""
    table = facts.report.routes
    for place, mix in enumerate(table.mix if table is not None else ()):
        if mix.ratio is None or mix.low is None or mix.high is None or mix.low <= 1:
            continue
        text = (
            f"The mix costs {facts.label(mix.variant)} {share(mix.ratio - 1)} ({share(mix.low - 1)} to "
            f"{share(mix.high - 1)}) more CPU than its routes cost one at a time. A likely reason is that requests of "
            "one route drive the code and data of another one out of the processor's caches."
        )
        path = f"routes.mix.{place}"
        rows = [Evidence(path=f"{path}.ratio", value=mix.ratio), Evidence(path=f"{path}.low", value=mix.low)]
        yield conclusion("mix", mix.variant, text, kind="caution", weight=weight("mix"), rows=rows)
