"""Load generators: one file each, all giving one LoadResult."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from profpipe.load.registry import GENERATORS

if TYPE_CHECKING:
    from profpipe.load.interface import Cpus, Program
    from profpipe.model.run import LoadResult
    from profpipe.study.schema import LoadPlan

LOOK = 8
OWN = "command"
__all__ = ["GENERATORS", "Choice", "choice", "choose", "missing", "programs", "run", "warm_up"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which generator a plan gets, and why in words for the report."""

    name: str
    reason: str


def missing(name: str) -> str | None:
    """Why this generator cannot run here, with the install line; None when it can. UsageError: no such generator."""
    with GENERATORS.blaming(name):
        return GENERATORS.get(name).missing()


def programs() -> tuple[Program, ...]:
    """The outside programs of all generators, for the facts of a machine."""
    return tuple(program for _, generator in GENERATORS.parts() if (program := generator.PROGRAM) is not None)


def choose(plan: LoadPlan) -> str:
    """The name of the generator for this plan; see `choice`."""
    return choice(plan).name


def choice(plan: LoadPlan) -> Choice:
    """The generator for this plan and the reason.

    A named one that is missing raises ToolMissing, one that cannot do what the plan asks raises Refused. `auto` takes
    the first of the registry that has the plan's mode, is installed and can do it.
    """
    from profpipe.errors import Refused, ToolMissing

    if plan.command is not None:
        with GENERATORS.blaming(OWN):
            if why := GENERATORS.get(OWN).refuses(plan):
                raise Refused(f"load.command: {why}")
        return Choice(OWN, "the plan has a command of its own")
    if plan.generator != "auto":
        named = GENERATORS.get(plan.generator)
        with GENERATORS.blaming(plan.generator):
            absent, refused = named.missing(), named.refuses(plan)
        if absent:
            raise ToolMissing(absent)
        if refused:
            raise Refused(f"{plan.generator}: {refused}")
        return Choice(plan.generator, "named in the plan")
    passed_over: list[str] = []
    for name in GENERATORS.builtin:
        candidate = GENERATORS.get(name)
        if plan.mode not in candidate.MODES:
            continue
        reason = candidate.missing() or candidate.refuses(plan)
        if reason is None:
            best = f"the best for mode {plan.mode}"
            return Choice(name, f"{best} after {'; '.join(passed_over)}" if passed_over else best)
        passed_over.append(f"{name} ({reason})")
    raise Refused(f"no load generator can do this plan: {'; '.join(passed_over)}")


def run(name: str, plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """Load the server once and wait for the end, at most about plan.timeout seconds.

    The threads of the generator take `cpus` in turn, () = anywhere; its raw output goes to `folder`. A server that
    refuses, dies or answers nonsense is a result with errors; LoadError when the generator itself failed.
    """
    from profpipe.errors import Refused, ToolMissing

    generator = GENERATORS.get(name)
    if absent := generator.missing():
        raise ToolMissing(absent)
    if refused := generator.refuses(plan):
        raise Refused(f"{name}: {refused}")
    with GENERATORS.blaming(name):
        return generator.run(plan, host, port, cpus=cpus, folder=folder)


def warm_up(plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """plan.warmup requests by the built-in generator, so that every generator's window starts alike.

    With 0 nothing is sent and the result is empty, unless another generator is named: it needs to know how the server
    answers (`answers.miscounted`), by LOOK requests. A command of the plan's own warms up itself, in a run of its own
    with `{requests}` as warmup.
    """
    from profpipe.model.run import Histogram, LoadResult

    requests = plan.warmup or (0 if plan.generator in {"auto", "builtin"} else LOOK)
    if requests == 0:
        return LoadResult("builtin", "not run", (), "closed", "none", 0, 0, 0, 0.0, sent=0, latency=Histogram((), ()))
    if plan.command is not None:
        return run(OWN, plan.model_copy(update={"requests": requests}), host, port, cpus=cpus, folder=folder)
    warming = plan.model_copy(update={"generator": "builtin", "mode": "count", "requests": requests, "warmup": 0})
    return run("builtin", warming, host, port, cpus=cpus, folder=folder)
