"""The loads of a study: fitted to a target, and left out where their generator is not installed."""

from __future__ import annotations

from collections.abc import Mapping

from profpipe import load
from profpipe.capture.server.certificate import trust_of
from profpipe.capture.server.command import names_socket
from profpipe.errors import Refused, ToolMissing, UsageError
from profpipe.model.report import Limit
from profpipe.study import LoadPlan, Study, Target

NOT_MEASURED = "not measured"


def fit(plan: LoadPlan, target: Target, generator: str | None, update: Mapping[str, object] | None = None) -> LoadPlan:
    """A load plan for one target: its own request, and the generator that the command line asks for."""
    changes = dict(update or {})
    if generator is not None:
        changes["generator"] = generator
    plan = plan.model_copy(update=changes).reaching(trust_of(target), at_socket=names_socket(target))
    return plan if target.request is None else plan.asking(target.request)


def of_size(plan: LoadPlan, requests: int) -> LoadPlan:
    """The load with this many requests; one that lasts for a time stays as it is."""
    return plan.model_copy(update={"requests": requests}) if plan.mode == "count" else plan


def without_absent_loads(
    study: Study, study_id: str, targets: Mapping[str, Target], generator: str | None
) -> tuple[Study, tuple[Limit, ...]]:
    """The study without the extra loads whose generator is not installed, and a limit for each of them.

    Raises UsageError when the study's own load has no generator, or when a generator cannot do what a plan asks.
    """
    limits: list[Limit] = []
    gone: dict[str, object] = {}
    for key, plan in (("load", study.load), ("throughput", study.throughput), ("latency", study.latency)):
        absent = absent_generator(plan, f"study {study_id}, {key}", targets, generator)
        if absent is None:
            continue
        if key == "load":
            raise UsageError(f"study {study_id}, {key}: {absent}")
        gone[key] = None
        limits.append(Limit(profiler="clean", text=f"{key} {NOT_MEASURED}: {absent}"))
    return study.model_copy(update=gone), tuple(limits)


def absent_generator(
    plan: LoadPlan | None, where: str, targets: Mapping[str, Target], generator: str | None
) -> str | None:
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
