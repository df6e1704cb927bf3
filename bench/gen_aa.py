"""Real rounds of one commit against itself, in compact form: what A/A comparisons are made of (tests/data/aa).

`python -m bench.gen_aa NAME FOLDER...` writes tests/data/aa/NAME.json.gz from run folders of a study with one target:
per run the self instructions and system calls of every function, and the figures of the clean runs. Call graphs,
files and lines are left out; functions that are nowhere 0.01 % of a run, a tenth of what a verdict needs, are one row
`(smaller functions)`. `study` reads one back as the StudyData that a report is built from.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from profpipe import store
from profpipe.analyse import RunData, StudyData
from profpipe.model.build import Builder
from profpipe.model.derive import function_table
from profpipe.model.profile import Meta, Profile
from profpipe.model.run import LoadResult, RunRecord, Usage
from profpipe.model.study import StudyRecord, VariantFacts
from profpipe.units import INSTRUCTIONS, SYSCALLS

DATA = Path(__file__).parents[1] / "tests" / "data" / "aa"
SMALL = 1e-4
METRICS = (INSTRUCTIONS, SYSCALLS)
KINDS = {"clean": "clean", "callgrind": "counted"}
USAGE = (
    "window_s", "cpu_ns", "user_s", "system_s", "rss_peak_bytes", "voluntary_switches", "involuntary_switches",
    "processes", "threads", "foreign_cpu_s",
)  # fmt: skip
Change = Callable[[str, bool, int], float]


def servers() -> list[str]:
    return sorted(path.name.removesuffix(".json.gz") for path in DATA.glob("*.json.gz"))


def collect(folders: list[Path]) -> dict[str, Any]:
    """The compact form of every valid run of the folders."""
    from profpipe.parse import parse_files

    functions: dict[tuple[str, str, int], int] = {}
    runs = []
    for part, folder in enumerate(folders):
        language = store.read_study(folder).variants[0].language
        for stored in store.read_runs(folder):
            record = stored.record
            if not record.valid or record.load is None or record.usage is None:
                continue
            row: dict[str, Any] = {
                "profiler": record.profiler,
                "order": 1000 * part + record.order,
                "served": record.load.served,
                "seconds": record.load.seconds,
                "usage": [getattr(record.usage, name) for name in USAGE],
                "client": record.load.client_cpu_s,
            }
            if record.throughput is not None:
                row["rate"] = [record.throughput.served, record.throughput.seconds]
            if record.captures:
                profiles = parse_files([stored.folder / c.path for c in record.captures], record.captures[0].format)
                row["self"] = _self(profiles, functions)
            runs.append(row)
    names = [list(key) for key in functions]
    return _folded(language, names, runs)


def _folded(language: str, names: list[list[Any]], runs: list[dict[str, Any]]) -> dict[str, Any]:
    large = set()
    for row in (r["self"] for r in runs if "self" in r):
        whole = [sum(values) for values in zip(*(rest for _, *rest in row), strict=True)]
        large |= {place for place, *rest in row if any(v > SMALL * w for v, w in zip(rest, whole, strict=True))}
    kept = {place: i for i, place in enumerate(sorted(large))}
    for run in (r for r in runs if "self" in r):
        small = [
            sum(values) for values in zip((0, 0), *(rest for p, *rest in run["self"] if p not in kept), strict=True)
        ]
        run["self"] = [[kept[p], *rest] for p, *rest in run["self"] if p in kept] + [[len(kept), *small]]
    functions = [*(names[place] for place in kept), ["(smaller functions)", "", names[0][2]]]
    return {"language": language, "functions": functions, "runs": runs}


def _self(profile: Profile, functions: dict[tuple[str, str, int], int]) -> list[list[int]]:
    """Rows of (function, instructions, system calls) that are not 0."""
    f = profile.functions
    tables = [function_table(profile, m.key)["self"].to_numpy() for m in METRICS]
    found: dict[int, list[int]] = {}
    for i, (name, object_) in enumerate(zip(f.name, f.object, strict=True)):
        values = [int(table[i]) for table in tables]
        if any(values):
            place = functions.setdefault((name, object_.rpartition("/")[2], int(f.runtime[i])), len(functions))
            known = found.setdefault(place, [0, 0])
            found[place] = [a + b for a, b in zip(known, values, strict=True)]
    return [[place, *values] for place, values in found.items()]


@cache
def _read(server: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((DATA / f"{server}.json.gz").read_bytes()))
    return found


@cache
def study(server: str) -> StudyData:
    """All runs of a server as one variant; profiles hold self values only."""
    data = _read(server)
    runs = tuple(_run(server, row, data["functions"]) for row in data["runs"])
    return StudyData(
        record=StudyRecord(
            study=f"aa-{server}",
            question="Does the same commit differ from itself?",
            baseline=server,
            variants=(VariantFacts(server, server, data["language"], ()),),
            rounds=0,
            load="",
            placement="",
            command="",
            created="",
            profpipe="",
            kinds=KINDS,  # type: ignore[arg-type]
            environment={},
        ),
        runs=runs,
        # A set that has the load generator's time is judged as commits of one server are.
        same_program=any(row.get("client") for row in data["runs"]),
    )


def _run(server: str, row: dict[str, Any], functions: list[list[Any]]) -> RunData:
    load = replace(_load(row["served"], row["seconds"]), client_cpu_s=row.get("client"))
    record = RunRecord(
        study=f"aa-{server}",
        variant=server,
        profiler=row["profiler"],
        round=row["order"],
        order=row["order"],
        command=(server,),
        started="",
        load=load,
        usage=Usage(**dict(zip(USAGE, row["usage"], strict=True))),
        throughput=_load(*row["rate"]) if "rate" in row else None,
    )
    return RunData(record, (_profile(row["self"], functions),) if "self" in row else ())


def _load(served: int, seconds: float) -> LoadResult:
    return LoadResult("h2load", "", (), "closed", "none", 20, 1, served, seconds, served)


def _profile(rows: list[list[int]], functions: list[list[Any]]) -> Profile:
    builder = Builder("counted", METRICS)
    for place, *values in rows:
        name, object_, runtime = functions[place]
        builder.cost(builder.frame(builder.function(name, "", object_, runtime=runtime)), values)
    return builder.freeze(Meta(format="callgrind"))


def changed(
    data: StudyData, variant: str, *, cpu: float = 1.0, function: str = "", instructions: float = 0.0
) -> StudyData:
    """The study with a known change put into one side: `cpu` = factor on its CPU time; `instructions` = part of the
    run's total that `function` spends more."""
    runs = []
    for run in data.runs:
        r = run.record
        if r.variant == variant and not r.control:
            if r.profiler == "clean" and r.usage is not None and r.usage.cpu_ns is not None and cpu != 1.0:
                run = replace(run, record=replace(r, usage=replace(r.usage, cpu_ns=round(r.usage.cpu_ns * cpu))))
            if run.profiles and instructions:
                run = replace(run, profiles=tuple(_dearer(p, function, instructions) for p in run.profiles))
        runs.append(run)
    return replace(data, runs=tuple(runs))


def _dearer(profile: Profile, function: str, part: float) -> Profile:
    assert profile.costs is not None
    own = profile.costs.values["instructions"].copy()
    place = profile.functions.name.index(function)
    frame = int((profile.frames.function == place).nonzero()[0][0])
    row = int((profile.costs.frame == frame).nonzero()[0][0])
    own[row] += round(part * int(own.sum()))
    costs = replace(profile.costs, values={**profile.costs.values, "instructions": own})
    return replace(profile, costs=costs, declared={})


if __name__ == "__main__":
    name, *folders = sys.argv[1:]
    text = json.dumps(collect([Path(folder) for folder in folders]), separators=(",", ":"))
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
