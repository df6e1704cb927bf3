"""Programs as call graphs built by hand, each at two commits: a study of them, its report, and looks into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from profpipe.analyse import RunData, StudyData, build_report
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, Meta, Profile
from profpipe.model.report import Alignment, Cell, CommitInfo, FunctionRow, HotspotTable, Report
from profpipe.units import INSTRUCTIONS, Metric
from tests.support.analyse_cases import load, record, study

REQUESTS = 100
PROGRAM = "/srv/app/server"


@dataclass(frozen=True)
class Function:
    """Self per request, and whom it calls how often per request."""

    own: int
    calls: Mapping[str, int] = field(default_factory=dict)
    file: str = "src/app.c"
    object: str = PROGRAM


Program = Mapping[str, Function]


def profile(program: Program, metric: Metric = INSTRUCTIONS) -> Profile:
    builder = Builder("counted", (metric,))
    frames = {
        name: builder.frame(builder.function(name, f.file, f.object, runtime=NATIVE)) for name, f in program.items()
    }
    called = {name: sum(f.calls.get(name, 0) for f in program.values()) for name in program}

    def part(name: str, calls: int) -> float:
        """What these calls of a function cost, with all that it calls (no function calls back)."""
        whole = program[name].own + sum(part(callee, n) for callee, n in program[name].calls.items())
        return whole * calls / called[name]

    for name, f in program.items():
        builder.cost(frames[name], (f.own * REQUESTS,))
        for callee, calls in f.calls.items():
            builder.call(frames[name], frames[callee], calls * REQUESTS, (round(part(callee, calls) * REQUESTS),))
    return builder.freeze(Meta(format="callgrind"))


def renamed(program: Program, old: str, new: str, **more: object) -> dict[str, Function]:
    """The program with one function under another name, its callers with it; `more` replaces fields of it."""

    def calls(f: Function) -> dict[str, int]:
        return {new if callee == old else callee: n for callee, n in f.calls.items()}

    out = {(new if name == old else name): replace(f, calls=calls(f)) for name, f in program.items()}
    out[new] = replace(out[new], **more)  # type: ignore[arg-type]
    return out


def study_of(programs: Mapping[str, Program], *, commits: bool = True) -> StudyData:
    runs = [
        RunData(record(v, "callgrind", number, command=(PROGRAM,), load=load(REQUESTS)), (counted,))
        for v, p in programs.items()
        for counted in (profile(p),)
        for number in (1, 2)
    ]
    return study(
        runs,
        languages=dict.fromkeys(programs, "native"),
        kinds={"callgrind": "counted"},
        rounds=2,
        commits={v: CommitInfo(commit=v * 8) for v in programs} if commits else {},
    )


@dataclass(frozen=True)
class Seen:
    """The report of two commits, `a` and `b`."""

    report: Report

    @property
    def table(self) -> HotspotTable:
        return self.report.hotspots[0]

    @property
    def rows(self) -> dict[str, FunctionRow]:
        return {row.function.name: row for category in self.table.rows for row in category.functions}

    def cell(self, name: str) -> Cell:
        return self.rows[name].cells["b"]

    def alignment(self, name: str) -> Alignment:
        return self.rows[name].alignment["b"]

    @property
    def aligned(self) -> dict[str, str]:
        """Name now -> name before, of rows that hold both sides."""
        return {
            name: row.alignment["b"].before.name
            for name, row in self.rows.items()
            if "b" in row.alignment and row.cells["a"].self and row.cells["b"].self
        }


def seen(a: Program, b: Program, *, commits: bool = True) -> Seen:
    return Seen(build_report(study_of({"a": a, "b": b}, commits=commits)))
