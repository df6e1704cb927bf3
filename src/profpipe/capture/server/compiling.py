"""What a just-in-time compiler takes of a server's CPU time, and a warm-up that goes on until that is little.

Runtimes that compile in threads of their own name these threads, and the kernel counts the CPU time of each: nothing in
the server has to be asked. V8 and PyPy compile in threads that do other work too, so of them nothing is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from profpipe.cpu_clock import clock_id

# Names of threads as the kernel cuts them, to 15 characters: HotSpot's C1, C2 and JVMCI compilers, .NET's.
THREADS = ("C1 CompilerThre", "C2 CompilerThre", "JVMCI CompilerT", ".NET Tiered Com")
STEADY = 0.05  # of CPU time: below, the code is as good as compiled
MOST, LONGEST_S = 4, 30.0


def compiler_ns(pids: Sequence[int]) -> int | None:
    """CPU time of the compiler threads of these processes; None where there is no such thread.

    A thread that has ended takes its time with it: HotSpot ends compiler threads that have nothing to do.
    """
    found = [spent for pid in pids for spent in _threads(pid)]
    return sum(found) if found else None


def _threads(pid: int) -> list[int]:
    out = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            if (task / "comm").read_text().rstrip("\n") in THREADS:
                out.append(int((task / "schedstat").read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return out  # the process or a thread has ended, or the kernel keeps no schedstat
    return out


def share(before_ns: int | None, after_ns: int | None, cpu_ns: int | None) -> float | None:
    """The compiler's part of the CPU time spent between two readings; None where one is not known."""
    if after_ns is None or not cpu_ns:
        return None
    return min(max(after_ns - (before_ns or 0), 0) / cpu_ns, 1.0)


def warm_until_steady(warm_up: Callable[[], object], tree: Callable[[], Sequence[int]]) -> Mapping[str, str]:
    """Warm up once, and again while the compiler takes more than STEADY of CPU time; what was done, as facts.

    MOST times and LONGEST_S seconds at most. A server without compiler threads is warmed up once, without a fact.
    """
    begun, many = time.monotonic(), 0
    while True:
        before, cpu_before = compiler_ns(tree()), _cpu_ns(tree())
        warm_up()
        part = share(before, compiler_ns(tree()), _cpu_ns(tree()) - cpu_before)
        if part is None:
            return {}
        many += 1
        if part <= STEADY or many == MOST or time.monotonic() - begun > LONGEST_S:
            break
    return {"warm-ups": str(many), "compiler in the last warm-up": f"{part * 100:.0f} % of CPU time"}


def _cpu_ns(pids: Sequence[int]) -> int:
    total = 0
    for pid in pids:
        try:
            total += time.clock_gettime_ns(clock_id(pid))
        except OSError:
            continue
    return total
