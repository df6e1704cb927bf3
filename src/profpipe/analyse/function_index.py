"""Functions of all profiles of a report, each known once: what makes two functions the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.names.categories import Categories
from profpipe.analyse.names.demangle import function_id, normal_name, normalise
from profpipe.analyse.names.levels import levels_of, place
from profpipe.analyse.names.libraries import library_of
from profpipe.analyse.names.source_paths import base_name, installed, origin, short_file
from profpipe.model.profile import RUNTIMES, Profile
from profpipe.model.report import FunctionName, Origin

Rows = NDArray[np.intp]


class Key(NamedTuple):
    """What makes two functions the same one. `object` is empty for the program itself, so that two builds align."""

    language: str
    object: str
    file: str
    name: str


@dataclass(slots=True)
class Known:
    """One function of the study: its row, its name as shown and the raw names that fell on it.

    `library` is whether its source is installed, not the program's own: it is the same at every commit. `part` =
    whose code it is, and which library's. `line` is 0 until a profile says where the function is defined.
    """

    key: Key
    row: int
    category: str
    object: str
    runtime: str
    origin: Origin = ""
    part: tuple[Origin, str] = ("", "")
    library: bool = False
    line: int = 0
    raw: dict[str, None] = field(default_factory=dict)

    @property
    def name(self) -> FunctionName:
        raw = tuple(r for r in self.raw if r != self.key.name)[:4]
        return FunctionName(
            name=self.key.name,
            file=self.key.file,
            object=self.object,
            runtime=self.runtime,
            line=self.line or None,
            origin=self.origin,
            raw=raw,
        )

    @property
    def id(self) -> str:
        return function_id(*self.key)


class Index:
    """Functions of all profiles of a report, each with one row. Order of first sight.

    `import_names` = import name -> the Python package that has it, where that is called otherwise.
    """

    def __init__(self, categories: Categories, import_names: Mapping[str, str]) -> None:
        self.categories = categories
        self._import_names = import_names
        self.functions: list[Known] = []
        self._by_key: dict[Key, Known] = {}
        # The profile is kept with its rows, so that no other one gets its id.
        self._by_profile: dict[tuple[int, str, frozenset[str]], tuple[Profile, Rows]] = {}
        self._by_raw: dict[tuple[str, str, str, str, int, str, frozenset[str]], int] = {}

    def rows(self, profile: Profile, language: str, own: frozenset[str]) -> Rows:
        """The row of each function id of `profile`, which is kept: its tables and its edges ask the same."""
        asked = (id(profile), language, own)
        if asked not in self._by_profile:
            self._by_profile[asked] = (profile, self._found(profile, language, own))
        return self._by_profile[asked][1]

    def _found(self, profile: Profile, language: str, own: frozenset[str]) -> Rows:
        f = profile.functions
        levels = levels_of(profile, language)
        found = [
            self._row(name, *place(file, object_, runtime, levels), runtime, language, own)
            for name, file, object_, runtime in zip(f.name, f.file, f.object, f.runtime.tolist(), strict=True)
        ]
        for row, line in zip(found, f.line.tolist(), strict=True):
            # Functions of one name in one file share a row: the first of them is where a reader looks.
            known = self.functions[row]
            known.line = min(known.line or line, line or known.line)
        return np.array(found, dtype=np.intp)

    def _row(
        self, raw: str, file: str, object_: str, level: str, runtime: int, language: str, own: frozenset[str]
    ) -> int:
        seen = (raw, file, object_, level, runtime, language, own)
        row = self._by_raw.get(seen)
        if row is None:
            row = self._by_raw[seen] = self._add(raw, file, object_, level, runtime, language, own)
        return row

    def _add(
        self, raw: str, file: str, object_: str, level: str, runtime: int, language: str, own: frozenset[str]
    ) -> int:
        name = normal_name(raw, object_, level)
        folded = level not in ("python", "js", "java") and normalise(raw).folded
        program = base_name(object_) in own
        # A libc function's file differs with the variant the processor got: memmove-vec-unaligned-erms.S is memcpy.
        key = Key(language, "" if program else base_name(object_), "" if folded else short_file(file), name)
        known = self._by_key.get(key)
        if known is None:
            category = self.categories.of(name, object_, file, level, own)
            whose = origin(name, file, object_, level, own)
            part, library = library_of(name, file, object_, level, whose)
            named = self._import_names.get(library, library) if language == "python" else library
            known = Known(
                key=key,
                row=len(self.functions),
                category=category,
                object=base_name(object_),
                runtime=RUNTIMES[runtime],
                origin=whose,
                part=(part, named),
                library=installed(file),
            )
            self._by_key[key] = known
            self.functions.append(known)
        known.raw.setdefault(raw)
        return known.row
