"""The process of a load generator: how it is started, put on its processors, bounded, measured and ended.

Two things end what a killed profpipe leaves behind, since they know it in different ways. A server has a keeper
(capture/server/keeper.py), its parent, which must outlive it to account for its whole tree. A load has profpipe itself
as its parent, so that wait4 gives its processor time exactly, and the guard (guard.py), which only looks for its mark.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from profpipe.errors import LoadError
from profpipe.load.doubts import Doubt
from profpipe.load.guard import guard
from profpipe.load.interface import Cpus, Program
from profpipe.study.schema import LoadPlan
from profpipe.units import UNKNOWN

OUTPUT_LIMIT = 64 * 1024  # of a tool's own text kept in a LoadResult
PLACING_S = 1.0  # for threads to appear: wrk's come after 2 ms, h2load's after 5 ms
WHOLE = 0.9  # of the planned duration, below which a load was stopped early
CLIENT_BOUND = 0.90  # share of its processors above which a generator measures itself


@dataclass(frozen=True, slots=True)
class Ended:
    """A generator's process after its end. `code` is negative for a signal, as in subprocess."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float
    cpu_s: float
    timed_out: bool
    doubts: tuple[Doubt, ...] = ()  # about where it ran


@contextmanager
def _on_processors(cpus: Cpus) -> Iterator[None]:
    """Threads and children started inside run on these processors.

    The calling thread is moved and moved back: a child inherits its affinity, and unlike preexec_fn this is safe
    in a process with threads.
    """
    if not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, cpus)
    except OSError as error:
        raise LoadError(f"the load generator cannot be put on {_named(cpus)}: {error.strerror}") from error
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _named(cpus: Cpus) -> str:
    return f"processor{'s' if len(cpus) > 1 else ''} {' and '.join(map(str, cpus))}"


def processors(cpus: Cpus, threads: int) -> int:
    """How many processors a generator of so many threads can use at most."""
    return min(threads, len(cpus) or len(os.sched_getaffinity(0)))


def run_child(
    command: Sequence[str],
    *,
    cpus: Cpus,
    timeout: float,
    folder: Path,
    name: str,
    threads: int = 1,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run one generator of `threads` threads to its end, or kill it (this child, by its pid) after `timeout` seconds.

    Of several `cpus` each thread takes one in turn; a generator of one thread takes the first, and a doubt says so.
    stdout and stderr are kept as `folder/<name>.txt` and `folder/<name>.stderr.txt`. stdin stays open until the
    child ends, so that a child of ours notices when profpipe dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marked = guard().environment
    out, err = folder / f"{name}.txt", folder / f"{name}.stderr.txt"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        begun = time.monotonic()
        try:
            with _on_processors(cpus[:1] if threads == 1 else cpus):
                child = subprocess.Popen(
                    list(command),
                    stdin=subprocess.PIPE,
                    stdout=out_file,
                    stderr=err_file,
                    env={**os.environ, **marked, **(env or {})},
                    start_new_session=True,  # Ctrl-C reaches profpipe, which ends its child itself
                )
        except OSError as error:
            raise LoadError(f"{command[0]} cannot be started: {error.strerror}") from error
        placing = partial(_place_threads, child.pid, cpus, threads)
        code, cpu_s, timed_out, doubts = _wait(child, stdin, timeout, placing)
        seconds = time.monotonic() - begun
    return Ended(tuple(command), code, _text(out), _text(err), seconds, cpu_s, timed_out, doubts)


def cut_short(ended: Ended, plan: LoadPlan, seconds: float) -> str | None:
    """Why a generator did not do all of its work; None when it did. `seconds` = how long it says it was sending."""
    name = ended.command[0]
    if ended.timed_out:
        return f"{name} did not end within {plan.timeout:g} s and was killed"
    if ended.code < 0:
        return f"{name} was killed by {signal.Signals(-ended.code).name}"
    if ended.code > 0:
        return f"{name} failed with exit code {ended.code}: {tail(ended.stderr)}"
    if plan.mode != "count" and seconds < WHOLE * plan.duration:
        return f"{name} stopped after {seconds:.3g} s of {plan.duration:g} s"
    return None


def version_of(program: Program) -> str:
    """The version that an installed program prints, "unknown" where it prints something else."""
    name, arguments, pattern = program
    done = subprocess.run([name, *arguments], capture_output=True, text=True, timeout=10, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(1) if found else UNKNOWN


def _place_threads(pid: int, cpus: Cpus, threads: int) -> tuple[Doubt, ...]:
    """Pin the threads of a load in turn, in order of birth; what to doubt when there are fewer than were asked for.

    wrk and h2load start one thread per `-t` in addition to the first one, which only waits for them and is not pinned.
    """
    if len(cpus) < 2:
        return ()
    if threads == 1:
        words = f"the load has one thread: it ran on {_named(cpus[:1])} only, not on {_named(cpus)}"
        return (Doubt(words),)
    found: list[int] = []
    deadline = time.monotonic() + PLACING_S
    while len(found) < threads and time.monotonic() < deadline and not _gone(pid):
        for thread in _threads(pid):
            if thread not in found:
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(thread, {cpus[len(found) % len(cpus)]})
                    found.append(thread)
        time.sleep(0.001)
    if len(found) >= threads or _gone(pid):  # of a load that is over already, its counts say why
        return ()
    words = f"{len(found)} of the load's {threads} threads were found: it was not spread over {_named(cpus)}"
    return (Doubt(words),)


def _threads(pid: int) -> list[int]:
    """Thread numbers of a process in order of birth, without the first; none when it is gone."""
    try:
        names = [task.name for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return sorted(int(name) for name in names if int(name) != pid)


def _gone(pid: int) -> bool:
    """Whether a child has ended; it is not reaped."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _wait(
    child: subprocess.Popen[bytes], stdin: bytes, timeout: float, placing: Callable[[], tuple[Doubt, ...]]
) -> tuple[int, float, bool, tuple[Doubt, ...]]:
    """Exit code, processor seconds, whether it had to be killed, doubts about where it ran. The child is reaped
    whatever happens."""
    timed_out = False
    try:
        if child.stdin is not None:
            with suppress(BrokenPipeError):  # it died at once: its exit code says more than this pipe
                child.stdin.write(stdin)
                child.stdin.flush()
        doubts = placing()
        timed_out = not _ended_within(child.pid, timeout)
        if timed_out:
            os.kill(child.pid, signal.SIGKILL)
    except BaseException:
        os.kill(child.pid, signal.SIGKILL)
        raise
    finally:
        # wait4 instead of Popen.wait: only it gives the processor time of this child without that of others.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        # It leads a group of its own: what a script has started and left behind would go on loading the server.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        if child.stdin is not None:
            with suppress(BrokenPipeError):
                child.stdin.close()
    return child.returncode, usage.ru_utime + usage.ru_stime, timed_out, doubts


def _ended_within(pid: int, timeout: float) -> bool:
    """Wait for the end of a child without reaping it and without waking up: polling would take the server's time."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # a container's filter may forbid it
        return _polled_end(pid, timeout)
    try:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        return bool(waiting.poll(timeout * 1000))
    finally:
        os.close(descriptor)


def _polled_end(pid: int, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not _gone(pid):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _text(path: Path) -> str:
    """The last 64 KiB of a tool's text: an error printed per request can fill a disk, and its end is enough."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - OUTPUT_LIMIT))
        return file.read().decode("utf-8", "replace")


def tail(text: str, lines: int = 5) -> str:
    """The end of a tool's complaint, for an error message."""
    return " / ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip()) or "it printed nothing"


def client_bound(cpu_s: float, seconds: float, cores: int) -> Doubt | None:
    """The doubt about a generator that used up its own processors: then its ceiling was measured, not the server's."""
    if seconds <= 0 or cpu_s / (seconds * cores) < CLIENT_BOUND:
        return None
    share = cpu_s / (seconds * cores) * 100
    own = "its processor" if cores == 1 else f"its {cores} processors"
    words = (
        f"the load generator used {share:.0f} % of {own}: this is its own ceiling, "
        "not the server's; the rate is a lower bound"
    )
    return Doubt(words, ("rate", "latency"))
