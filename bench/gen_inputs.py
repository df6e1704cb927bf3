"""The inputs of bench/commands.py: each makes its files in a folder once, in a process of its own.

What this process held when it forks would count as its children's peak memory, so it imports nothing large.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parents[1]
DATA = HERE / "tests" / "data"
Input = Callable[[Path], dict[str, str]]
# What a capture of a real program looks like at 3 MB: the start of an interpreter that imports a large package.
REAL = ("valgrind", "--tool=callgrind", "--callgrind-out-file={}", sys.executable, "-c", "import pandas")
HISTORY = """
import sys; from pathlib import Path; from bench.gen_history import functions, write_large
write_large(Path(sys.argv[1]), 1000, 2000); print(functions(2000)[7][0])
"""


def python(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=HERE, capture_output=True, text=True, check=True)
    # DuckDB shows its progress in front.
    return done.stdout.split()[-1] if done.stdout.split() else ""


def stored(name: str, as_: str) -> Input:
    """A capture of tests/data, unpacked."""

    def made(folder: Path) -> dict[str, str]:
        (folder / as_).write_bytes(gzip.decompress((DATA / "callgrind" / name).read_bytes()))
        return {"FILE": str(folder / as_)}

    return made


def two_callgrind(folder: Path) -> dict[str, str]:
    base, other = stored("threads.out.gz", "a.out")(folder), stored("asyncio.out.gz", "b.out")(folder)
    return base | {"FILE2": other["FILE"]}


def generated(kind: str, size: int) -> Input:
    def made(folder: Path) -> dict[str, str]:
        file = folder / f"{kind}-{size}"
        if not file.exists():
            if kind == "callgrind":
                python("bench/gen_callgrind.py", "--mb", str(size), "--instr", "-o", str(file))
            else:
                python("-m", "bench.gen_text", kind, str(size), str(file))
        return {"FILE": str(file)}

    return made


def real_callgrind(folder: Path) -> dict[str, str]:
    file = folder / "real.out"
    subprocess.run([word.format(file) for word in REAL], capture_output=True, check=True)
    return {"FILE": str(file)}


def run_folder(rounds: int) -> Input:
    def made(folder: Path) -> dict[str, str]:
        return {"FILE": python("-m", "bench.gen_study", str(folder / f"rounds-{rounds}"), str(rounds))}

    return made


def run_folders(folder: Path) -> dict[str, str]:
    return {"FILE": run_folder(50)(folder)["FILE"], "FILE2": run_folder(7)(folder)["FILE"]}


def history(folder: Path) -> dict[str, str]:
    function = python("-c", HISTORY, str(folder / "history"))
    return {"FILE": str(folder / "history"), "FUNCTION": function}


def nothing(folder: Path) -> dict[str, str]:  # noqa: ARG001
    return {}


INPUTS: dict[str, Input] = {
    "nothing": nothing,
    "study file": lambda _: {"FILE": str(HERE / "profpipe.toml")},
    "report": lambda _: {"FILE": str(DATA / "report" / "fastapi-json.json")},
    "callgrind 0.2": stored("asyncio.out.gz", "asyncio.out"),
    "callgrind 3": real_callgrind,
    "callgrind 50": generated("callgrind", 50),
    "callgrind two": two_callgrind,
    "pstats 10000": generated("pstats", 10_000),
    "pstats 40000": generated("pstats", 40_000),
    "perf 80": generated("perf", 80),
    "folded 62000": generated("folded", 62_000),
    "folded 250000": generated("folded", 250_000),
    "folded 1000000": generated("folded", 1_000_000),
    "run folder 5": run_folder(5),
    "run folders": run_folders,
    "history": history,
}
