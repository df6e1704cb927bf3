"""Python servers as call graphs built by hand: counted per Python function, and traced with the calls of built-ins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from profpipe.analyse import RunData, build_report
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, Meta, Profile
from profpipe.model.report import Report
from profpipe.units import CPU_NS, INSTRUCTIONS
from tests.support.analyse_cases import load, record, study

REQUESTS = 100
APP = "/srv/shop/app.py"
LIBRARY = "/srv/venv/lib/python3.13/site-packages/"
STANDARD = "/usr/lib/python3.13/"


@dataclass(frozen=True)
class Function:
    """Self per request, and whom it calls how often per request. A file without `.py` is a built-in's module.

    `resumed` = how often callgrind sees it begin per call, as a coroutine that waits begins again.
    """

    own: int
    calls: Mapping[str, int] = field(default_factory=dict)
    file: str = APP
    line: int = 1
    resumed: int = 1

    @property
    def built_in(self) -> bool:
        return not self.file.endswith(".py")


Server = Mapping[str, Function]


def counted(server: Server) -> Profile:
    """As callgrind sees it: no lines, no built-ins (what they cost is their callers'), each resumption a call."""
    builder = Builder("counted", (INSTRUCTIONS,))
    frames = {
        n: builder.frame(builder.function(n, f.file, runtime=PYTHON)) for n, f in server.items() if not f.built_in
    }
    for name, frame in frames.items():
        f = server[name]
        folded = sum(server[c].own for c in f.calls if server[c].built_in)
        builder.cost(frame, ((f.own + folded) * REQUESTS,))
        for callee, calls in f.calls.items():
            if callee in frames:
                many = calls * server[callee].resumed * REQUESTS
                builder.call(frame, frames[callee], many, (_part(server, callee, calls) * REQUESTS,))
    return builder.freeze(Meta(format="callgrind"))


def traced(server: Server) -> Profile:
    """As yappi sees it: lines, built-ins, a coroutine once."""
    builder = Builder("traced", (CPU_NS,))
    frames = {}
    for name, f in server.items():
        place = (
            {"object": f.file, "runtime": NATIVE} if f.built_in else {"file": f.file, "line": f.line, "runtime": PYTHON}
        )
        frames[name] = builder.frame(builder.function(name, **place))  # type: ignore[arg-type]
    for name, f in server.items():
        called = _called(server, name)
        builder.cost(frames[name], (f.own * REQUESTS,))
        builder.total(frames[name], max(called, 1) * REQUESTS, (_part(server, name, called) * REQUESTS,))
        for callee, calls in f.calls.items():
            builder.call(frames[name], frames[callee], calls * REQUESTS, (_part(server, callee, calls) * REQUESTS,))
    return builder.freeze(Meta(format="yappi"))


def _called(server: Server, name: str) -> int:
    return sum(f.calls.get(name, 0) for f in server.values())


def _part(server: Server, name: str, calls: int) -> int:
    """What these calls of a function cost, with all that it calls (no function calls back)."""
    called = _called(server, name)
    whole = server[name].own + sum(_part(server, callee, n) for callee, n in server[name].calls.items())
    return round(whole * calls / called) if called else whole


def report_of(before: Server, after: Server, *, with_traced: bool = True) -> Report:
    """A study of the servers `a` and `b`, in two rounds."""
    kinds = {"callgrind": "counted"} | ({"yappi": "traced"} if with_traced else {})
    views = {"callgrind": counted, "yappi": traced}
    runs = [
        RunData(record(v, kind, number, command=("python", APP), load=load(REQUESTS)), (views[kind](server),))
        for v, server in {"a": before, "b": after}.items()
        for kind in kinds
        for number in (1, 2)
    ]
    return build_report(study(runs, languages=dict.fromkeys("ab", "python"), kinds=kinds, rounds=2))
