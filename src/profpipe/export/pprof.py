"""pprof's profile.proto, gzipped, for `go tool pprof`, Pyroscope, Speedscope and others.

Every metric is a type of value, the first one the default. Threads are the label `thread`. What makes a profile partial
and its warnings become comments, which `go tool pprof -comments` shows.
https://github.com/google/pprof/blob/main/proto/profile.proto
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from profpipe.model.profile import Fact, Profile

SUFFIX = ".pb.gz"
NEEDS: frozenset[Fact] = frozenset({"stacks"})
UNITS = {"ns": "nanoseconds", "us": "microseconds", "s": "seconds", "B": "bytes", "1": "count"}
# The names that pprof's own views and other readers know.
TYPES = {"cpu_ns": "cpu", "wall_ns": "wall"}


def export(profile: Profile) -> bytes:
    """The same profile gives the same bytes: gzip's time stamp is 0. O(rows of stacks x depth)."""
    strings: dict[str, int] = {"": 0}

    def text(value: str) -> int:
        return strings.setdefault(value, len(strings))

    types = [
        _message(1, _number(1, text(TYPES.get(m.key, m.key))) + _number(2, text(UNITS.get(m.unit, m.unit))))
        for m in profile.metrics
    ]
    default = _number(14, text(TYPES.get(profile.metrics[0].key, profile.metrics[0].key)))
    labels = [_message(3, _number(1, text("thread")) + _number(2, text(name))) for name in profile.meta.threads]
    parts = [*types, *_samples(profile, labels)]
    objects = {name: i + 1 for i, name in enumerate(dict.fromkeys(profile.functions.object)) if name}
    # Without these flags `go tool pprof` would look for the program, to find its functions by address.
    flags = b"".join(_number(field, 1) for field in (7, 8, 9, 10))
    parts += [_message(3, _number(1, id) + _number(5, text(name)) + flags) for name, id in objects.items()]
    for i, function in enumerate(profile.frames.function.tolist()):
        line = 0 if profile.frames.line is None else int(profile.frames.line[i])
        mapping = _number(2, objects.get(profile.functions.object[function], 0))
        parts.append(
            _message(4, _number(1, i + 1) + mapping + _message(4, _number(1, function + 1) + _number(2, line)))
        )
    for i, name in enumerate(profile.functions.name):
        body = _number(1, i + 1) + _number(2, text(name)) + _number(3, text(name))
        body += _number(4, text(profile.functions.file[i])) + _number(5, int(profile.functions.line[i]))
        parts.append(_message(5, body))
    notes = [f"partial: {profile.meta.partial}"] if profile.meta.partial else []
    parts += [_number(13, text(note)) for note in [*notes, *profile.meta.warnings]]
    parts += [_message(6, value.encode(errors="backslashreplace")) for value in strings]
    return gzip.compress(b"".join(parts) + default, mtime=0)


def _samples(profile: Profile, labels: list[bytes]) -> Iterable[bytes]:
    """One record per row of samples, its stack innermost first."""
    assert profile.samples is not None
    assert profile.stacks is not None
    parents, frames = profile.stacks.parent.tolist(), profile.stacks.frame.tolist()
    threads = None if profile.samples.thread is None else profile.samples.thread.tolist()
    columns = [profile.samples.values[metric.key].tolist() for metric in profile.metrics]
    ids = [_varint(frame + 1) for frame in range(len(profile.frames.function))]
    for i, row in enumerate(profile.samples.stack.tolist()):
        path = bytearray()
        while row >= 0:
            path += ids[frames[row]]
            row = parents[row]
        label = labels[threads[i]] if threads is not None and threads[i] >= 0 else b""
        yield _message(2, _message(1, path) + _message(2, b"".join(_varint(column[i]) for column in columns)) + label)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, body: bytes | bytearray) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body
