"""What a study may ask of callgrind, and what that is in valgrind's options and the server's environment.

`--fair-sched=yes` except for Python: without it two busy threads of a native server share work 90/10. Python's own lock
takes turns already, and under the fair scheduler it was waited for more often: 2,000 requests to 20 threads then ranged
over 0.38 % of their instructions, without it over 0.17 % (five runs each, taken in turns on a busy machine).
`--trace-children=yes` always: without it a command behind `sh -c` runs without valgrind, and vgdb cannot reach forked
workers.
"""

from __future__ import annotations

import re
from pathlib import Path

from profpipe.capture.interface import Options, picked
from profpipe.capture.server.command import find_program

TUNABLES = "GLIBC_TUNABLES"
HWCAPS = "glibc.cpu.hwcaps"
# valgrind counts every byte of `rep stosb` as an instruction: memset seemed to be 64 % of a server.
NO_ERMS = "-ERMS"
NANOSECONDS_SINCE = (3, 16)
OPTIONS: Options = {
    "systime": True,
    "fair_sched": "auto",
    "trace_children": True,
    "separate_recs": 2,
    "separate_threads": False,
    "start_at": "second",
    "python_functions": "auto",
}


def chosen(options: Options) -> dict[str, str | int | float | bool]:
    """The defaults with the study's options. Raises UsageError for one that does not exist."""
    return picked("callgrind", OPTIONS, options)


def flags(options: Options, version: str | None, *, python: bool) -> tuple[str, ...]:
    """valgrind's options for a study's; `python` = the server has one lock for all its threads."""
    asked = chosen(options)
    fair = not python if asked["fair_sched"] == "auto" else asked["fair_sched"]
    numbers = tuple(int(part) for part in re.findall(r"\d+", version or "")[:2])
    systime = "nsec" if not numbers or numbers >= NANOSECONDS_SINCE else "yes"
    wanted = {
        f"--collect-systime={systime}": asked["systime"],
        "--fair-sched=yes": fair,
        "--trace-children=yes": asked["trace_children"],
        "--separate-threads=yes": asked["separate_threads"],
    }
    recursion = f"--separate-recs={asked['separate_recs']}"
    return ("--instr-atstart=no", recursion, *(flag for flag, on in wanted.items() if on))


def merged_tunables(present: str) -> str:
    """The user's tunables with ERMS turned off as well; the user's own hwcaps are kept, ours follow them."""
    parts = [part for part in present.split(":") if part]
    names = [part.partition("=")[0] for part in parts]
    if HWCAPS not in names:
        return ":".join([*parts, f"{HWCAPS}={NO_ERMS}"])
    where = names.index(HWCAPS)
    value = parts[where].partition("=")[2].split(",")
    parts[where] = f"{HWCAPS}={','.join(value if NO_ERMS in value else [*value, NO_ERMS])}"
    return ":".join(parts)


def merged_godebug(present: str) -> str:
    """Go's preemption signals make callgrind fail an assertion in one run of four under load."""
    return present if "asyncpreemptoff" in present else ",".join(filter(None, [present, "asyncpreemptoff=1"]))


def other_libc(argv: tuple[str, ...], cwd: Path) -> str | None:
    """A warning when the program's C library is not glibc, since the tunable then has no effect."""
    path = find_program(argv[0], cwd)
    if path is None:
        return None
    with Path(path).open("rb") as file:
        start = file.read(8192)
    if start[:4] != b"\x7fELF":
        return None
    if b"ld-musl" in start:
        return f"{argv[0]} uses musl: {TUNABLES} has no effect, string functions may count `rep` bytes one by one"
    if b"/ld-linux" not in start:
        return f"{argv[0]} is linked statically: {TUNABLES} may have no effect"
    return None
