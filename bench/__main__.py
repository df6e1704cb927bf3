"""`make bench`: every benchmark of this folder, one process each, so that one's memory is not another's peak.

A benchmark is a file whose module text says what it measures and against what; it prints its own table and exits with
1 when a promise of the project is broken. Files named gen_* make inputs, same_* compare outputs.
`python -m bench NAME...` runs some of them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench._program import run

HERE = Path(__file__).parent


def benchmarks() -> dict[str, str]:
    """Name -> first line of the module text."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        if not path.stem.startswith(("_", "gen_", "same_")):
            text = ast.get_docstring(ast.parse(path.read_text())) or ""
            found[path.stem] = text.partition("\n")[0]
    return found


def main(names: Sequence[str]) -> int:
    known = benchmarks()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    broken = []
    for name in names or known:
        print(f"\n== {name}: {known[name]}", flush=True)
        if _code([sys.executable, "-m", f"bench.{name}"]):
            broken.append(name)
    if broken:
        print(f"\nbroken: {', '.join(broken)}", file=sys.stderr)
    return bool(broken)


def _code(command: list[str]) -> int:
    """The exit code of a benchmark. One that is under way when this program is stopped is stopped as well."""
    with subprocess.Popen(command, cwd=HERE.parent) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            raise


if __name__ == "__main__":
    run(main)
