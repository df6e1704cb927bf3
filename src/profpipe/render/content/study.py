"""What was run: the study, its rounds, its conditions, the runs left out, and what the instruments cannot see."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.metric_keys import CLEAN
from profpipe.model.report import Report
from profpipe.model.trial import TrialRecord, TrialRow
from profpipe.render.content.variants import labels
from profpipe.render.text import amount, cut, limit_words

LOG_LINES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialText:
    """One variant under one instrument: how fast, and the load of its runs or why it has none."""

    variant: str
    profiler: str
    rate: str
    load: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyText:
    """`rounds` = how many and why no more; `rounds_rule` = how they were added, empty where their number was fixed.

    `trial` = one line on the trial that chose the loads, empty where the study sets them; `trial_rows` = what it found.
    """

    id: str
    question: str
    created: str
    version: str
    load: str
    placement: str
    rounds: str
    rounds_rule: str
    command: str
    left_out: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]
    trial: str
    trial_rows: tuple[TrialText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidText:
    """A run that was left out of every figure, with the end of its server's log."""

    variant: str
    where: str
    reason: str
    log: str


@dataclass(frozen=True, slots=True)
class LimitText:
    """What one profiler cannot see."""

    profiler: str
    texts: tuple[str, ...]


def study_text(report: Report) -> StudyText:
    study = report.study
    return StudyText(
        id=study.id,
        question=study.question,
        created=report.created.replace("T", " ")[:16],
        version=report.profpipe,
        load=study.load,
        placement=study.placement,
        rounds=rounds_words(report),
        rounds_rule="" if study.sequential is None else cut(study.sequential.rule, 1000),
        command=study.command,
        left_out=tuple((each.target, each.reason) for each in study.left_out),
        environment=tuple(report.environment.items()),
        trial="" if study.trial is None else trial_words(study.trial),
        trial_rows=() if study.trial is None else _trial_rows(report, study.trial),
    )


def trial_words(trial: TrialRecord) -> str:
    """ "a trial of 31 s chose the loads, for a study of about 160 s; its budget is 180 s"."""
    return (
        f"a trial of {trial.seconds:.0f} s chose the loads, for a study of about {trial.expected_s:.0f} s; "
        f"its budget is {trial.budget_s:.0f} s"
    )


def _trial_rows(report: Report, trial: TrialRecord) -> tuple[TrialText, ...]:
    who = labels(report)
    return tuple(
        TrialText(
            variant=who.get(row.variant, row.variant),
            profiler=row.profiler,
            rate=units.UNKNOWN if row.rate is None else amount(row.rate, "req/s"),
            load=_load_words(row),
        )
        for row in trial.rows
    )


def _load_words(row: TrialRow) -> str:
    if row.reason is not None:
        return f"not measured: {cut(row.reason, 1000)}"
    if row.requests is None or row.connections is None:
        return "set by the study"
    connections = "1 connection" if row.connections == 1 else f"{row.connections} connections"
    return f"{'1 request' if row.requests == 1 else f'{row.requests:,} requests'} a run over {connections}"


_STOPPED = {
    "stable": "stopped because the verdicts had settled",
    "max-rounds": "stopped because no more were allowed",
    "cut short": "the study was interrupted before its verdicts had settled",
    "budget": "stopped because the time allowed was used up",
}


def rounds_run(report: Report) -> dict[str, int]:
    """Profiler -> rounds that were run, whatever the study asked for; those of fewer rounds than others apart."""
    found: dict[str, int] = {}
    for run in report.runs:
        found[run.profiler] = max(found.get(run.profiler, 0), run.round)
    return found


def how_many_rounds(report: Report) -> str:
    """`7 rounds`, or `2 rounds of clean runs, 3 of callgrind` where instruments differ."""
    run = rounds_run(report) or {"": report.study.rounds}
    if len(set(run.values())) == 1:
        many = next(iter(run.values()))
        return "1 round" if many == 1 else f"{many} rounds"
    first, *rest = run.items()
    words = [f"{first[1]} {'round' if first[1] == 1 else 'rounds'} of {_runs_of(first[0])}"]
    return ", ".join([*words, *(f"{many} of {_runs_of(name)}" for name, many in rest)])


def _runs_of(profiler: str) -> str:
    return "clean runs" if profiler == CLEAN else profiler


def rounds_words(report: Report) -> str:
    """How many rounds, and, where they were added one look at a time, after which looks and why no more."""
    many = how_many_rounds(report)
    plain = many if many == "1 round" else f"{many}, each in fresh processes"
    added = report.study.sequential
    if added is None:
        return plain
    looks = ", ".join(str(look) for look in added.looks)
    most = f" (at most {max(added.planned)})" if added.planned else ""
    return f"{plain}{most}; verdicts checked after {looks or 'none'}; {_STOPPED[added.stopped]}"


def invalid_runs(report: Report) -> tuple[InvalidText, ...]:
    """In the order of the report."""
    who = labels(report)
    found = []
    for item in report.invalid:
        turn = "" if item.round is None else f", round {item.round}"
        found.append(
            InvalidText(
                variant=who.get(item.variant, item.variant),
                where=f"{item.profiler}{turn}, during {item.phase}",
                reason=cut(item.reason, 1000),
                log="\n".join(item.log_tail[-LOG_LINES:]),
            )
        )
    return tuple(found)


def limits(report: Report) -> tuple[LimitText, ...]:
    """By profiler, in the order of the report."""
    found: dict[str, list[str]] = {}
    for limit in report.limits:
        found.setdefault(limit.profiler, []).append(limit_words(report, limit))
    return tuple(LimitText(name, tuple(texts)) for name, texts in found.items())


def limits_of(report: Report, profiler: str) -> tuple[str, ...]:
    return tuple(limit_words(report, limit) for limit in report.limits if limit.profiler == profiler)
