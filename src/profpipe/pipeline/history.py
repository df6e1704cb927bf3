"""The history of reports: enters a report, answers questions about trends, merges histories of several machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe.errors import UsageError
from profpipe.model.history import FunctionChoice, Trend
from profpipe.model.report import Report
from profpipe.pipeline.behind_change import explained
from profpipe.store.history.folder import FOLDER, write_entry
from profpipe.store.history.merge import Machine, Merge, carry_out, plan_merge
from profpipe.store.history.parquet import in_utf8
from profpipe.store.history.rows import report_id, report_rows
from profpipe.store.history.trends import History, Narrow, Sample, open_history

SHOWN_CHOICES = 20
Narrowed = Narrow


@dataclass(frozen=True, slots=True)
class FoundTrends:
    """The name of what was asked for, its trends, and the unusable files as (path, what is wrong)."""

    what: str
    trends: tuple[Trend, ...]
    damaged: tuple[tuple[Path, str], ...]


def record(
    report: Report, reports: Path, path: Path | None = None, targets: Mapping[str, str] | None = None
) -> Path | None:
    """Enter a finished report into `reports`/history, in place of an earlier version of it. None without any figure.

    `path` = its report.json; `targets` = variant -> target where variants stand for commits of one target, so that
    the target's series continues from report to report. Raises StoreError.
    """
    below = path.absolute().is_relative_to(reports.absolute()) if path is not None else False
    relative = path.absolute().relative_to(reports.absolute()).as_posix() if path is not None and below else None
    rows = report_rows(report, relative, targets)
    return write_entry(reports / FOLDER, report_id(report), rows) if rows else None


def overview(reports: Path, narrow: Narrow) -> FoundTrends:
    """The trends of every metric, without a search for changes."""
    with open_history(reports / FOLDER) as history:
        trends = _trends(history.figures(narrow))
        return FoundTrends("", trends, history.damaged)


def ask(reports: Path, what: str, narrow: Narrow) -> FoundTrends:
    """The trends of a metric or function, named by key or id or by a part of its name.

    Raises UsageError when there is none, or with the choices when the name is ambiguous.
    """
    with open_history(reports / FOLDER) as history:
        found = _find(history, what, reports)
        if isinstance(found, FunctionChoice):
            samples, name = history.function(found, narrow), found.function.name
        else:
            samples, name = history.figures(replace(narrow, metric=found)), history.metrics()[found]
        if not samples:
            raise UsageError(f"no report has {name} with these options; `profpipe history` lists its contents")
        trends = tuple(explained(with_changes(trend), history, Path.cwd()) for trend in _trends(samples))
        return FoundTrends(name, trends, history.damaged)


def merge(folders: Sequence[Path], reports: Path, *, machines: bool) -> Merge:
    """Merge histories into `reports`/history. Raises StoreError when a file is damaged, and UsageError.

    In both cases nothing is written. Reports of several machines need `machines`; each machine keeps its own series.
    """
    with ExitStack() as stack:
        readable = [stack.enter_context(in_utf8(folder)) for folder in folders]
        planned = plan_merge(readable, stack.enter_context(in_utf8(reports / FOLDER)))
        if len(planned.machines) > 1 and not machines:
            names = "\n  ".join(f"{machine_words(m)}" for m in planned.machines)
            raise UsageError(
                f"nothing was merged, because these are reports of {len(planned.machines)} machines:\n  {names}\n"
                "Use --machines to keep them in one history; each machine has its own series there."
            )
        carry_out(planned)
        return planned


def machine_words(machine: Machine) -> str:
    return f"{machine.key} ({machine.text}): {machine.entries} {'report' if machine.entries == 1 else 'reports'}"


def with_changes(trend: Trend) -> Trend:
    """The trend with its change points."""
    from profpipe.analyse.statistics.change_points import change_points, floor_of

    known = [index for index, point in enumerate(trend.points) if point.value is not None]
    values = [point.value for point in trend.points if point.value is not None]
    found = change_points(values, floor=floor_of(trend.quantity.exact))
    return replace(trend, changes=tuple(replace(change, index=known[change.index]) for change in found))


def _trends(samples: Iterable[Sample]) -> tuple[Trend, ...]:
    """One trend per series, its points ordered by the time of their commits, labelled as in the newest one."""
    series: dict[object, list[Sample]] = {}
    for sample in samples:
        series.setdefault(sample.key, []).append(sample)
    found = []
    for group in series.values():
        group = _in_order(group)
        last = group[-1]
        found.append(
            Trend(last.key, last.label, last.machine_text, last.quantity, tuple(sample.point for sample in group))
        )
    return tuple(sorted(found, key=lambda t: (t.key.study, t.key.metric, t.key.variant, t.key.machine)))


def _in_order(group: list[Sample]) -> list[Sample]:
    """By the time of the commits, except that a commit never stands before one that it descends from.

    A clock that was wrong and a rebase within one second leave times that say otherwise. Reports without a commit, and
    of commits that this clone does not have, stay where their time puts them.
    """
    from profpipe.commits.ancestry import by_ancestry

    group = sorted(group, key=lambda sample: sample.point.when)
    place = by_ancestry(Path.cwd(), [s.point.commit for s in group if s.point.commit is not None])
    known = [sample for sample in group if sample.point.commit in place]
    known.sort(key=lambda sample: (place[sample.point.commit or ""], sample.point.when[1]))
    rest = iter(known)
    return [next(rest) if sample.point.commit in place else sample for sample in group]


def _find(history: History, what: str, reports: Path) -> str | FunctionChoice:
    """The metric's key or the function. An exact key, id, label or name takes precedence over a part of one."""
    metrics = history.metrics()
    if what in metrics:
        return what
    low = what.lower()
    parts = [key for key, label in metrics.items() if low in key.lower() or low in label.lower()]
    functions = history.functions(what)
    exact: list[str | FunctionChoice] = [key for key in parts if metrics[key].lower() == low]
    exact += [choice for choice in functions if what in (choice.id, choice.function.name)]
    found: list[str | FunctionChoice] = exact if len(exact) == 1 else [*parts, *functions]
    if len(found) == 1:
        return found[0]
    if not found:
        where = "has no metric or function" if history.entries else "is empty (`profpipe run` writes it): no"
        raise UsageError(f"the history in {reports / FOLDER} {where} {what!r}")
    shown = "\n  ".join(_choice(choice, metrics) for choice in found[:SHOWN_CHOICES])
    more = f"\n  and {len(found) - SHOWN_CHOICES:,} more" if len(found) > SHOWN_CHOICES else ""
    raise UsageError(
        f"{what!r} is ambiguous ({len(found):,} matches); use the first word of one of these lines:\n  {shown}{more}"
    )


def _choice(choice: str | FunctionChoice, metrics: Mapping[str, str]) -> str:
    from profpipe.characters import visible

    if isinstance(choice, str):
        return f"{visible(choice)}  {visible(metrics[choice])}"
    place = choice.function.file or choice.function.object
    return f"{visible(choice.id)}  {visible(choice.function.name, limit=100)}{f'  {visible(place)}' if place else ''}"
