"""A question about one metric is measured by the instruments that count it, and by no other."""

from __future__ import annotations

from profpipe.capture import profiler
from profpipe.errors import UsageError
from profpipe.pipeline.gate.rules import instruments_of
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
