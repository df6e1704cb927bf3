"""One run under callgrind.

The window is `--instr-atstart=no` with instrumentation turned on and off through vgdb, then a dump. The other way,
`zero` before and `dump` after with instrumentation on throughout, does not reset fully: with no load at all its dump
held 45,364 instructions and 24 syscalls (this one: 494 and 0), and under 2,000 requests 1.45 million instructions
(2.3 %) and 2,602 syscalls from before the window, so that `totals:` and `summary:` disagree. It also starts twice as
slowly. The window opens at a whole second (window_start.py).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from profpipe.capture.interface import Bare, Collected, Launch, Window, Written
from profpipe.capture.profilers.callgrind import options, python_functions, vgdb
from profpipe.capture.profilers.callgrind.dumps import counts_bytes, total_of
from profpipe.capture.profilers.callgrind.options import TUNABLES, chosen, flags, merged_godebug, other_libc
from profpipe.capture.profilers.callgrind.trial import VERSION
from profpipe.capture.profilers.callgrind.window_start import pause, start_at
from profpipe.capture.server.command import is_python
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.server.replaced import replaced
from profpipe.errors import CaptureError

COUNTED_TOO = "callgrind counted the start of a new process with the requests, or lost the counts of the old one"
WINDOWS = {"any": "any time", "second": "a whole second", "minute": "a whole second of two digits"}


class CallgrindSession(Bare):
    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        version = VERSION.ask()
        self.raw = launch.raw
        self.pipes = self.scratch = Path(tempfile.mkdtemp(prefix="profpipe-vgdb-"))
        self.prefix = self.pipes / "vgdb"
        given = flags(launch.options, version, python=is_python(launch.target))
        # valgrind expands % in the whole path, not only in the file name.
        out = f"--callgrind-out-file={str(launch.raw).replace('%', '%%')}/callgrind.out.%p"
        valgrind = ("valgrind", "--tool=callgrind", "-q", f"--vgdb-prefix={self.prefix}", *given, out)
        self.python_functions = python_functions.wanted(launch)
        by_caller = python_functions.FLAGS if self.python_functions else ()
        self.argv = (*valgrind, *by_caller, *launch.argv)
        tunables = options.merged_tunables(launch.env.get(TUNABLES, ""))
        self.env = {**launch.env, TUNABLES: tunables}
        if self.python_functions:
            self.env |= python_functions.ENVIRONMENT
        self.begin = start_at(chosen(launch.options)["start_at"])
        if launch.target.language == "go":
            self.env["GODEBUG"] = merged_godebug(launch.env.get("GODEBUG", ""))
        self.facts: Mapping[str, str] = {
            "valgrind": version or "unknown",
            "options": " ".join((*given, *by_caller)),
            TUNABLES: tunables,
            "window": f"instrumentation on and off, from {WINDOWS[self.begin]}",
            **({"functions": "Python"} if self.python_functions else {}),
        }
        self.since, self.pids, self.maps = time.time(), set[int](), list[Path]()
        self.counted = set[int]()
        self.replaced: str | None = None
        self.warning = other_libc(launch.argv, launch.cwd)

    def open(self, server: Supervised) -> None:
        time.sleep(pause(time.time(), self.begin))
        self.counted = vgdb.tell(server, self.prefix, "window", "instrumentation on")
        if not self.counted:
            raise CaptureError("window", "no process of the server runs under valgrind", log_tail=server.log.tail())

    def close(self, server: Supervised, window: Window) -> None:  # noqa: ARG002
        """Off, then a dump at once: a server that has to be killed later has lost nothing.

        Processes that begin and end in the window are counted in full: only those that were there before can be missed.
        """
        vgdb.tell(server, self.prefix, "save", "instrumentation off")
        dumped = vgdb.tell(server, self.prefix, "save", "dump")
        if ended := self.counted - dumped:
            self.replaced = replaced(ended, dumped - self.counted, COUNTED_TOO)
        if self.python_functions:
            self.pids = set(server.tree())
            self.maps = python_functions.keep_maps(self.pids, self.since, self.raw)

    def collect(self, stopped: Stopped) -> Collected:
        """Every part of every process that counted something; the plain files left after a dump hold nothing."""
        parts = {path: total_of(path) for path in sorted(self.raw.glob("callgrind.out.*"))}
        if not any(parts.values()):
            how = "it was killed before valgrind could write" if stopped.killed else "nothing was counted in the window"
            raise CaptureError("save", self.replaced or f"callgrind wrote no profile: {how}")
        for path, total in parts.items():
            if not total:
                path.unlink()
        files = tuple(Written(path, "callgrind") for path, total in parts.items() if total)
        if self.python_functions:
            files = python_functions.with_maps(files, self.maps)
        facts = {"instructions in the window": f"{sum(parts.values()):,}"}
        warnings = (*([self.warning] if self.warning else []), *_without_effect(files))
        return Collected(files, facts, warnings, self.replaced)

    def abandon(self) -> None:
        shutil.rmtree(self.pipes, ignore_errors=True)
        python_functions.remove_maps(self.pids | python_functions.counted(self.raw), self.since)


def _without_effect(files: tuple[Written, ...]) -> tuple[str, ...]:
    """A warning when string functions that the tunable should have turned off ran all the same."""
    found = next((name for f in files if f.path.suffix != ".map" and (name := counts_bytes(f.path))), None)
    if found is None:
        return ()
    text = f"{TUNABLES} had no effect: {found} ran, and valgrind counts every byte of its `rep` as an instruction"
    return (text,)
