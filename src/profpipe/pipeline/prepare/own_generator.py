"""A study whose load is a program of the user's own, where it runs."""

from __future__ import annotations

from dataclasses import replace

from profpipe.pipeline.prepare.places import CHECKOUT
from profpipe.pipeline.prepare.prepared import Variants
from profpipe.study import LoadPlan, Study, Target


def with_own_generator(study: Study, variants: Variants) -> tuple[Study, Variants]:
    """{checkout} of every load's command filled in, and targets that are ready when they accept a connection.

    The server need not speak HTTP, so that it is not asked for a page unless the study file says so.
    """
    root = str(variants.roots[variants.baseline])
    plans = {key: _at_home(getattr(study, key), root) for key in ("load", "throughput", "latency")}
    uses = {name: use.model_copy(update={"load": _at_home(use.load, root)}) for name, use in study.profiler.items()}
    return study.model_copy(update={**plans, "profiler": uses}), ready_by_connection(variants)


def ready_by_connection(variants: Variants) -> Variants:
    """Targets that are ready when they accept a connection, unless the study file says when they are."""
    targets = {name: _ready_by_connection(target) for name, target in variants.targets.items()}
    return replace(variants, targets=targets)


def _at_home(plan: LoadPlan | None, root: str) -> LoadPlan | None:
    if plan is None or plan.command is None:
        return plan
    command = tuple(argument.replace(CHECKOUT, root) for argument in plan.command)
    return plan.model_copy(update={"command": command})


def _ready_by_connection(target: Target) -> Target:
    if target.ready.http is not None or target.ready.line is not None:
        return target
    return target.model_copy(update={"ready": target.ready.model_copy(update={"tcp": True})})
