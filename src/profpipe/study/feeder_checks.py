"""Mistakes in a feeder, its file, and the places that its columns have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from profpipe.study.feeder import Feeder
from profpipe.study.mistakes import Mistake, did_you_mean
from profpipe.study.positions import KeyPath
from profpipe.study.requests import Asked
from profpipe.study.schema import LoadPlan
from profpipe.study.setup import texts_of
from profpipe.study.templates import columns_in


def check_feeder(path: KeyPath, plan: LoadPlan, root: Path) -> Iterator[Mistake]:
    """Mistakes in the plan's feeder; `{csv:...}` without one."""
    several = bool(plan.routes)
    requests = [((*path, "request", i) if several else (*path, "request"), r) for i, r in enumerate(_requests(plan))]
    used = {name for _, request in requests for name in columns_in(*texts_of(request))}
    if plan.feeder is None:
        for place, request in requests:
            if names := columns_in(*texts_of(request)):
                yield Mistake(place, f"{{csv:{names[0]}}} needs a file: set feeder.file")
        return
    try:
        feeder = plan.feeder.filled(root)
    except ValueError as error:
        yield Mistake((*path, "feeder", "file"), str(error))
        return
    if not used:
        yield Mistake((*path, "feeder"), f"no request has {{csv:COLUMN}}; columns: {', '.join(feeder.columns)}")
    for place, request in requests:
        yield from _places(place, request, feeder)
    yield from _enough((*path, "feeder", "at_end"), plan, feeder)


def _requests(plan: LoadPlan) -> tuple[Asked, ...]:
    return plan.routes or (plan.request,)


def _places(place: KeyPath, request: Asked, feeder: Feeder) -> Iterator[Mistake]:
    for name in columns_in(*texts_of(request)):
        if name not in feeder.columns:
            hint = did_you_mean(name, feeder.columns)
            yield Mistake(place, f"{{csv:{name}}}: {feeder.file} has no such column{hint}")
    for header, value in request.headers.items():
        for name in set(columns_in(value)) & set(feeder.columns):
            at = feeder.columns.index(name)
            for number, row in enumerate(feeder.rows, 1):
                if any(sign in row[at] for sign in "\r\n\0") or not row[at].isascii():
                    why = f"row {number} of {feeder.file} has {row[at][:40]!r}: a header has one line of ASCII"
                    yield Mistake((*place, "headers", header), f"{{csv:{name}}}: {why}")
                    break


def _enough(place: KeyPath, plan: LoadPlan, feeder: Feeder) -> Iterator[Mistake]:
    wanted = plan.warmup + plan.requests
    fixed = plan.mode == "count" and "requests" in plan.model_fields_set
    if feeder.at_end == "stop" and fixed and len(feeder.rows) < wanted:
        counted = f"{plan.warmup:,} of the warm-up and {plan.requests:,} of the load"
        words = f"{feeder.file} has {len(feeder.rows):,} rows for {wanted:,} requests ({counted})"
        yield Mistake(place, f'{words}: set fewer, or at_end = "repeat"')
