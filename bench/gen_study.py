"""A run folder made of real captures (tests/data): what a study leaves behind, without running one.

Every round holds the same captures, and the clean runs' figures are made up: an input for the stages behind the
capture, no measurement. `python -m bench.gen_study FOLDER [ROUNDS]` writes one to look at.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

from profpipe import __version__, store
from profpipe.model.run import CaptureFile, Histogram, LoadResult, RunRecord, Usage
from profpipe.model.study import StudyRecord, VariantFacts
from profpipe.pipeline.prepare.schedule import RunPlan, schedule
from profpipe.units import Instrument

DATA = Path(__file__).parents[1] / "tests" / "data"
VARIANTS = ("threads", "asyncio", "gevent")
KINDS: dict[str, Instrument] = {"clean": "clean", "callgrind": "counted", "py-spy": "sampled", "yappi": "traced"}
REQUESTS = 2000
CREATED = "2026-01-02T03:04:05+00:00"


@dataclass(frozen=True)
class Source:
    """A stored capture: where it is, the name and format it has in a run folder."""

    path: Path
    name: str
    format: str

    def content(self) -> bytes:
        raw = self.path.read_bytes()
        return gzip.decompress(raw) if self.path.suffix == ".gz" else raw


def sources(variant: str) -> dict[str, Source]:
    """Profiler -> its capture of a variant."""
    pyspy = {"gevent": "pyspy-gevent-native.raw.txt", "threads": "pyspy-threads-threads.raw.txt"}
    return {
        "callgrind": Source(DATA / "callgrind" / f"{variant}.out.gz", "callgrind.out.1", "callgrind"),
        "py-spy": Source(DATA / "folded" / pyspy.get(variant, f"pyspy-{variant}.raw.txt"), "py-spy.txt", "folded"),
        "yappi": Source(DATA / "analyse" / f"yappi_cpugreenlet-{variant}.pstats", "yappi.1.pstats", "pstats"),
    }


def load(place: int) -> LoadResult:
    latency = Histogram.of([100.0 + 7 * n + place for n in range(REQUESTS)])
    return LoadResult("builtin", "1", (), "closed", "none", 20, 1, REQUESTS, 0.5, REQUESTS, latency=latency)


def record(run: RunPlan, captures: tuple[CaptureFile, ...]) -> RunRecord:
    place = VARIANTS.index(run.variant)
    cpu_ns = REQUESTS * (20_000 + 5_000 * place + 37 * run.round)
    usage = Usage(0.5, cpu_ns, 0.03, 0.02, rss_peak_bytes=20 << 20, voluntary_switches=REQUESTS, foreign_cpu_s=0.0)
    return RunRecord(
        study="stored",
        variant=run.variant,
        profiler=run.profiler,
        round=run.round,
        order=run.order,
        command=("python3", f"{run.variant}.py"),
        started=CREATED,
        control=run.control,
        load=load(place),
        usage=usage,
        throughput=load(place) if run.profiler == "clean" else None,
        captures=captures,
    )


def write_study(reports: Path, rounds: int = 5, kinds: dict[str, Instrument] | None = None) -> Path:
    """The run folder, below `reports`/stored."""
    kinds = KINDS if kinds is None else kinds
    runs = schedule(VARIANTS, dict.fromkeys(kinds, rounds), VARIANTS[0], control=["clean", "callgrind"])
    folder = store.new_study_folder(reports, "stored", "20260102-030405")
    store.write_study(folder, study(rounds, kinds, len(runs)))
    contents = {(v, p): (s, s.content()) for v in VARIANTS for p, s in sources(v).items()}
    for run in runs:
        home = store.new_run_folder(folder, run.order, run.variant, run.profiler, run.round, run.control)
        files = []
        if run.profiler != "clean":
            source, content = contents[run.variant, run.profiler]
            (home / "raw").mkdir()
            (home / "raw" / source.name).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            files.append(CaptureFile(f"raw/{source.name}", source.format, digest, len(content)))
        store.write_run(home, record(run, tuple(files)))
    return folder


def study(rounds: int, kinds: dict[str, Instrument], planned: int) -> StudyRecord:
    return StudyRecord(
        study="stored",
        question="What do stored captures say?",
        baseline=VARIANTS[0],
        variants=tuple(VariantFacts(v, v, "python", ("{python}", f"{v}.py", "{port}")) for v in VARIANTS),
        rounds=rounds,
        load=f"{REQUESTS:,} requests a run",
        placement="same core",
        command="profpipe run stored",
        created=CREATED,
        profpipe=__version__,
        kinds=kinds,
        environment={"CPU": "unknown"},
        planned_runs=planned,
    )


if __name__ == "__main__":
    print(write_study(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5))
