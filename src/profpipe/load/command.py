"""The user's own load generator: any program, told the server's address, whose count of operations is read."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profpipe.errors import LoadError
from profpipe.load.doubts import with_doubts
from profpipe.load.interface import Cpus
from profpipe.load.plan import address, url
from profpipe.load.pointer import at_pointer
from profpipe.load.process import OUTPUT_LIMIT, Ended, client_bound, cut_short, processors, run_child, tail
from profpipe.load.results import RESULTS, read_text
from profpipe.model.run import LoadResult
from profpipe.study.schema import asks_for
from profpipe.units import UNKNOWN

if TYPE_CHECKING:
    from profpipe.study.schema import LoadPlan

NAME = "command"
MODES: frozenset[str] = frozenset()  # never by itself: a plan with a command gets it
PROGRAM = None
GRACE_S = 2.0  # beyond the timeout of the plan


def missing() -> str | None:
    """Nothing of ours is needed; a program that is not there fails its own run."""
    return None


def refuses(plan: LoadPlan) -> str | None:
    """Why it cannot do what this plan asks; None when it can."""
    if plan.command is None:
        return "it needs the program to run: set load.command"
    if plan.at_socket != asks_for(plan, "socket"):
        where = "listens at a unix socket: tell the command {socket}"
        return f"the server {where if plan.at_socket else 'has no unix socket: use {port} in place of {socket}'}"
    program = plan.command[0]
    if "{" not in program and shutil.which(program) is None:
        return f"there is no program {program}: install it, or give its path as {{checkout}}/..."
    if plan.count.result not in {"", "auto", *RESULTS.known_names()}:
        known = ", ".join(RESULTS.names())
        return f"count.result: no reader for {plan.count.result!r}; there are: auto, {known}"
    return None


def run(plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """Run the program once and read its count.

    LoadError when it cannot be started, prints no count that can be read, or does not end in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "result"
    out.unlink(missing_ok=True)
    command = filled(plan, host, port, out)
    name = Path(command[0]).name
    ended = run_child(
        command, cpus=cpus, threads=plan.threads, timeout=plan.timeout + GRACE_S, folder=folder, name=NAME
    )
    if ended.timed_out:
        raise LoadError(f"{name} did not end within {plan.timeout:g} s and was killed; raise load.timeout")
    try:
        found = _counted(plan, ended, _written(plan, out))
    except LoadError as error:
        failed = f"{name} failed with exit code {ended.code}: {tail(ended.stderr or ended.stdout)}"
        raise LoadError(failed if ended.code else f"{name}: {error}") from error
    found = replace(
        found,
        command=ended.command,
        connections=plan.connections if asks_for(plan, "connections") else found.connections,
        client_cpu_s=ended.cpu_s,
        incomplete=cut_short(ended, plan, plan.duration),
        output=ended.stdout[-OUTPUT_LIMIT:],
        unit=plan.unit or "operation",
    )
    bound = client_bound(ended.cpu_s, ended.seconds, processors(cpus, plan.threads))
    return with_doubts(found, (*ended.doubts, *([bound] if bound and found.served else [])))


def filled(plan: LoadPlan, host: str, port: int, out: Path) -> list[str]:
    """The command with its placeholders filled in; `out` = the file it may write its result to."""
    names = {
        "host": host,
        "port": str(port),
        "socket": host,
        "address": address(host, port),
        "url": url(plan, host, port),
        "requests": str(plan.requests),
        "connections": str(plan.connections),
        "threads": str(plan.threads),
        "rate": f"{plan.rate or 0:g}",
        "duration": f"{plan.duration:g}",
        "out": str(out),
        "python": sys.executable,
    }
    return [_fill(argument, names) for argument in plan.command or ()]


def _fill(argument: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        argument = argument.replace(f"{{{name}}}", value)
    return argument


def _written(plan: LoadPlan, out: Path) -> str | None:
    """What the program wrote to {out}; None where its command has none."""
    if not asks_for(plan, "out"):
        return None
    if not out.exists():
        raise LoadError("it wrote nothing to {out}")
    return out.read_text(encoding="utf-8", errors="replace")


def _counted(plan: LoadPlan, ended: Ended, written: str | None) -> LoadResult:
    """The result by the plan's rule. LoadError says what was expected of the output."""
    rule = plan.count
    text = ended.stdout if written is None else written
    if rule.result:
        return read_text(text, None if rule.result == "auto" else rule.result)
    if rule.pattern is not None:
        output = text if written is not None else ended.stdout + ended.stderr
        served, failed = _by_pattern(rule.pattern, output), _by_pattern(rule.failed, output) if rule.failed else 0
    elif rule.pointer is not None:
        body = _json(text)
        served, failed = _at(rule.pointer, body), _at(rule.failed, body) if rule.failed else 0
    else:
        served, failed = (plan.requests, 0) if ended.code == 0 else (0, plan.requests)
    return LoadResult(
        tool=Path(ended.command[0]).name,
        version=UNKNOWN,
        command=ended.command,
        loop=None,
        correction=None,
        connections=None,
        threads=None,
        served=served,
        seconds=ended.seconds,
        failed=failed,
        errors={"failed": failed} if failed else {},
    )


def _by_pattern(pattern: str, text: str) -> int:
    """The sum of what the pattern's group matches. LoadError where it never does."""
    found = re.findall(pattern, text, re.MULTILINE)
    if not found:
        raise LoadError(f"count: nothing it printed matches {pattern!r}: {tail(text)}")
    return sum(_whole(number, pattern) for number in found)


def _whole(text: object, place: str) -> int:
    number = str(text).replace(",", "").replace("_", "").strip()
    try:
        value = float(number)
    except ValueError:
        raise LoadError(f"count: {place} gives {text!r}, which is no number") from None
    if value != int(value) or value < 0:
        raise LoadError(f"count: {place} gives {number}, which is no number of operations")
    return int(value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise LoadError(f"count: what it wrote is not JSON ({error}): {tail(text)}") from None


def _at(pointer: str, body: Any) -> int:
    """The number at a JSON pointer."""
    try:
        return _whole(at_pointer(body, pointer), pointer)
    except LookupError as error:
        raise LoadError(f"count: nothing is at {pointer} of what it wrote ({error})") from None
