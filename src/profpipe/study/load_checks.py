"""Mistakes in a load plan and its requests that the schema cannot express."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from profpipe.study.bodies import why_no_body
from profpipe.study.expected_checks import check_expected
from profpipe.study.feeder_checks import check_feeder
from profpipe.study.mistakes import Mistake, did_you_mean
from profpipe.study.plans import UNUSED
from profpipe.study.positions import KeyPath
from profpipe.study.requests import MIX, Route, Sent
from profpipe.study.schema import LoadPlan, asks_for
from profpipe.study.setup import SetUpRequest
from profpipe.study.setup_checks import check_set_up
from profpipe.study.templates import backwards

# `${name}` belongs to a shell, `{{name}}` to a template, `{"a": 1}` is JSON. Only `{name}` is ours.
PLACEHOLDER = re.compile(r"(?<![${])\{([a-z_]+)\}(?!\})")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_HEADERS = {"content-length", "transfer-encoding", "connection"}


def check_load(path: KeyPath, plan: LoadPlan, root: Path, generators: Collection[str]) -> Iterator[Mistake]:
    """Mistakes in one load plan. Bodies are files below `root`; no `generators` = their names are not checked."""
    if generators and plan.generator not in {"auto", *generators}:
        hint = did_you_mean(plan.generator, {"auto", *generators})
        yield Mistake((*path, "generator"), f'unknown load generator "{plan.generator}"{hint}')
    if plan.mode == "rate" and plan.rate is None:
        yield Mistake((*path, "mode"), 'mode "rate" needs rate = NUMBER, in requests a second')
    for key in sorted(UNUSED[plan.mode] & plan.model_fields_set):
        yield Mistake((*path, key), f'has no effect in mode "{plan.mode}": leave it out, or choose another mode')
    for number, asked in enumerate(plan.routes or (plan.request,)):
        place = (*path, "request", number) if plan.routes else (*path, "request")
        yield from check_expected((*place, "expect_body"), asked)
    if plan.routes:
        yield from _routes((*path, "request"), plan.routes, root)
    else:
        yield from check_request((*path, "request"), plan.request)
    yield from _set_up((*path, "setup"), plan, root)
    yield from check_feeder(path, plan, root)
    yield from _own_generator(path, plan)


def _routes(path: KeyPath, routes: Sequence[Route], root: Path) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for number, route in enumerate(routes):
        place = (*path, number)
        if route.name in seen:
            words = f'this load has a request of the name "{route.name}" already, number {seen[route.name] + 1}'
            yield Mistake((*place, "name"), f"{words}: each needs its own")
        seen.setdefault(route.name, number)
        if route.name == MIX:
            yield Mistake((*place, "name"), f'"{MIX}" is what the report calls all requests of a load together')
        yield from _body(place, route, root)
        yield from check_request(place, route)


def _set_up(path: KeyPath, plan: LoadPlan, root: Path) -> Iterator[Mistake]:
    for number, step in enumerate(plan.setup):
        yield from _body((*path, number), step, root)
        yield from check_request((*path, number), step)
    yield from check_set_up(path, plan.setup, plan.routes or (plan.request,))


def _body(place: KeyPath, asked: Route | SetUpRequest, root: Path) -> Iterator[Mistake]:
    if asked.body_file is not None and asked.body:
        yield Mistake((*place, "body_file"), "body and body_file are both set: keep one")
    elif asked.body_file is not None and (why := why_no_body(root, asked.body_file)) is not None:
        yield Mistake((*place, "body_file"), why)


LOADPLACEHOLDERS = (
    "host", "port", "socket", "address", "url", "requests", "connections", "threads", "rate", "duration", "out",
    "python", "checkout",
)  # fmt: skip
COUNTED_BY = ("result", "pattern", "pointer", "exit")


def _own_generator(path: KeyPath, plan: LoadPlan) -> Iterator[Mistake]:
    """`command`, and the keys that go with it only."""
    if plan.command is None:
        for key in sorted({"count", "unit"} & plan.model_fields_set):
            yield Mistake((*path, key), "has no effect without a command of your own: set load.command")
        return
    for key, given in (("request", plan.routes), ("setup", plan.setup), ("feeder", plan.feeder)):
        if given:
            yield Mistake((*path, key), "has no effect next to a command of your own: that sends what it likes")
    for number, argument in enumerate(plan.command):
        for word in PLACEHOLDER.findall(argument):
            if word not in LOADPLACEHOLDERS:
                hint = did_you_mean(word, LOADPLACEHOLDERS)
                yield Mistake((*path, "command", number), f"unknown placeholder {{{word}}}{hint}")
    if not any(asks_for(plan, name) for name in ("port", "address", "url", "socket")):
        yield Mistake(
            (*path, "command"), "it is not told the server's address: use {port}, {address}, {url} or {socket}"
        )
    if plan.unit is None:
        yield Mistake((*path, "command"), 'needs unit = "NAME": what it counts, such as "SET" or "query"')
    if asks_for(plan, "requests") and "requests" not in plan.model_fields_set:
        yield Mistake((*path, "command"), "uses {requests}: set requests = NUMBER")
    yield from _count((*path, "count"), plan)


def _count(path: KeyPath, plan: LoadPlan) -> Iterator[Mistake]:
    rule = plan.count
    given = [key for key in COUNTED_BY if getattr(rule, key) not in (None, "", False)]
    if len(given) != 1:
        had = " and ".join(given) or "nothing"
        yield Mistake(path, f"one of {', '.join(COUNTED_BY)} says how the operations are counted; {had} is set")
    if rule.exit and not asks_for(plan, "requests"):
        yield Mistake((*path, "exit"), "the command must be told how many: use {requests}")
    patterns = {"pattern": rule.pattern, "failed": rule.failed if rule.pattern is not None else None}
    for key, pattern in patterns.items():
        if pattern:
            yield from _one_group((*path, key), pattern)
    for key, pointer in (("pointer", rule.pointer), ("failed", rule.failed if rule.pointer is not None else None)):
        if pointer and not pointer.startswith("/"):
            yield Mistake((*path, key), "a JSON pointer starts with `/`")


def _one_group(path: KeyPath, pattern: str) -> Iterator[Mistake]:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        yield Mistake(path, f"not a regular expression: {error}")
    else:
        if groups != 1:
            yield Mistake(path, f"needs one group, around the count; it has {groups}")


def check_request(path: KeyPath, request: Sent) -> Iterator[Mistake]:
    for key in ("path", "body"):
        if (place_of_values := backwards(getattr(request, key))) is not None:
            yield Mistake((*path, key), f"{place_of_values}: the first number is the smaller one")
    for name, value in request.headers.items():
        place = (*path, "headers", name)
        if not HEADER_NAME.fullmatch(name) or any(sign in value for sign in "\r\n\0"):
            yield Mistake(place, "not a valid header: a name is one token, a value one line")
        elif name.lower() in _OWN_HEADERS:
            hint = ": set keep_alive = false to close connections" if name.lower() == "connection" else ""
            yield Mistake(place, f"the load generator sets this header itself{hint}")
