"""Which instruments of a study work here, on which variants, and what the report says about the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from profpipe.capture import PROFILERS, profiler
from profpipe.errors import PartFailed, UsageError
from profpipe.model.report import Limit
from profpipe.pipeline.prepare.load_plans import NOT_MEASURED, absent_generator
from profpipe.pipeline.prepare.request_limits import beyond_limit, requests_asked
from profpipe.study import Study, Target


@dataclass(slots=True)
class Instruments:
    """`usable` names in the study's order; `refused` = (variant, name) that are not measured.

    `texts` = what the report says of an instrument, with the variants that it is true of.
    """

    usable: list[str] = field(default_factory=list)
    refused: set[tuple[str, str]] = field(default_factory=set)
    texts: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def refuse(self, name: str, variant: str, reason: str) -> None:
        self.refused.add((variant, name))
        self.add_limit(name, f"{NOT_MEASURED}: {reason}", variant)

    def add_limit(self, name: str, text: str, variant: str) -> None:
        self.texts.setdefault((name, text), []).append(variant)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(
            Limit(profiler=name, text=text, variants=tuple(variants)) for (name, text), variants in self.texts.items()
        )


def check_options(study: Study, study_id: str) -> None:
    """Check the options of every instrument, so that a misspelt one is found before the first run.

    Raises UsageError.
    """
    for name in study.profilers:
        try:
            with PROFILERS.blaming(study.tool(name)):
                profiler(study.tool(name)).check(study.use(name).options)
        except UsageError as error:
            where = "" if name == study.tool(name) else f", {name}"
            raise UsageError(f"study {study_id}{where}: {error}") from error


def instruments(
    study: Study, study_id: str, targets: Mapping[str, Target], roots: Mapping[str, Path], generator: str | None
) -> Instruments:
    """What works here. A profiler or generator that is missing is a limit of the report, not an error."""
    found = Instruments()
    for name in study.profilers:
        use, tool = study.use(name), profiler(study.tool(name))
        absent = absent_generator(use.load, f"study {study_id}, profiler.{name}.load", targets, generator)
        for variant, target in targets.items():
            if use.targets and variant not in use.targets:
                found.refused.add((variant, name))
                continue
            try:
                with PROFILERS.blaming(study.tool(name)):
                    reason = tool.refuses(target) or tool.missing(target, roots[variant]) or absent
                    reason = reason or beyond_limit(target, tool.kind, requests_asked(study, name) or 0)
                    texts = () if reason else tool.limits(target)
            except PartFailed as error:
                reason, texts = str(error), ()
            if reason is not None:
                found.refuse(name, variant, reason)
                continue
            first = next(n for n in study.profilers if study.tool(n) == study.tool(name))
            for text in texts if name == first else ():
                found.add_limit(name, text, variant)
        if any((variant, name) not in found.refused for variant in targets):
            found.usable.append(name)
    return found
