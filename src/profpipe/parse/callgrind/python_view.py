"""A profile of trampolines and interpreter loops -> the same instructions by Python function.

A Python function is its trampoline, the loop that callgrind split by it (`_PyEval_EvalFrameDefault'0xADDRESS`), and
the C functions whose callers, as far as the file has them, lead to that loop. C functions further down count for it too
where no Python function is reached through them; the others stay what they are. A total is measured: self and calls of
the outermost trampoline, which never nests in itself. The sum of self stays what the file declares.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, SYNTHETIC, Measured, Profile
from profpipe.parse.callgrind.names import with_callers
from profpipe.parse.callgrind.trampolines import Trampolines

LOOP = "_PyEval_EvalFrameDefault"
RUNNING = "[Python functions that ran when the window opened]"
NAMELESS = "[native code without a name]"
_ADDRESS = re.compile(r"0x([0-9a-f]+)")
Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Role:
    """What a function of the file is here: `name` in `file`, `entry` = a trampoline, through which calls go."""

    name: str
    file: str = ""
    object: str = ""
    runtime: int = NATIVE
    entry: bool = False
    level: int = 1

    def function(self, builder: Builder) -> int:
        return builder.function(self.name, file=self.file, object=self.object, runtime=self.runtime)


def splits_loops(profile: Profile) -> bool:
    """Whether functions are split by their callers, the interpreter's loop among them."""
    return any(name.startswith(f"{LOOP}'") and with_callers(name)[1] for name in profile.functions.name)


def switches_stacks(profile: Profile) -> bool:
    """Whether greenlets ran: callgrind then takes one greenlet's function for the caller of another's."""
    return any("greenlet" in PurePath(name).name for name in profile.functions.object)


def by_python_function(profile: Profile, trampolines: Trampolines) -> Profile:
    """The profile by Python function. `profile` is of one process, that of the map. Linear in its rows."""
    return _View(profile, trampolines).profile()


class _View:
    def __init__(self, profile: Profile, trampolines: Trampolines) -> None:
        assert profile.costs is not None
        self.given, self.metrics = profile, profile.metrics
        f = profile.functions
        # The reader has taken off a mark of recursion at the end of a name, where no callers follow it.
        places = zip(profile.frames.function.tolist(), profile.frames.level.tolist(), strict=True)
        longest = max((len(with_callers(name)[1]) for name in f.name), default=0)
        self.role = [_role(f.name[i], f.object[i], level, longest, trampolines) for i, level in places]
        self.costs = list(zip(profile.costs.frame.tolist(), self._rows(profile.costs.values), strict=True))
        self.calls = self._calls()
        self.consistent = self._consistent()
        self.folded = self._without_python_below()
        self.builder = Builder("counted", profile.metrics)

    def _rows(self, values: object) -> list[Values]:
        assert hasattr(values, "__getitem__")
        return list(zip(*(values[metric.key].tolist() for metric in self.metrics), strict=True))

    def _calls(self) -> list[tuple[int, int, int, Values]]:
        c = self.given.calls
        if c is None:
            return []
        return list(zip(c.caller.tolist(), c.callee.tolist(), c.calls.tolist(), self._rows(c.values), strict=True))

    def _consistent(self) -> list[bool]:
        """Per frame whether its calls cost what it and its callees cost: not so where it ran before the window or
        after it, or where the stack was switched."""
        nothing = (0,) * len(self.metrics)
        rest = [nothing for _ in self.role]
        for frame, values in self.costs:
            rest[frame] = _sum(rest[frame], values)
        for caller, callee, _, values in self.calls:
            rest[caller] = _sum(rest[caller], values)
            rest[callee] = _difference(rest[callee], values)
        return [values[0] == 0 for values in rest]

    def _without_python_below(self) -> set[int]:
        """Consistent frames of native code from which no Python function is reached: all their callees are such frames.

        Frames that call each other in a circle are left out, since the cost of a call in it holds other calls.
        """
        callees: dict[int, set[int]] = defaultdict(set)
        callers: dict[int, set[int]] = defaultdict(set)
        for caller, callee, _, _ in self.calls:
            callees[caller].add(callee)
            callers[callee].add(caller)
        left = {f: len(callees[f]) for f, r in enumerate(self.role) if r.runtime == NATIVE and self.consistent[f]}
        ready = [frame for frame, many in left.items() if not many]
        found = set(ready)
        while ready:
            for caller in callers[ready.pop()]:
                if caller in left:
                    left[caller] -= 1
                    if not left[caller]:
                        found.add(caller)
                        ready.append(caller)
        return found

    def profile(self) -> Profile:
        own: dict[int, Values] = {}
        nothing = (0,) * len(self.metrics)
        for frame, values in self.costs:
            if frame not in self.folded:
                own[frame] = _sum(own.get(frame, nothing), values)
        for caller, callee, _, values in self.calls:
            if callee in self.folded and caller not in self.folded:
                own[caller] = _sum(own.get(caller, nothing), values)
        frames = [self.builder.frame(role.function(self.builder)) for role in self.role]
        for frame, values in own.items():
            self.builder.cost(frames[frame], values)
        self._add_calls(frames)
        self._add_totals(frames, own)
        made = self.builder.freeze(self.given.meta, dict(self.given.declared))
        return made if made.measured is not None else replace(made, measured=self._nothing_measured())

    def _nothing_measured(self) -> Measured:
        """Without it totals would be rebuilt from calls, of which the C functions have lost some."""
        none = np.zeros(0, np.int64)
        return Measured(np.zeros(0, np.int32), none, {metric.key: none for metric in self.metrics})

    def _add_calls(self, frames: list[int]) -> None:
        for caller, callee, calls, values in self.calls:
            inside = frames[caller] == frames[callee] and not self.role[callee].entry
            if not inside and callee not in self.folded:
                self.builder.call(frames[caller], frames[callee], calls, values)

    def _add_totals(self, frames: list[int], own: dict[int, Values]) -> None:
        """A total and the calls of each Python function that was called in the window."""
        nothing = (0,) * len(self.metrics)
        totals: dict[int, Values] = {}
        calls: dict[int, int] = defaultdict(int)
        unknown = {frames[f] for f, r in enumerate(self.role) if r.entry and not self.consistent[f]}
        outermost = [role.entry and role.level == 1 for role in self.role]
        for frame, values in own.items():
            if outermost[frame]:
                totals[frames[frame]] = _sum(totals.get(frames[frame], nothing), values)
        for caller, callee, many, values in self.calls:
            if outermost[caller] and callee not in self.folded:
                totals[frames[caller]] = _sum(totals.get(frames[caller], nothing), values)
            if self.role[callee].entry:
                calls[frames[callee]] += many
        for frame, values in totals.items():
            if frame not in unknown:
                self.builder.total(frame, calls[frame], values)


def _role(name: str, object_: str, level: int, longest: int, trampolines: Trampolines) -> _Role:
    """What a function of the file is. Where `longest` callers end with a loop, that loop's own caller was cut off."""
    base, callers, inner = with_callers(name)
    python = _python(base, trampolines)
    if python is not None:
        return _Role(python[0], file=python[1], runtime=PYTHON, entry=True, level=max(level, inner))
    chain = (base, *callers)
    if LOOP in chain:
        python = _python((*callers, "")[chain.index(LOOP)], trampolines)
        if python is not None:
            return _Role(python[0], file=python[1], runtime=PYTHON)
        if base == LOOP or chain.index(LOOP) < longest:
            return _Role(RUNNING, runtime=SYNTHETIC)
    return _Role(NAMELESS if _ADDRESS.fullmatch(base) else base, object=object_)


def _python(name: str, trampolines: Trampolines) -> tuple[str, str] | None:
    address = _ADDRESS.fullmatch(name)
    return None if address is None else trampolines.at(int(address[1], 16))


def _sum(a: Values, b: Values) -> Values:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _difference(a: Values, b: Values) -> Values:
    return tuple(x - y for x, y in zip(a, b, strict=True))
