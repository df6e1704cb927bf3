"""A question about single metrics is measured by the instruments that count them, and by no other."""

from __future__ import annotations

from collections.abc import Sequence

from profpipe.capture import profiler
from profpipe.errors import UsageError
from profpipe.pipeline.gate.rules import gate_rule, instruments_asked, instruments_of, rules_of_study
from profpipe.study import Study


def only_for(study: Study, metric: str) -> Study:
    """The study with only the instruments that measure `metric`, a key or the last part of one.

    Raises UsageError when none does, before anything is built.
    """
    kinds = {name: profiler(study.tool(name)).kind for name in study.profilers}
    found = instruments_of(metric, kinds)
    if not found:
        raise UsageError(f"--metric {metric}: no instrument of this study measures it; it has {', '.join(kinds)}")
    return study.model_copy(update={"profilers": tuple(name for name in study.profilers if name in found)})


def only_for_gate(study: Study, fail_on: Sequence[str]) -> Study:
    """The study with only the instruments that the rules of `fail_on` and of its own gate ask about.

    All of them where a rule is of `cost` or of a category, which every instrument may know.
    """
    kinds = {name: profiler(study.tool(name)).kind for name in study.profilers}
    asked = instruments_asked(map(gate_rule, (*rules_of_study(study.gate), *fail_on)), kinds)
    return study.model_copy(update={"profilers": tuple(name for name in study.profilers if name in asked)})
