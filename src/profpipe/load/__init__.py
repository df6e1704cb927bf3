"""Load generators: one file each, all giving one LoadResult.

Built-ins are the modules named in GENERATORS; others come by entry points of the group `profpipe.loads`, each an
object with the functions of `generators.Generator`, loaded only when named.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from profpipe.load.generators import Cpus, Generator
    from profpipe.model.run import LoadResult
    from profpipe.study.schema import LoadPlan

GENERATORS: tuple[str, ...] = ("builtin", "wrk", "h2load")
# What `auto` tries for a mode, best first. count: h2load logs every request and costs the server's processor least;
# rate: only the built-in generator counts from the intended start; closed: wrk is the fastest, as in the seed.
PREFERRED = {"count": ("h2load", "builtin"), "rate": ("builtin",), "closed": ("wrk", "h2load", "builtin")}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which generator a plan gets, and why in words for the report."""

    name: str
    reason: str


def missing(name: str) -> str | None:
    """Why this generator cannot run here, with the install line; None when it can. UsageError: no such generator."""
    return _generator(name).missing()


def choose(plan: LoadPlan) -> str:
    """The name of the generator for this plan; see `choice`."""
    return choice(plan).name


def choice(plan: LoadPlan) -> Choice:
    """The generator for this plan and the reason. A named one that is missing raises ToolMissing, one that cannot do
    what the plan asks raises Refused; `auto` takes the first of PREFERRED that is there and can."""
    from profpipe.errors import Refused, ToolMissing

    if plan.generator != "auto":
        named = _generator(plan.generator)
        if absent := named.missing():
            raise ToolMissing(absent)
        if refused := named.refuses(plan):
            raise Refused(f"{plan.generator}: {refused}")
        return Choice(plan.generator, "named in the plan")
    passed_over: list[str] = []
    for name in PREFERRED[plan.mode]:
        candidate = _generator(name)
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

    generator = _generator(name)
    if absent := generator.missing():
        raise ToolMissing(absent)
    if refused := generator.refuses(plan):
        raise Refused(f"{name}: {refused}")
    return generator.run(plan, host, port, cpus=cpus, folder=folder)


def warm_up(plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """plan.warmup requests by the built-in generator, so that every generator's window starts alike; 0 = nothing
    is sent and the result is empty."""
    from profpipe.model.run import Histogram, LoadResult

    if plan.warmup == 0:
        return LoadResult("builtin", "not run", (), "closed", "none", 0, 0, 0, 0.0, sent=0, latency=Histogram((), ()))
    warming = plan.model_copy(update={"generator": "builtin", "mode": "count", "requests": plan.warmup})
    return run("builtin", warming, host, port, cpus=cpus, folder=folder)


def _generator(name: str) -> Generator:
    from importlib import import_module
    from importlib.metadata import entry_points

    from profpipe.errors import UsageError

    if name in GENERATORS:
        return cast("Generator", import_module(f"profpipe.load.{name}"))
    for entry in entry_points(group="profpipe.loads", name=name):
        return cast("Generator", entry.load())
    raise UsageError(f"no load generator {name!r}: use auto, {', '.join(GENERATORS)}, or install one that adds it")
