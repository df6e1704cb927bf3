"""What decides about an untrusted report: rules, rounds and accepted regressions of the target branch, not its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from profpipe.analyse.statistics.starts_rule import RESOLUTION
from profpipe.errors import ConfigError, ReportError
from profpipe.model.accepted import Accepted
from profpipe.model.metric_keys import CLEAN, FIRST
from profpipe.model.report import Gate, Report, Series, Variant
from profpipe.pipeline.gate.accepted_file import accepted_here
from profpipe.pipeline.gate.judge import gate
from profpipe.pipeline.gate.rules import GateRule, check_rules, gate_rule, metric_names, rules_of_study
from profpipe.units import Instrument

# As in `compare`: with more rounds lost the rest is a selection.
ENOUGH = 2 / 3


@dataclass(frozen=True, slots=True)
class TargetBranch:
    """`rounds` and `kinds` by instrument, empty where the target branch has no study file that names the study."""

    rules: tuple[GateRule, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    rounds: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, Instrument] = field(default_factory=dict)
    resolution: float = RESOLUTION

    @property
    def first_look(self) -> int | None:
        """The rounds of the first look, which decide the level of each."""
        return self.rounds.get(CLEAN) or max(self.rounds.values(), default=None)


def target_branch(study_id: str, fail_on: Sequence[str], config: Path | None, here: Path) -> TargetBranch:
    """The rules for a study: of the study file in `here`, which is a checkout of the target branch, and `fail_on`.

    Raises ReportError when that file does not have the study, ConfigError and UsageError for mistakes in either.
    """
    from profpipe.analyse.names.categories import categories
    from profpipe.capture import profiler
    from profpipe.pipeline.setup import read_file
    from profpipe.study.find import find_study_file

    asked = tuple(gate_rule(text) for text in fail_on)
    try:
        path = find_study_file(here, config)
    except ConfigError:
        if config is not None:
            raise
        return TargetBranch(asked)
    loaded = read_file(path)
    name = study_id.removeprefix("diff-")
    study = loaded.file.study.get(name)
    if study is None:
        raise ReportError(f"it is of a study that {path.name} of the target branch does not have: nothing is posted")
    kinds = {n: profiler(study.tool(n)).kind for n in study.profilers}
    rules = tuple(dict.fromkeys((*map(gate_rule, rules_of_study(study.gate)), *asked)))
    known = {c.key for c in categories().categories} | {rule.category for rule in loaded.file.category}
    check_rules(rules, kinds, known)
    return TargetBranch(
        rules=rules,
        accepted=accepted_here(path.parent, path.parent, name),
        rounds={n: study.use(n).rounds or study.rounds for n in study.profilers},
        kinds=kinds,
        resolution=study.resolution,
    )


def gate_again(report: Report, target: TargetBranch) -> Gate | None:
    """The gate of an untrusted report by the target branch's rules; None when it has none.

    `undecided` names everything that keeps the report from being a pass, figures that are missing among it.
    """
    if not target.rules:
        return None
    found = gate(report, target.rules, target.accepted)
    # Only what a pass rests on: memory that these rounds could not decide is in the table.
    return found.model_copy(update={"undecided": tuple(dict.fromkeys(_open(report, target)))})


def _open(report: Report, target: TargetBranch) -> Iterator[str]:
    for contender in (v for v in report.variants if v.role == "contender"):
        for rule in target.rules:
            yield from _open_rule(report, contender, rule, target)
        if contender.commit is None or contender.commit.dirty:
            yield f"{contender.label}: the report does not name the commit that was measured"
    yield from _too_few(report, target)


def _open_rule(report: Report, contender: Variant, rule: GateRule, target: TargetBranch) -> Iterator[str]:
    against = contender.against_baseline
    decided = {key for key, found in against.items() if found.verdict != "cannot tell"}
    if rule.where is None:
        counted = [n for n, kind in target.kinds.items() if kind == "counted"]
        if (CLEAN in target.kinds or not target.kinds) and not decided & set(FIRST):
            yield f"{contender.label}: CPU time is undecided"
        for name in counted:
            if f"{name}:instructions" not in decided:
                yield f"{contender.label}: instructions by {name} are undecided"
        return
    asked = [key for key in against if rule.where in metric_names(key)]
    if asked and not set(asked) <= decided:
        yield f"{contender.label}: {rule.where} is undecided"
    if asked:
        return
    rows = [row for table in report.hotspots for row in table.rows if row.category == rule.where]
    if not report.hotspots or not any(c.key == rule.where for c in report.categories):
        yield f"{contender.label}: the report has no {rule.where}"
    for cell in (row.cells.get(contender.id) for row in rows):
        if cell is not None and cell.ratio is not None and cell.ratio - 1 >= rule.limit and cell.verdict != "worse":
            yield f"{contender.label}: {rule.where} costs more, with the verdict that the pull request reports"


def _too_few(report: Report, target: TargetBranch) -> Iterator[str]:
    """Figures with fewer rounds than the target branch's study begins with."""
    for variant in report.variants:
        for key, figure in variant.figures.items() if variant.role != "control" else ():
            wanted = target.rounds.get(key.rpartition(":")[0], 0)
            if figure.median is not None and _rounds(figure) < ENOUGH * wanted and _rests_on(key):
                yield f"{variant.label}: {_rounds(figure)} rounds of {key}, where the study has {wanted}"


def _rests_on(key: str) -> bool:
    """Whether a pass rests on this figure. Others have fewer rounds by design, latency among them."""
    return key in FIRST or metric_names(key)[1] == "instructions"


def _rounds(figure: Series) -> int:
    return sum(value is not None for value in figure.values)
