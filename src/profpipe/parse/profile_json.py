"""What `profpipe export --to json` writes: the whole profile by columns, nothing lost. It reads back as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

import numpy as np

from profpipe.errors import InvalidProfile, ParseError
from profpipe.model.codec import SCHEMA, load_json
from profpipe.model.profile import Fact, Profile
from profpipe.parse.reading import INT64_MAX, opens_json, read_all

SAYS: frozenset[Fact] = frozenset({"self", "total", "calls", "edges", "stacks", "lines", "threads", "time"})
RECORD = "profpipe export FILE --to json -o server.json"
_BEGINS = (b'{"calls":null,"costs":', b'{"calls":{"callee":[')


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for the two tables that our files begin with, or the name of the schema; None for other JSON."""
    if not opens_json(head):
        return False
    return True if head.startswith(_BEGINS) or SCHEMA.encode() in head else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """The profile with all that its capture said. ParseError for what is no such profile, or not the whole of it."""
    try:
        profile = load_json(read_all(raw, source), source)
    except InvalidProfile as error:
        raise ParseError(source, str(error).removeprefix(f"{source}: ")) from error
    tables = (profile.samples, profile.costs, profile.calls, profile.measured)
    for values in (table.values for table in tables if table is not None):
        for key, column in values.items():
            if float(column.sum(dtype=np.float64)) > INT64_MAX * 0.999:
                raise ParseError(source, f"the sum of {key} does not fit 64 bits")
    keys = {metric.key for metric in profile.metrics}
    for key, declared in profile.declared.items():
        if key not in keys:
            raise ParseError(source, f"it declares a sum of {key[:40]!r}, which is none of its metrics")
        if declared not in (None, profile.self_sum(key)) and not (profile.meta.partial or profile.meta.warnings):
            words = f"self of {key} adds up to {profile.self_sum(key)}, its capture declared {declared}: it was changed"
            raise ParseError(source, words)
    return replace(profile, meta=replace(profile.meta, source=source))
