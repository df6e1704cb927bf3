"""Whether the parts of a report fit together: what its schema cannot say, checked once, where report.json is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from profpipe.model.report import Calibration, Flame, Report
from profpipe.model.run import RunRecord
from profpipe.model.study import StudyRecord


def contradiction(report: Report) -> str | None:
    """The first place where the report contradicts itself, with what is wrong there; None when it fits together.

    Linear in the size of the report.
    """
    return next(_contradictions(report), None)


def calibration_contradiction(found: Calibration) -> str | None:
    """The same for a calibration on its own."""
    if found.comparisons < 1 or not 0 <= found.false_verdicts <= found.comparisons:
        return f"{found.false_verdicts} false verdicts of {found.comparisons} comparisons"
    return None


def study_contradiction(study: StudyRecord, runs: Iterable[RunRecord]) -> str | None:
    """The same for study.json and the run.json of its runs."""
    variants = {v.id for v in study.variants}
    found = [*_twice("variants", [v.id for v in study.variants]), *_unknown("baseline", [study.baseline], variants)]
    found += _unknown("commits", study.commits, variants)
    for run in runs:
        found += _unknown(f"run {run.order}: variant", [run.variant], variants)
        found += _unknown(f"run {run.order}: profiler", [run.profiler], set(study.kinds))
        if run.load is not None and run.load.latency is not None:
            values, counts = run.load.latency.values_us, run.load.latency.counts
            if len(values) != len(counts):
                found.append(f"run {run.order}: {len(values)} latencies with {len(counts)} counts")
    return next(iter(found), None)


def _contradictions(report: Report) -> Iterator[str]:
    variants, metrics = {v.id for v in report.variants}, {m.key for m in report.metrics}
    categories = {c.key for c in report.categories}
    yield from _twice("variants", [v.id for v in report.variants])
    yield from _twice("metrics", [m.key for m in report.metrics])
    yield from _twice("categories", [c.key for c in report.categories])
    yield from _unknown("study.baseline", [report.study.baseline], variants)
    yield from _unknown("study.contenders", report.study.contenders, variants)
    for role in ("baseline", "control"):
        if (many := sum(v.role == role for v in report.variants)) > 1:
            yield f"variants: {many} of them are the {role}"
    for number, table in enumerate(report.hotspots):
        here = f"hotspots.{number}"
        yield from _unknown(f"{here}.metric", [table.metric], metrics)
        yield from _unknown(f"{here}.total", table.total, variants)
        yield from _unknown(f"{here}.rows", [row.category for row in table.rows], categories)
        yield from _twice(f"{here}.rows", [row.category for row in table.rows])
        for row in table.rows:
            yield from _unknown(f"{here}.rows.{row.category}", row.cells, variants)
            for function in row.functions:
                yield from _unknown(f"{here}.rows.{row.category}.{function.id}", function.cells, variants)
        yield from _twice(f"{here}.libraries", [f"{row.origin}:{row.library}" for row in table.libraries])
        for part in table.libraries:
            yield from _unknown(f"{here}.libraries.{part.library}", part.cells, variants)
    for number, waterfall in enumerate(report.waterfall):
        yield from _unknown(f"waterfall.{number}.metric", [waterfall.metric], metrics)
    for number, cause in enumerate(report.causes):
        yield from _unknown(f"causes.{number}.contender", [cause.contender], variants)
        places = [("entry", cause.entry), *([] if cause.own is None else [("own", cause.own)])]
        for name, place in places:
            if not 0 <= place < len(cause.steps):
                yield f"causes.{number}.{name}: {place} of {len(cause.steps)} steps"
    for number, listing in enumerate(report.classic):
        yield from _unknown(f"classic.{number}", [listing.variant], variants)
    for number, flame in enumerate(report.flames):
        yield from _unknown(f"flames.{number}.metric", [flame.metric], metrics)
        yield from _unknown(f"flames.{number}.variant", [flame.variant], variants)
        yield from (f"flames.{number}: {text}" for text in _flame(flame))
    if report.calibration is not None and (why := calibration_contradiction(report.calibration)) is not None:
        yield f"calibration: {why}"


def _flame(flame: Flame) -> Iterator[str]:
    if len(flame.names) != len(flame.name_kind):
        yield f"{len(flame.names)} names with {len(flame.name_kind)} kinds"
    if not len(flame.function) == len(flame.depth) == len(flame.own):
        yield f"{len(flame.function)} nodes with {len(flame.depth)} depths and {len(flame.own)} values"
    if flame.function and not 0 <= min(flame.function) <= max(flame.function) < len(flame.names):
        yield f"a node without a name: there are {len(flame.names)} names"
    before = -1
    for depth in flame.depth:
        if not 0 <= depth <= before + 1:
            yield f"a node of depth {depth} below one of depth {before}"
            return
        before = depth


def _twice(where: str, keys: Sequence[str]) -> Iterator[str]:
    if len(set(keys)) < len(keys):
        seen: set[str] = set()
        yield f"{where}: {next(k for k in keys if k in seen or seen.add(k))!r} twice"  # type: ignore[func-returns-value]


def _unknown(where: str, keys: Iterable[str], known: set[str]) -> Iterator[str]:
    missing = next((key for key in keys if key not in known), None)
    if missing is not None:
        yield f"{where}: {missing!r} is not among the others"
