"""One registry for every kind of part that can be added: parsers, profilers, load generators, rules and others.

Built-in parts are named as "module:attribute" (or "module" when the module is the part) and imported when they are
first used. Parts of other packages are found by entry points of the kind's group. A part of another package that cannot
be used, or that raises while it is used, is left out with its package and the reason; every other part keeps working.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from profpipe.errors import PartFailed, ProfpipeError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of another package that is not used. `package` is its distribution with the version."""

    kind: str
    name: str
    package: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} of {self.package} is left out: {self.reason}"


@dataclass(frozen=True, slots=True)
class _Choice:
    """Of the parts with one name: the one that is used, with its entry point (None: none can be), and the others."""

    point: EntryPoint | None
    part: object
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Registry(Generic[Part]):
    """The parts of one kind by name.

    `kind` is the word for messages ("parser"), `protocol` what every part offers, `builtin` maps a name to
    "module:attribute", `group` is the entry-point group of other packages. Entry points are read once per registry;
    `dataclasses.replace(registry)` gives one that reads them again.
    """

    kind: str
    protocol: type[Any]  # Part itself, which mypy does not take for an abstract class
    builtin: Mapping[str, str]
    group: str

    def get(self, name: str) -> Part:
        """The part of that name; no part of another name is imported.

        Raises UsageError when there is none, with the names that exist, or when it is left out, with the reason.
        """
        if name in self.builtin:
            return cast("Part", _resolve(self.builtin[name]))
        if name not in self._candidates:
            broken = "".join(f"; {part}" for part in self.left_out())
            raise UsageError(f"no {self.kind} named {name!r}; there are: {', '.join(self.names())}{broken}")
        found = self._choose(name)
        if found.point is None:
            raise UsageError("; ".join(map(str, found.left_out)))
        return cast("Part", found.part)

    @contextmanager
    def blaming(self, name: str) -> Iterator[None]:
        """Around a use of the part `name`: what a part of another package raises there becomes a PartFailed.

        It names the part, and `plugins` and `parts` leave it out from then on. Our own errors, with which a part
        says on purpose what is wrong, and everything that a built-in part raises pass unchanged.
        """
        try:
            yield
        except ProfpipeError:
            raise
        except Exception as error:
            if name in self.builtin or name not in self._candidates:
                raise
            point = self._choose(name).point
            package = "another package" if point is None else _package(point)
            failed = LeftOut(self.kind, name, package, f"it raised {_in_words(error)}")
            self._failed[name] = failed
            raise PartFailed(str(failed)) from error

    def names(self) -> tuple[str, ...]:
        """Built-in names in the order of the registry, then those of other packages' usable parts by name."""
        return (*self.builtin, *(name for name, _ in self.plugins()))

    def known_names(self) -> tuple[str, ...]:
        """As `names`, with those of parts that cannot be used. Imports nothing."""
        return (*self.builtin, *self._candidates)

    def plugins(self) -> Iterator[tuple[str, Part]]:
        """The usable parts of other packages with their names, in the order of the names. Imports all of them."""
        for name in self._candidates:
            found = self._choose(name)
            if found.point is not None and name not in self._failed:
                yield name, cast("Part", found.part)

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Every usable part with its name, in the order of `names`. Imports all of them."""
        for name in self.builtin:
            yield name, self.get(name)
        yield from self.plugins()

    def left_out(self) -> tuple[LeftOut, ...]:
        """The parts of other packages that cannot be used or have failed, with package and reason. Imports all."""
        taken = tuple(
            LeftOut(self.kind, point.name, _package(point), "the name is taken by profpipe itself")
            for point in self._entry_points
            if point.name in self.builtin
        )
        unusable = (part for name in self._candidates for part in self._choose(name).left_out)
        return (*taken, *unusable, *self._failed.values())

    def package(self, name: str) -> str | None:
        """The package and version whose part of this name is used; None for a built-in or unusable one."""
        point = self._choose(name).point if name in self._candidates else None
        return None if point is None else _package(point)

    @cached_property
    def _entry_points(self) -> tuple[EntryPoint, ...]:
        from importlib.metadata import entry_points  # 20 ms, which `profpipe --help` does not have

        return tuple(sorted(entry_points(group=self.group), key=lambda point: (point.name, _package(point))))

    @cached_property
    def _candidates(self) -> dict[str, tuple[EntryPoint, ...]]:
        """Entry points by name, those with the name of a built-in part left out. Several packages may have one name."""
        names = dict.fromkeys(point.name for point in self._entry_points if point.name not in self.builtin)
        return {name: tuple(point for point in self._entry_points if point.name == name) for name in names}

    @cached_property
    def _chosen(self) -> dict[str, _Choice]:
        return {}

    @cached_property
    def _failed(self) -> dict[str, LeftOut]:
        return {}

    def _choose(self, name: str) -> _Choice:
        """The first usable part of that name, in the order of the packages' names; the others are left out."""
        if name not in self._chosen:
            self._chosen[name] = self._first_usable(self._candidates[name])
        return self._chosen[name]

    def _first_usable(self, points: Sequence[EntryPoint]) -> _Choice:
        left_out: list[LeftOut] = []
        used, part = None, None
        for point in points:
            if used is not None:
                reason = f"the name is taken by {_package(used)}"
                left_out.append(LeftOut(self.kind, point.name, _package(point), reason))
                continue
            loaded = self._import(point)
            if isinstance(loaded, LeftOut):
                left_out.append(loaded)
            else:
                used, part = point, loaded
        return _Choice(used, part, tuple(left_out))

    def _import(self, point: EntryPoint) -> Part | LeftOut:
        try:
            part = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what another package raises on import is not known
            reason = f"importing {point.value} raised {_in_words(error)}"
            return LeftOut(self.kind, point.name, _package(point), reason)
        faults = protocol_faults(part, self.protocol)
        if faults:
            return LeftOut(self.kind, point.name, _package(point), f"{point.value} {'; it '.join(faults)}")
        return cast("Part", part)


def protocol_faults(part: object, protocol: type) -> list[str]:
    """In which ways `part`, an object or a module, does not follow a Protocol class; empty when it does.

    Checked are that every member exists, that methods can be called with the protocol's arguments, and that members
    annotated `str` are text. Values of other types are not checked.
    """
    missing, faults = [], []
    for name, wanted in _members(protocol).items():
        if name == "__call__" and not callable(part):
            faults.append(f"is {type(part).__name__}, expected a function")
        elif not hasattr(part, name):
            missing.append(name)
        elif callable(wanted):
            faults += _call_faults(name, getattr(part, name), wanted)
        elif wanted == "str" and not isinstance(getattr(part, name), str):
            faults.append(f"has {type(getattr(part, name)).__name__} for {name}, expected str")
    return [f"lacks {', '.join(missing)}", *faults] if missing else faults


def _members(protocol: type) -> dict[str, Any]:
    """Members of a protocol and of those it extends: methods as functions, the rest as their annotation's text."""
    members: dict[str, Any] = {}
    for base in reversed(protocol.__mro__):
        if getattr(base, "_is_protocol", False) and base.__module__ != "typing":
            members |= {name: str(getattr(kind, "__name__", kind)) for name, kind in base.__annotations__.items()}
            members |= {name: value for name, value in vars(base).items() if callable(value)}
    return {name: wanted for name, wanted in members.items() if not name.startswith("_") or name == "__call__"}


def _call_faults(name: str, function: object, wanted: Any) -> list[str]:
    """The fault of a function that a call as the protocol writes it would be refused by for its arguments."""
    from inspect import Parameter, signature

    if not callable(function):
        return [f"has {type(function).__name__} for {name}, expected a function"]
    expected = list(signature(wanted).parameters.values())[1:]  # without self
    positional = [p.name for p in expected if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    keywords = {p.name: p.name for p in expected if p.kind is Parameter.KEYWORD_ONLY}
    try:
        signature(function).bind(*positional, **keywords)
    except TypeError:
        return [f"has a {name} that does not take ({', '.join([*positional, *(f'{k}=' for k in keywords)])})"]
    except ValueError:  # a function of a C extension may not say its arguments
        return []
    return []


def _resolve(target: str) -> object:
    """What a "module:attribute" or "module" names."""
    module, _, attribute = target.partition(":")
    found = import_module(module)
    return getattr(found, attribute) if attribute else found


def _in_words(error: BaseException) -> str:
    """The error in one short line that is safe to print."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(str(error).split())[:200])
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unnamed package"
