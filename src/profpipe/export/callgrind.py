"""The callgrind format, for KCachegrind, QCachegrind and callgrind_annotate. Every profile can be written.

A call graph keeps its edges and call counts. Of stacks the edges are derived: the format has no stacks, and in a
recursion an edge counts once for every time that it is in a stack. The number of calls is required; where it is unknown
it is written as 1, and a comment says so. What makes a profile partial, and its warnings, become `desc:` lines.
https://valgrind.org/docs/manual/cl-format.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from profpipe.model.profile import Fact, Profile
from profpipe.units import Metric

SUFFIX = ".callgrind"
NEEDS: frozenset[Fact] = frozenset({"self"})
EVENTS = {"instructions": "Ir"}
Row = tuple[int, ...]
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def export(profile: Profile) -> bytes:
    """UTF-8 lines: a block per function with its self values and its calls. O(rows x depth)."""
    own, calls = _own(profile), _calls(profile)
    lines = list(_head(profile))
    functions = profile.functions
    named: dict[tuple[str, str], int] = {}

    def place(key: str, value: str) -> str:
        """`key=(id) name`, the name only the first time, as valgrind writes it."""
        kind = "fn" if key.endswith("fn") else "ob" if key.endswith("ob") else "fl"
        id = named.setdefault((kind, value), len(named) + 1)
        first = id == len(named) and id not in written
        written.add(id)
        return f"{key}=({id}) {value}" if first else f"{key}=({id})"

    written: set[int] = set()
    for function in sorted(own.keys() | calls.keys()):
        line = int(functions.line[function])
        lines += ["", place("ob", _plain(functions.object[function]) or "???")]
        lines += [place("fl", _plain(functions.file[function]) or "???")]
        lines += [place("fn", _plain(functions.name[function]) or "???")]
        lines += [f"{line} {_values(own[function])}"] if function in own else []
        for callee, (count, total) in sorted(calls.get(function, {}).items()):
            lines += [place("cob", _plain(functions.object[callee]) or "???")]
            lines += [place("cfi", _plain(functions.file[callee]) or "???")]
            lines += [place("cfn", _plain(functions.name[callee]) or "???")]
            lines += [f"calls={count} {int(functions.line[callee])}", f"{line} {_values(total)}"]
    sums = _values(tuple(profile.self_sum(m.key) for m in profile.metrics))
    return ("\n".join([*lines, "", f"totals: {sums}"]) + "\n").encode(errors="backslashreplace")


def _head(profile: Profile) -> Iterator[str]:
    yield from ("# callgrind format", "version: 1", "creator: profpipe")
    if profile.meta.command:
        yield f"cmd: {_plain(profile.meta.command)}"
    if profile.meta.partial:
        yield f"desc: partial: {_plain(profile.meta.partial)}"
    for warning in profile.meta.warnings:
        yield f"desc: warning: {_plain(warning)}"
    if profile.calls is None and profile.stacks is not None:
        yield "desc: calls: not counted by the profiler, written as 1"
    keys = [EVENTS.get(m.key, _event(m)) for m in profile.metrics]
    yield from ("positions: line", f"events: {' '.join(keys)}", f"summary: {_sums(profile)}")


def _event(metric: Metric) -> str:
    """The metric's name, with its unit as Xdebug writes it: `cpu_(ns)`."""
    name = re.sub(r"\W", "_", metric.key)
    unit = {"ns": "ns", "us": "us", "B": "bytes"}.get(metric.unit)
    return f"{name.removesuffix(f'_{unit}')}_({unit})" if unit else name


def _sums(profile: Profile) -> str:
    return _values(tuple(profile.self_sum(m.key) for m in profile.metrics))


def _values(row: Row) -> str:
    return " ".join(map(str, row))


def _plain(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()


def _own(profile: Profile) -> dict[int, Row]:
    """Self values by function."""
    table = profile.samples if profile.samples is not None else profile.costs
    assert table is not None
    frames = (
        profile.stacks.frame[profile.samples.stack]
        if profile.samples is not None and profile.stacks is not None
        else profile.costs.frame  # type: ignore[union-attr]
    )
    found: dict[int, Row] = {}
    rows = zip(*(table.values[m.key].tolist() for m in profile.metrics), strict=True)
    for function, row in zip(profile.frames.function[frames].tolist(), rows, strict=True):
        found[function] = _plus(found.get(function), row)
    return found


def _plus(sums: Row | None, row: Row) -> Row:
    return row if sums is None else tuple(a + b for a, b in zip(sums, row, strict=True))


def _calls(profile: Profile) -> dict[int, dict[int, tuple[int, Row]]]:
    """caller -> callee -> calls and the callee's total in them."""
    found: dict[int, dict[int, tuple[int, Row]]] = defaultdict(dict)
    function = profile.frames.function

    def add(caller: int, callee: int, count: int, row: Row) -> None:
        calls, sums = found[caller].get(callee, (0, None))
        found[caller][callee] = (calls + count, _plus(sums, row))

    if profile.calls is not None:
        columns = [profile.calls.values[m.key].tolist() for m in profile.metrics]
        edges = zip(
            function[profile.calls.caller].tolist(),
            function[profile.calls.callee].tolist(),
            profile.calls.calls.tolist(),
            zip(*columns, strict=True),
            strict=True,
        )
        for caller, callee, count, row in edges:
            add(caller, callee, count, row)
    elif profile.stacks is not None:
        for caller, callee, row in _edges_of_stacks(profile):
            calls, sums = found[caller].get(callee, (1, None))
            found[caller][callee] = (calls, _plus(sums, row))
    return found


def _edges_of_stacks(profile: Profile) -> Iterator[tuple[int, int, Row]]:
    """(caller, callee, total) of every row of stacks that has a caller; totals are sums over the subtree."""
    assert profile.stacks is not None
    assert profile.samples is not None
    parents = profile.stacks.parent.tolist()
    functions = profile.frames.function[profile.stacks.frame].tolist()
    totals = [[0] * len(parents) for _ in profile.metrics]
    for metric, column in zip(profile.metrics, totals, strict=True):
        for row, value in zip(profile.samples.stack.tolist(), profile.samples.values[metric.key].tolist(), strict=True):
            column[row] += value
        for row in range(len(parents) - 1, -1, -1):
            if parents[row] >= 0:
                column[parents[row]] += column[row]
    for row, parent in enumerate(parents):
        if parent >= 0:
            yield functions[parent], functions[row], tuple(column[row] for column in totals)
