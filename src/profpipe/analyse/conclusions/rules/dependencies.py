"""Two commits with packages in different versions: which package explains the difference, and in which functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from profpipe.analyse.conclusions.facts import Facts, amount, conclusion, listed, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import Certainty, Conclusion, Dependency, Evidence, MetricInfo, Variant

# A package under a tenth of the gap is not named as its cause; a function under a twentieth not as its place.
PACKAGE_FLOOR, FUNCTION_FLOOR = 0.10, 0.05
MOST = 0.5
MAX_PACKAGES, MAX_FUNCTIONS, MAX_LISTED = 3, 2, 6


@dataclass(frozen=True, slots=True)
class _Changed:
    """A function whose self cost differs by `delta`; `path` = its place in report.json."""

    name: str
    file: str
    delta: float
    path: str

    @property
    def words(self) -> str:
        return f"“{self.name}”" + (f" ({self.file})" if self.file else "")


def dependencies(facts: Facts) -> Iterator[Conclusion]:
    """For every contender with other packages: the first figure that differs, explained by package."""
    for contender in facts.contenders:
        found = [(i, d) for i, d in enumerate(facts.report.dependencies) if d.contender == contender.id]
        if not found:
            continue
        explained = [c for metric in facts.report.metrics if (c := _explained(facts, contender, metric, found))]
        together = [c for metric in facts.report.metrics if (c := _together(facts, contender, metric, found))]
        yield (explained or together or [_listed(facts, contender, found)])[0]


def _explained(
    facts: Facts, contender: Variant, metric: MetricInfo, found: Sequence[tuple[int, Dependency]]
) -> Conclusion | None:
    """What the packages explain of one figure; None where it does not differ or no package holds a part of it."""
    compared = facts.relevant(contender.id, metric.key)
    if compared is None or not compared.delta or not _is_cost(metric):
        return None
    certainty: Certainty
    gap, rows = compared.delta, _rows(facts, metric.key, contender.id)
    size = _size(facts, contender, gap, metric)
    if found[0][1].alone:
        words = f"{found[0][1].words} is all that differs, so it explains {size}"
        used, certainty = found[:1], "measured"
        text = f"{words}{_places(found[0][1], rows, gap)}."
    else:
        parts = [(sum(r.delta for r in rows if _of(r, d)) / gap, i, d) for i, d in found]
        parts = sorted((p for p in parts if p[0] >= PACKAGE_FLOOR), key=lambda part: -part[0])[:MAX_PACKAGES]
        if not parts:
            return None
        used, certainty = [(i, d) for _, i, d in parts], "likely"
        named = [
            f"{d.words} explains {share(part)}{' of ' + size if n == 0 else ''}{_largest(d, rows, gap)}"
            for n, (part, _, d) in enumerate(parts)
        ]
        text = f"{listed(named)}."
    return _cause(contender, text, used, certainty)


def _together(
    facts: Facts, contender: Variant, metric: MetricInfo, found: Sequence[tuple[int, Dependency]]
) -> Conclusion | None:
    """One commit with several packages in other versions: what differs is theirs, though nothing says whose."""
    compared, before = facts.relevant(contender.id, metric.key), facts.baseline.commit
    one_commit = before is not None and contender.commit is not None and before.commit == contender.commit.commit
    if not one_commit or compared is None or not compared.delta or not _is_cost(metric):
        return None
    size = _size(facts, contender, compared.delta, metric)
    # What was asked for has two versions; a package that it brought has one.
    shown = sorted(found, key=lambda each: None in (each[1].before, each[1].after))[:MAX_LISTED]
    more = [f"{len(found) - MAX_LISTED} more packages"] if len(found) > MAX_LISTED else []
    text = f"{listed([*(d.words for _, d in shown), *more])} are all that differs, so together they explain {size}."
    return _cause(contender, text, shown, "measured")


def _size(facts: Facts, contender: Variant, gap: float, metric: MetricInfo) -> str:
    verb = "spends more than" if gap > 0 else "saves against"
    return f"the {amount(abs(gap), metric)} that {contender.label} {verb} {facts.baseline.label}"


def _cause(contender: Variant, text: str, used: Sequence[tuple[int, Dependency]], certainty: Certainty) -> Conclusion:
    return conclusion(
        "dependencies",
        contender.id,
        text,
        kind="cause",
        weight=weight("dependencies"),
        rows=[Evidence(path=f"dependencies.{i}.after", value=d.after) for i, d in used],
        certainty=certainty,
    )


def _is_cost(metric: MetricInfo) -> bool:
    return metric.unit in ("us", "instructions", "samples") or metric.instrument in ("counted", "sampled")


def _places(package: Dependency, rows: Sequence[_Changed], gap: float) -> str:
    """Where the difference is: functions of the package, and the largest one of all where it is not among them."""
    large = [r for r in rows if abs(r.delta) >= FUNCTION_FLOOR * abs(gap)]
    large.sort(key=lambda r: (-abs(r.delta), r.path))
    same = [r for r in large if r.delta * gap > 0]
    own = [r for r in same if _of(r, package)][:MAX_FUNCTIONS]
    others = [r for r in same if not _of(r, package)][:1]
    back = [r for r in large if r.delta * gap < 0 and _of(r, package)][:1]
    words = []
    if own:
        words.append(f"in its own {listed([r.words for r in own])}")
    if others and abs(others[0].delta) > sum(abs(r.delta) for r in own):
        most = "most of it " if own and others[0].delta / gap > MOST else ""
        words.insert(0, f"{most}in {others[0].words}, which uses it")
    text = f": {', and '.join(words)}" if words else ""
    return text + (f"; its own {back[0].words} costs {'more' if gap < 0 else 'less'}" if back else "")


def _largest(package: Dependency, rows: Sequence[_Changed], gap: float) -> str:
    """The function of a package with the largest part of what the package explains, in brackets."""
    own = [r for r in rows if _of(r, package)]
    found = max(own, key=lambda r: r.delta / gap, default=None)
    if found is None:
        return ""
    part = found.delta / sum(r.delta for r in own)
    most = "most of it" if part > MOST else f"{share(part)} of it"
    return f" ({most} in “{found.name}”{', ' + found.file if found.file else ''})"


def _rows(facts: Facts, key: str, contender: str) -> list[_Changed]:
    return [
        _Changed(row.function.name, row.function.file, (after.self or 0.0) - (before.self or 0.0), path)
        for row, path, before, after in facts.functions(key, contender)
    ]


def _of(row: _Changed, package: Dependency) -> bool:
    """Whether a function is of a package, by its file or by its name."""
    return bool(package.prefixes) and (row.file.startswith(package.prefixes) or row.name.startswith(package.prefixes))


def _listed(facts: Facts, contender: Variant, found: Sequence[tuple[int, Dependency]]) -> Conclusion:
    """The packages that differ, where no figure does, or none of it is in their functions."""
    shown = [d.words for _, d in found[:MAX_LISTED]]
    more = f" and {len(found) - MAX_LISTED} more" if len(found) > MAX_LISTED else ""
    text = f"{contender.label} has other packages than {facts.baseline.label}: {', '.join(shown)}{more}."
    evidence = [Evidence(path=f"dependencies.{i}.after", value=d.after) for i, d in found[:MAX_LISTED]]
    return conclusion(
        "dependencies", contender.id, text, kind="caution", weight=weight("dependencies/listed"), rows=evidence
    )
