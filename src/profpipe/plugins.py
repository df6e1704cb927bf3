"""One registry for every kind of part that can be added: parsers, profilers, load generators, exporters, forges, rules
and executors.

Built-in parts are named as "module:attribute" (or "module" when the module is the part) and imported when they are
first used. Parts of other packages are found by entry points of the kind's group. A part of another package that cannot
be used is left out, with its package and the reason; every other part keeps working.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from profpipe.errors import UsageError

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
        """The part of that name; no other part is imported.

        Raises UsageError when there is none, with the names that exist, or when it is left out, with the reason.
        """
        if name in self.builtin:
            return cast("Part", _resolve(self.builtin[name]))
        point = next((point for point in self._points if point.name == name), None)
        if point is None:
            broken = "".join(f"; {part}" for part in self.left_out())
            raise UsageError(f"no {self.kind} named {name!r}; there are: {', '.join(self.names())}{broken}")
        part = self._load(point)
        if isinstance(part, LeftOut):
            raise UsageError(str(part))
        return part

    def names(self) -> tuple[str, ...]:
        """Built-in names in the order of the registry, then those of other packages' usable parts by name."""
        return (*self.builtin, *(name for name, _ in self.plugins()))

    def known_names(self) -> tuple[str, ...]:
        """As `names`, with those of parts that cannot be used. Imports nothing."""
        return (*self.builtin, *(point.name for point in self._points))

    def plugins(self) -> Iterator[tuple[str, Part]]:
        """The usable parts of other packages with their names, in the order of the names. Imports all of them."""
        for point in self._points:
            part = self._load(point)
            if not isinstance(part, LeftOut):
                yield point.name, part

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Every usable part with its name, in the order of `names`. Imports all of them."""
        for name in self.builtin:
            yield name, self.get(name)
        yield from self.plugins()

    def left_out(self) -> tuple[LeftOut, ...]:
        """The parts of other packages that cannot be used, each with its package and the reason. Imports all."""
        loaded = [self._load(point) for point in self._points]
        return (*self._taken, *(part for part in loaded if isinstance(part, LeftOut)))

    def package(self, name: str) -> str | None:
        """The package and version that adds this part; None for a built-in one. Imports nothing."""
        return next((_package(point) for point in self._points if point.name == name), None)

    @cached_property
    def _found(self) -> tuple[tuple[EntryPoint, ...], tuple[LeftOut, ...]]:
        """Entry points whose name is free, and those whose name is taken by a built-in part or an earlier package."""
        from importlib.metadata import entry_points  # 20 ms, which `profpipe --help` does not have

        owners = dict.fromkeys(self.builtin, "profpipe itself")
        free, taken = [], []
        for point in sorted(entry_points(group=self.group), key=lambda p: (p.name, _package(p))):
            if point.name in owners:
                reason = f"the name is taken by {owners[point.name]}"
                taken.append(LeftOut(self.kind, point.name, _package(point), reason))
            else:
                owners[point.name] = _package(point)
                free.append(point)
        return tuple(free), tuple(taken)

    @property
    def _points(self) -> tuple[EntryPoint, ...]:
        return self._found[0]

    @property
    def _taken(self) -> tuple[LeftOut, ...]:
        return self._found[1]

    @cached_property
    def _loaded(self) -> dict[str, Part | LeftOut]:
        return {}

    def _load(self, point: EntryPoint) -> Part | LeftOut:
        """The part, imported once; LeftOut when its import fails or it does not follow the protocol."""
        if point.name not in self._loaded:
            self._loaded[point.name] = self._import(point)
        return self._loaded[point.name]

    def _import(self, point: EntryPoint) -> Part | LeftOut:
        try:
            part = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what another package raises on import is not known
            text = " ".join(str(error).split())[:200]
            reason = f"importing {point.value} raised {type(error).__name__}{': ' if text else ''}{text}"
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


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unnamed package"
