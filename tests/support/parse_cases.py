"""How the tests of the readers look at a profile, and the ways in which they damage a capture."""

from __future__ import annotations

import gzip
import io
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO

from profpipe.errors import ProfpipeError
from profpipe.model.profile import Profile, check_profile
from tests.support.paths import DATA

Parse = Callable[[BinaryIO, str], Profile]
# The everyday run damages a sample in some hundred ways; PROFPIPE_FUZZ=20000 does all of them.
FUZZ = int(os.environ.get("PROFPIPE_FUZZ", "0"))


def capture(name: str) -> bytes:
    """The bytes of tests/data/<name>, gunzipped when it ends in .gz."""
    data = (DATA / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def read(parse: Parse, data: bytes) -> Profile:
    return check_profile(parse(io.BytesIO(data), "sample"))


def self_by_name(profile: Profile, metric: str | None = None) -> Counter[str]:
    """Self per function name, straight from the tables."""
    key = metric or profile.metrics[0].key
    found: Counter[str] = Counter()
    if profile.samples is not None and profile.stacks is not None:
        frames = profile.stacks.frame[profile.samples.stack]
        values = profile.samples.values[key]
    else:
        assert profile.costs is not None
        frames, values = profile.costs.frame, profile.costs.values[key]
    for frame, value in zip(frames.tolist(), values.tolist(), strict=True):
        found[profile.functions.name[profile.frames.function[frame]]] += value
    return found


def total_by_name(profile: Profile) -> Counter[str]:
    """Total per function name, each stack counted once: the slow and obvious way."""
    assert profile.samples is not None
    assert profile.stacks is not None
    found: Counter[str] = Counter()
    values = profile.samples.values[profile.metrics[0].key].tolist()
    for row, value in zip(profile.samples.stack.tolist(), values, strict=True):
        names = set()
        while row >= 0:
            names.add(profile.functions.name[profile.frames.function[profile.stacks.frame[row]]])
            row = int(profile.stacks.parent[row])
        for name in names:
            found[name] += value
    return found


def runtimes(profile: Profile) -> dict[str, int]:
    return dict(zip(profile.functions.name, profile.functions.runtime.tolist(), strict=True))


def outcome(parse: Parse, data: bytes) -> Profile | ProfpipeError:
    """A checked profile or a clean error; anything else is a bug and comes through."""
    try:
        return read(parse, data)
    except ProfpipeError as error:
        return error


def cuts(data: bytes, most: int = 400) -> Iterator[int]:
    """Every byte offset with PROFPIPE_FUZZ, else about `most` of them, the last 64 always."""
    step = 1 if FUZZ else max(1, len(data) // most)
    yield from sorted({*range(0, len(data), step), *range(max(0, len(data) - 64), len(data))})


def mutants(data: bytes, seed: int, many: int) -> Iterator[bytes]:
    """Copies with 1 to 8 bytes changed, dropped, doubled or swapped for another part of the file."""
    chance = random.Random(seed)
    for _ in range(max(many, FUZZ)):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(copy))
            match chance.randrange(4):
                case 0:
                    copy[at] = chance.randrange(256)
                case 1:
                    del copy[at : at + chance.randint(1, 16)]
                case 2:
                    copy[at:at] = copy[at : at + chance.randint(1, 16)]
                case _:
                    start = chance.randrange(len(copy))
                    copy[at : at + 8] = copy[start : start + 8]
            if not copy:
                break
        yield bytes(copy)
