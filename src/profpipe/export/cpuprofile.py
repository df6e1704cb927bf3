"""V8's .cpuprofile, for Chrome's DevTools and VS Code.

The format is one list of samples in time. A profile has sums, so each stack is one sample that lasts as long as all of
its samples did, in microseconds; the rest is carried to the next stack, so that the whole time stays. Counts that are
no time are written as microseconds. Threads are put side by side at the root. DevTools shows the first metric only.
"""

from __future__ import annotations

import json
from typing import Any

from profpipe.model.profile import Fact, Profile

SUFFIX = ".cpuprofile"
NEEDS: frozenset[Fact] = frozenset({"stacks"})
# A factor from the metric's unit to nanoseconds.
NANOSECONDS = {"ns": 1, "us": 1_000, "s": 1_000_000_000}


def export(profile: Profile) -> bytes:
    """UTF-8 JSON. `$profpipe` holds what the format has no room for: the metric, partial, and warnings."""
    metric = profile.metrics[0]
    nodes, samples, lasting = _Nodes(profile), [], []
    assert profile.samples is not None
    threads = profile.samples.thread
    rest, scale = 0, NANOSECONDS.get(metric.unit, 1_000)
    for i, value in enumerate(profile.samples.values[metric.key].tolist()):
        if not value:
            continue
        thread = -1 if threads is None else int(threads[i])
        whole, rest = divmod(value * scale + rest, 1_000)
        samples.append(nodes.of(int(profile.samples.stack[i]), thread))
        lasting.append(whole)
    document = {
        "nodes": nodes.rows,
        "startTime": 0,
        "endTime": sum(lasting),
        "samples": samples,
        # A delta is the time before a sample, which lasts until the next one.
        "timeDeltas": [0, *lasting[:-1]] if lasting else [],
        "$profpipe": {
            "metric": metric.label,
            "unit": metric.unit,
            "partial": profile.meta.partial,
            "warnings": list(profile.meta.warnings),
        },
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


class _Nodes:
    """Nodes of the file, made when a sample needs them. Node 1 is the root."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._ids: dict[tuple[int, int], int] = {}
        self._threads: dict[int, int] = {}
        self.rows: list[dict[str, Any]] = []
        self._new(_call_frame("(root)"), None)

    def _new(self, frame: dict[str, Any], parent: int | None) -> int:
        id = len(self.rows) + 1
        self.rows.append({"id": id, "callFrame": frame, "hitCount": 0, "children": []})
        if parent is not None:
            self.rows[parent - 1]["children"].append(id)
        return id

    def of(self, stack: int, thread: int) -> int:
        """The node of a stack of a thread. A single thread without a name has no node of its own."""
        assert self._profile.stacks is not None
        path = []
        while stack >= 0 and (stack, thread) not in self._ids:
            path.append(stack)
            stack = int(self._profile.stacks.parent[stack])
        id = self._ids[stack, thread] if stack >= 0 else self._top(thread)
        for row in reversed(path):
            id = self._ids[row, thread] = self._new(self._frame(int(self._profile.stacks.frame[row])), id)
        return id

    def _top(self, thread: int) -> int:
        if thread < 0:
            return 1
        if thread not in self._threads:
            self._threads[thread] = self._new(_call_frame(f"({self._profile.meta.threads[thread]})"), 1)
        return self._threads[thread]

    def _frame(self, frame: int) -> dict[str, Any]:
        functions, function = self._profile.functions, int(self._profile.frames.function[frame])
        url = functions.file[function] or functions.object[function]
        return _call_frame(functions.name[function], url, int(functions.line[function]))


def _call_frame(name: str, url: str = "", line: int = 0) -> dict[str, Any]:
    return {"functionName": name, "scriptId": "0", "url": url, "lineNumber": line - 1, "columnNumber": -1}
