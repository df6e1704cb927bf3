"""The only mutable thing in the house: parsers add rows here, freeze() returns the Profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from profpipe.model.profile import (
    NATIVE,
    Calls,
    Costs,
    Frames,
    Functions,
    Ids,
    Kind,
    Measured,
    Meta,
    Profile,
    Samples,
    Stacks,
    check_profile,
)
from profpipe.units import Metric


class Builder:
    """Interns functions, frames and stacks; sums self values and calls that fall on the same row.

    Values are given in the order of `metrics`. Ids are dense and in order of first sight, so the same input
    gives the same profile. Everything is O(1) per call.
    """

    def __init__(self, kind: Kind, metrics: Sequence[Metric]) -> None:
        self.kind: Kind = kind
        self.metrics = tuple(metrics)
        self._functions: dict[tuple[str, str, str, int, int], int] = {}
        self._frames: dict[tuple[int, int, str, int], int] = {}
        self._stacks: dict[tuple[int, int], int] = {}
        self._samples: dict[tuple[int, int], list[int]] = {}
        self._costs: dict[int, list[int]] = {}
        self._calls: dict[tuple[int, int], list[int]] = {}
        self._measured: dict[int, list[int]] = {}
        self._has_lines = self._has_files = self._has_threads = self._has_primitive = False

    def function(self, name: str, file: str = "", object: str = "", line: int = 0, runtime: int = NATIVE) -> int:
        return self._functions.setdefault((name, file, object, line, runtime), len(self._functions))

    def frame(self, function: int, *, level: int = 1, file: str = "", line: int = 0) -> int:
        self._has_lines |= line > 0
        self._has_files |= bool(file)
        return self._frames.setdefault((function, level, file, line), len(self._frames))

    def stack(self, parent: int, frame: int) -> int:
        """The id of `frame` called from stack `parent` (-1 = root)."""
        return self._stacks.setdefault((parent, frame), len(self._stacks))

    def sample(self, stack: int, values: Sequence[int], *, thread: int = -1) -> None:
        """Add self values at a leaf. thread -1 = the source does not say."""
        self._has_threads |= thread >= 0
        _add(self._samples, (stack, thread), values)

    def rescale(self, factor: int, metrics: Sequence[Metric]) -> None:
        """Multiply all sample values so far by `factor` and count in `metrics` from now on. O(samples)."""
        self.metrics = tuple(metrics)
        for row in self._samples.values():
            row[:] = [value * factor for value in row]

    def add_metric(self, metric: Metric) -> None:
        """Add a column that is 0 in all samples so far. O(samples)."""
        self.metrics = (*self.metrics, metric)
        for row in self._samples.values():
            row.append(0)

    def cost(self, frame: int, values: Sequence[int]) -> None:
        _add(self._costs, frame, values)

    def call(
        self, caller: int, callee: int, calls: int, values: Sequence[int], *, primitive: int | None = None
    ) -> None:
        self._has_primitive |= primitive is not None
        _add(self._calls, (caller, callee), [calls, primitive or 0, *values])

    def total(self, frame: int, calls: int, values: Sequence[int], *, primitive: int | None = None) -> None:
        """A total that the tool measured itself."""
        self._has_primitive |= primitive is not None
        _add(self._measured, frame, [calls, primitive or 0, *values])

    def freeze(self, meta: Meta, declared: Mapping[str, int | None] | None = None) -> Profile:
        """The finished profile, checked. The builder must not be used afterwards."""
        keys = list(self._frames)
        profile = Profile(
            kind=self.kind,
            metrics=self.metrics,
            functions=self._freeze_functions(),
            frames=Frames(
                function=_ids(k[0] for k in keys),
                level=_ids(k[1] for k in keys),
                file=tuple(k[2] for k in keys) if self._has_files else None,
                line=_ids(k[3] for k in keys) if self._has_lines else None,
            ),
            meta=meta,
            stacks=Stacks(_ids(k[0] for k in self._stacks), _ids(k[1] for k in self._stacks))
            if self.kind == "sampled"
            else None,
            samples=self._freeze_samples() if self.kind == "sampled" else None,
            costs=Costs(_ids(self._costs), self._columns(self._costs.values())) if self.kind != "sampled" else None,
            calls=self._freeze_calls(),
            measured=self._freeze_measured(),
            declared=declared or {},
        )
        return check_profile(profile)

    def _freeze_functions(self) -> Functions:
        keys = list(self._functions)
        return Functions(
            name=tuple(k[0] for k in keys),
            file=tuple(k[1] for k in keys),
            object=tuple(k[2] for k in keys),
            line=_ids(k[3] for k in keys),
            runtime=np.fromiter((k[4] for k in keys), dtype=np.int8, count=len(keys)),
        )

    def _freeze_samples(self) -> Samples:
        return Samples(
            stack=_ids(k[0] for k in self._samples),
            values=self._columns(self._samples.values()),
            thread=_ids(k[1] for k in self._samples) if self._has_threads else None,
        )

    def _freeze_calls(self) -> Calls | None:
        if not self._calls:
            return None
        rows = list(self._calls.values())
        return Calls(
            caller=_ids(k[0] for k in self._calls),
            callee=_ids(k[1] for k in self._calls),
            calls=_int64(r[0] for r in rows),
            values=self._columns([r[2:] for r in rows]),
            primitive_calls=_int64(r[1] for r in rows) if self._has_primitive else None,
        )

    def _freeze_measured(self) -> Measured | None:
        if not self._measured:
            return None
        rows = list(self._measured.values())
        return Measured(
            frame=_ids(self._measured),
            calls=_int64(r[0] for r in rows),
            values=self._columns([r[2:] for r in rows]),
            primitive_calls=_int64(r[1] for r in rows) if self._has_primitive else None,
        )

    def _columns(self, rows: Iterable[Sequence[int]]) -> dict[str, NDArray[np.int64]]:
        listed = list(rows)
        return {m.key: _int64(r[i] for r in listed) for i, m in enumerate(self.metrics)}


K = TypeVar("K")


def _add(table: dict[K, list[int]], key: K, values: Sequence[int]) -> None:
    row = table.get(key)
    if row is None:
        table[key] = list(values)
    else:
        for i, value in enumerate(values):
            row[i] += value


def _ids(values: Iterable[int]) -> Ids:
    return np.array(list(values), dtype=np.int32)


def _int64(values: Iterable[int]) -> NDArray[np.int64]:
    """Raises OverflowError on a count outside int64; parsers turn that into their own message."""
    return np.array(list(values), dtype=np.int64)
