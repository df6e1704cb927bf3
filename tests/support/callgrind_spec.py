"""A plain reader of the callgrind format, one line at a time, straight from the manual: the referee of the fast one."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from profpipe.model.profile import Profile

Function = tuple[str, str, str, int]  # name, file, object, recursion level
POSITION = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|\d+)|\*", re.ASCII)
ALPHABET = re.compile(r"[0-9a-fA-FxX+*-]+")
NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|\d+", re.ASCII)
SPACE = {"fn": "fn", "cfn": "fn", "jfn": "fn", "ob": "ob", "cob": "ob"}


class Bad(Exception):
    pass


@dataclass
class Reading:
    events: list[str] = field(default_factory=list)
    self_costs: dict[tuple[Function, str], list[int]] = field(default_factory=dict)
    calls: dict[tuple[Function, Function], list[int]] = field(default_factory=dict)
    totals: list[int] | None = None

    def sums(self) -> list[int]:
        return [sum(c[i] for c in self.self_costs.values()) for i in range(len(self.events))]


def number(word: str) -> int:
    if not NUMBER.fullmatch(word):
        raise Bad(f"{word!r} is no number")
    return int(word, 16 if word[:2].lower() == "0x" else 10)


def function(name: str, file: str, object_: str) -> Function:
    match = re.fullmatch(r"(.+)'([1-9][0-9]*)", name, re.DOTALL)
    if match and int(match[2]) >= 2:
        return match[1], file, object_, int(match[2])
    return name, file, object_, 1


def read(text: str, *, any_position: bool = False) -> Reading:
    """`any_position` allows position words that only hold the right letters, as the fast reader does: 1+2, 12ab."""
    position = ALPHABET if any_position else POSITION
    out = Reading()
    ids: dict[tuple[str, int], str] = {}
    positions = 1
    now = {"ob": "", "fl": ""}
    called: dict[str, str] = {}
    fn: Function | None = None
    pending: int | None = None
    costs: dict[tuple[Function, str], list[int]] = defaultdict(lambda: [0] * len(out.events))
    calls: dict[tuple[Function, Function], list[int]] = defaultdict(lambda: [0] * (1 + len(out.events)))

    def name_of(spec: str, value: str) -> str:
        space = SPACE.get(spec, "fl")
        value = value.strip(" \t")
        match = re.match(r"\((\d+)\)[ \t]*", value, re.ASCII)
        if match:
            key = (space, int(match[1]))
            if match.end() < len(value):
                ids[key] = value[match.end() :]
            elif key not in ids:
                raise Bad(f"{value} undefined")
            value = ids[key]
        return "" if value == "???" and space != "fn" else value

    for line in text.split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] in "0123456789+-*":
            words = line.split()
            if len(words) < positions or len(words) > positions + len(out.events):
                raise Bad(line)
            if not all(position.fullmatch(w) for w in words[:positions]):
                raise Bad(line)
            values = [number(w) for w in words[positions:]]
            values += [0] * (len(out.events) - len(values))
            if fn is None:
                raise Bad("no function")
            if pending is None:
                row = costs[(fn, now["fl"])]
            else:
                if "cfn" not in called:
                    raise Bad("no cfn")
                callee = function(called["cfn"], called.pop("cfi", now["fl"]), called.pop("cob", now["ob"]))
                row = calls[(fn, callee)]
                row[0] += pending
                values.insert(0, 0)
                pending = None
            for i, value in enumerate(values):
                row[i] += value
            continue
        if pending is not None:
            raise Bad("calls= without its cost line")
        spec, equals, value = line.partition("=")
        if equals and spec in ("fl", "fi", "fe"):
            now["fl"] = name_of(spec, value)
        elif equals and spec == "ob":
            now["ob"] = name_of(spec, value)
        elif equals and spec == "fn":
            fn = function(name_of(spec, value), now["fl"], now["ob"])
        elif equals and spec in ("cfn", "cfi", "cfl", "cob"):
            called[spec.replace("cfl", "cfi")] = name_of(spec, value)
        elif equals and spec in ("jfi", "jfn"):
            name_of(spec, value)
        elif equals and spec == "calls":
            pending = number(value.split()[0])
        elif equals and spec in ("jump", "jcnd"):
            continue
        else:
            key, colon, value = line.partition(":")
            if not colon:
                raise Bad(line)
            if key == "positions":
                positions = len(value.split())
            elif key == "events":
                out.events = value.split()
                now, called, fn = {"ob": "", "fl": ""}, {}, None
            elif key == "totals":
                stated = [number(w) for w in value.split()]
                stated += [0] * (len(out.events) - len(stated))
                out.totals = [a + b for a, b in zip(out.totals or [0] * len(stated), stated, strict=True)]
    if pending is not None:
        raise Bad("calls= without its cost line")
    out.self_costs, out.calls = dict(costs), dict(calls)
    return out


def flat(profile: Profile) -> Reading:
    """A profile in the referee's shape."""
    keys = [m.key for m in profile.metrics]
    functions, frames = profile.functions, profile.frames
    assert frames.file is not None

    def frame(i: int) -> tuple[Function, str]:
        f = int(frames.function[i])
        assert frames.file is not None
        name = functions.name[f]
        if profile.meta.tool.startswith("yappi"):
            name += f":{functions.line[f]}"
        who = (name, functions.file[f], functions.object[f], int(frames.level[i]))
        return who, frames.file[i]

    out = Reading(events=keys)
    assert profile.costs is not None
    for row, i in enumerate(profile.costs.frame.tolist()):
        assert frame(i) not in out.self_costs, "one row per frame"
        out.self_costs[frame(i)] = [int(profile.costs.values[k][row]) for k in keys]
    if profile.calls is not None:
        for row, (a, b) in enumerate(zip(profile.calls.caller.tolist(), profile.calls.callee.tolist(), strict=True)):
            caller, callee = frame(a), frame(b)
            assert caller[1] == caller[0][1], "edges lie between frames in the function's own file"
            assert callee[1] == callee[0][1], "edges lie between frames in the function's own file"
            assert (caller[0], callee[0]) not in out.calls, "one row per edge"
            values = [int(profile.calls.values[k][row]) for k in keys]
            out.calls[(caller[0], callee[0])] = [int(profile.calls.calls[row]), *values]
    if all(profile.declared[k] is not None for k in keys):
        out.totals = [profile.declared[k] or 0 for k in keys]
    return out
