"""Which instruments of a study work here, on which variants, and what the report must say about the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from profpipe import load
from profpipe.capture import profiler
from profpipe.errors import Refused, ToolMissing, UsageError
from profpipe.study import LoadPlan, Study, Target

NOT_MEASURED = "not measured"
Limits = tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(slots=True)
class Instruments:
    """`usable` names in the study's order; `refused` = (variant, name) that are not measured; `limits` in words."""

    usable: list[str] = field(default_factory=list)
    refused: set[tuple[str, str]] = field(default_factory=set)
    said: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def refuse(self, name: str, variant: str, reason: str) -> None:
        self.refused.add((variant, name))
        self.say(name, f"{NOT_MEASURED}: {reason}", variant)

    def say(self, name: str, text: str, variant: str) -> None:
        self.said.setdefault((name, text), []).append(variant)

    @property
    def limits(self) -> Limits:
        return tuple((name, text, tuple(variants)) for (name, text), variants in self.said.items())


def fit(plan: LoadPlan, target: Target, generator: str | None, update: Mapping[str, object] | None = None) -> LoadPlan:
    """A load plan for one target: its own request, and the generator that the command line asks for."""
    changes = dict(update or {})
    if target.request is not None:
        changes["request"] = target.request
    if generator is not None:
        changes["generator"] = generator
    return plan.model_copy(update=changes)


def check_options(study: Study, study_id: str) -> None:
    """Before the first run: a misspelt option would otherwise be found when the instruments before it have run."""
    for name in study.profilers:
        try:
            profiler(study.tool(name)).check(study.use(name).options)
        except UsageError as error:
            where = "" if name == study.tool(name) else f", {name}"
            raise UsageError(f"study {study_id}{where}: {error}") from error


def without_absent_loads(
    study: Study, study_id: str, targets: Mapping[str, Target], generator: str | None
) -> tuple[Study, Limits]:
    """The study without the extra loads whose generator is not installed, and a limit for each of them.

    Raises UsageError when there is none for the study's own load, or when one cannot do what a plan asks.
    """
    limits: list[tuple[str, str, tuple[str, ...]]] = []
    gone: dict[str, object] = {}
    for key, plan in (("load", study.load), ("throughput", study.throughput), ("latency", study.latency)):
        absent = _absent(plan, f"study {study_id}, {key}", targets, generator)
        if absent is None:
            continue
        if key == "load":
            raise UsageError(f"study {study_id}, {key}: {absent}")
        gone[key] = None
        limits.append(("clean", f"{key} {NOT_MEASURED}: {absent}", ()))
    return study.model_copy(update=gone), tuple(limits)


def _absent(plan: LoadPlan | None, where: str, targets: Mapping[str, Target], generator: str | None) -> str | None:
    """What must be installed for this plan, or None. Raises UsageError where installing would not help."""
    if plan is None:
        return None
    for name, target in targets.items():
        try:
            load.choose(fit(plan, target, generator))
        except ToolMissing as error:
            return str(error)
        except Refused as error:
            raise UsageError(f"{where} of {name}: {error}") from error
    return None


def instruments(
    study: Study, study_id: str, targets: Mapping[str, Target], roots: Mapping[str, Path], generator: str | None
) -> Instruments:
    """What works here. A profiler or a generator that is missing is a limit of the report, never an error."""
    found = Instruments()
    for name in study.profilers:
        use, tool = study.use(name), profiler(study.tool(name))
        absent = _absent(use.load, f"study {study_id}, profiler.{name}.load", targets, generator)
        for variant, target in targets.items():
            if use.targets and variant not in use.targets:
                found.refused.add((variant, name))
                continue
            reason = tool.refuses(target) or tool.missing(target, roots[variant]) or absent
            if reason is not None:
                found.refuse(name, variant, reason)
                continue
            first = next(n for n in study.profilers if study.tool(n) == study.tool(name))
            for text in tool.limits(target) if name == first else ():
                found.say(name, text, variant)
        if any((variant, name) not in found.refused for variant in targets):
            found.usable.append(name)
    return found
