"""One rule of a gate: its syntax, and whether a study can answer it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from profpipe.errors import UsageError
from profpipe.model.metric_keys import EVERY
from profpipe.units import Instrument

FORM = "regression[:METRIC or CATEGORY][:PERCENT%], for example regression:5% or regression:instructions:1%"
# What a rule without a metric means: CPU time, instructions, memory and latency, and nothing that is traced.
COST = "cost"
# What captures of each kind of instrument can count. The events after `sys_cpu_ns` are callgrind's own (its manual,
# "Cycle Estimation" and the options --cache-sim, --branch-sim, --collect-systime).
COUNTS: Mapping[Instrument, tuple[str, ...]] = {
    "clean": tuple(figure.key.rpartition(":")[2] for figure in EVERY if figure.judged),
    "counted": (
        "instructions", "syscalls", "sys_cpu_ns", "sys_time_ns", "dr", "dw", "i1mr", "d1mr", "d1mw", "ilmr", "dlmr",
        "dlmw", "bc", "bcm", "bi", "bim", "ge",
    ),
    "sampled": ("samples", "cpu_ns", "wall_ns", "instructions", "cycles"),
    "traced": ("calls", "cpu_ns", "wall_ns", "time_ns"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateRule:
    """One rule. `where` = a metric, its last part, or a category; None = the preset `cost`.

    `limit` is relative: 0.05 lets a regression of less than 5 % pass.
    """

    text: str
    where: str | None
    limit: float


def gate_rule(text: str) -> GateRule:
    """Read one rule. Raises UsageError that shows the form."""
    kind, _, rest = text.partition(":")
    if kind != "regression":
        raise UsageError(f"--fail-on {text}: expected {FORM}")
    found = re.fullmatch(r"(?:(?P<where>.*?[^:]))??(?:(?:^|:)(?P<limit>\d+(?:\.\d+)?)\s*%)?", rest)
    if found is None or (rest.endswith("%") and found["limit"] is None):
        raise UsageError(f"--fail-on {text}: expected {FORM}")
    where = None if found["where"] == COST else found["where"] or None
    return GateRule(text, where, float(found["limit"] or 0) / 100)


def rules_of_study(limits: Mapping[str, str]) -> tuple[str, ...]:
    """The rules of a [study.NAME.gate] table, which has a limit for each name, as --fail-on has them."""
    return tuple(f"regression:{name}:{limit.replace(' ', '')}" for name, limit in limits.items())


def metric_names(key: str) -> tuple[str, str]:
    """A metric is named by its key, `callgrind:instructions`, or by the last part of it."""
    return key, key.rpartition(":")[2]


def is_metric(name: str) -> bool:
    """Whether a name is one of a metric, with or without its instrument, and not of a category."""
    return any(metric_names(name)[1] in counts for counts in COUNTS.values())


def instruments_of(metric: str, kinds: Mapping[str, Instrument]) -> tuple[str, ...]:
    """The instruments that measure a metric, named by its key or by the last part of it."""
    return tuple(name for name, kind in kinds.items() if metric in set(_names(name, kind)))


def instruments_asked(rules: Iterable[GateRule], kinds: Mapping[str, Instrument]) -> frozenset[str]:
    """The instruments that a gate asks about: all where there are no rules, or one is of `cost` or of a category."""
    asked = [instruments_of(rule.where, kinds) if rule.where is not None else () for rule in rules]
    if not asked or not all(asked):
        return frozenset(kinds)
    return frozenset(name for names in asked for name in names)


def check_rules(rules: Sequence[GateRule], kinds: Mapping[str, Instrument], categories: Iterable[str]) -> None:
    """Refuse a rule that no report of these instruments could answer.

    `kinds` = name of an instrument -> its kind. Raises UsageError with the nearest name, or with the instrument that
    is missing. A category without any cost is 0, which is an answer.
    """
    here = {name for instrument, kind in kinds.items() for name in _names(instrument, kind)}
    allowed = here | set(categories)
    for rule in rules:
        where = rule.where
        if where is None or where in allowed:
            continue
        if is_metric(where) and where.rpartition(":")[0] not in kinds:
            raise UsageError(
                f"gate {rule.text}: no instrument of this study measures {where}; it has {', '.join(kinds) or 'none'}"
            )
        near = difflib.get_close_matches(where, sorted(allowed), n=1)
        short = sorted(name for name in here if ":" not in name)
        hint = f"; did you mean {near[0]}?" if near else f"; metrics: {', '.join(short)}"
        raise UsageError(f"gate {rule.text}: {where} is neither a metric of this study nor a category{hint}")


def _names(instrument: str, kind: Instrument) -> Iterator[str]:
    for count in COUNTS[kind]:
        yield from metric_names(f"{instrument}:{count}")
