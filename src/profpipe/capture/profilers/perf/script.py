"""From perf.data to the text that is the capture: samples per process, the server's with names, and counts over them.

Names are resolved right after the run: maps of compiled code, temporary programs and the kernel's addresses are gone
later.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.profilers.perf.trial import environment
from profpipe.capture.server.process import Supervised, exit_words
from profpipe.errors import CaptureError

FIELDS = "comm,pid,tid,time,period,event,ip,sym,dso"
SECONDS = 300.0
IDLE = 0
# More processes than this do not fit into one argument; those with the most samples are taken.
MOST_PIDS = 10_000
_FORK = re.compile(rb"PERF_RECORD_FORK\((\d+):\d+\):\((\d+):\d+\)")
_LOST = re.compile(rb"PERF_RECORD_(LOST(?:_SAMPLES)?) lost (\d+)")
_SAMPLE = re.compile(rb"\s*(-1|\d+) +[^\s:]\S*:\s*$")
# Period and event; without call graphs the one frame follows them on the line.
_HEADER = re.compile(rb"\d: +(\d+) ([^\s:]\S*): *(?:([0-9a-f]{1,16}) (.*))?$")


@dataclass(frozen=True, slots=True)
class Census:
    """Samples per process of everything recorded, who forked whom, and the losses perf reports."""

    samples: Mapping[int, int]
    parents: Mapping[int, int]
    lost: int

    def tree(self, roots: Collection[int]) -> frozenset[int]:
        """The roots and all their descendants, including those that came and went in the window."""
        found = set(roots)
        more = True
        while more:
            born = {pid for pid, parent in self.parents.items() if parent in found} - found
            found |= born
            more = bool(born)
        return frozenset(found)

    def of(self, pids: Collection[int]) -> int:
        return sum(self.samples.get(pid, 0) for pid in pids)

    @property
    def total(self) -> int:
        return sum(self.samples.values())


@dataclass(frozen=True, slots=True)
class Look:
    """Counts over the capture's samples: innermost frame in the kernel, innermost without a name, any of Python's.

    `period` = their periods added up, of all `events` together.
    """

    samples: int = 0
    kernel: int = 0
    nameless: int = 0
    python: int = 0
    period: int = 0
    events: frozenset[str] = frozenset()


def census(lines: Iterable[bytes]) -> Census:
    """Reads `perf script -F pid,event --show-task-events --show-lost-events`."""
    samples: Counter[int] = Counter()
    parents: dict[int, int] = {}
    lost: Counter[bytes] = Counter()
    for line in lines:
        if (sample := _SAMPLE.match(line)) is not None:
            samples[int(sample[1])] += 1
        elif (fork := _FORK.search(line)) is not None:
            child, parent = int(fork[1]), int(fork[2])
            if child != parent:
                parents[child] = parent
        elif (loss := _LOST.search(line)) is not None:
            lost[loss[1]] += int(loss[2])
    return Census(samples, parents, max(lost.values(), default=0))


def look(lines: Iterable[bytes]) -> Look:
    """Reads the capture: `perf script` with FIELDS.

    An address with its highest bit set is the kernel's, whether its name is shown or hidden.
    """
    kernel = nameless = python = period = 0
    events: Counter[bytes] = Counter()
    leaf = named = False
    for line in lines:
        if line[:1] == b"\t":
            if leaf:
                leaf = False
                address, _, rest = line.lstrip().partition(b" ")
                kernel += _high(address)
                nameless += rest.startswith(b"[unknown]")
            if not named and b" py::" in line:
                named = True
                python += 1
        elif (header := _HEADER.search(line)) is not None:
            leaf, named = header[3] is None, False
            events[header[2]] += 1
            period += int(header[1])
            if header[3] is not None:
                kernel += _high(header[3])
                nameless += header[4].startswith(b"[unknown]")
    seen = frozenset(event.decode(errors="replace") for event in events)
    return Look(samples=events.total(), kernel=kernel, nameless=nameless, python=python, period=period, events=seen)


def _high(address: bytes) -> bool:
    return len(address) == 16 and address[:1] in b"89abcdef"


class Reader:
    """perf's own reading of one recording, `ids` being its folder of build-ids."""

    def __init__(self, program: str, ids: Path) -> None:
        self.perf = (program, "--buildid-dir", str(ids))

    def census(self, data: Path) -> Census:
        out = data.with_name("perf.census.txt")
        try:
            self._run(("script", "-i", str(data), "-F", "pid,event", "--show-task-events", "--show-lost-events"), out)
            with out.open("rb") as file:
                return census(file)
        finally:
            out.unlink(missing_ok=True)

    def write(self, data: Path, pids: Collection[int], out: Path, *, inline: bool) -> Look:
        """Write the samples of these processes as text, whole or not at all; returns the counts over it."""
        listed = ",".join(map(str, pids))
        lines = () if inline else ("--no-inline",)
        part = out.with_name(f"{out.name}.part")
        try:
            self._run(("script", "-i", str(data), "--pid", listed, "-F", FIELDS, "--show-lost-events", *lines), part)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
        with out.open("rb") as file:
            return look(file)

    def name_compiled_code(self, data: Path) -> None:
        """Put the functions that a just-in-time compiler wrote down (jit-PID.dump) into the recording."""
        out = data.with_name("perf.named.data")
        try:
            self._run(("inject", "-j", "-i", str(data), "-o", str(out)), None)
            out.replace(data)
        finally:
            out.unlink(missing_ok=True)

    def _run(self, arguments: tuple[str, ...], out: Path | None) -> None:
        """Run under a keeper like the recording: reading may take minutes, and perf starts programs of its own."""
        argv = (*self.perf, *arguments)
        if out is not None:
            argv = ("sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", str(out), *argv)
        with Supervised(argv, env=environment(), cwd=Path.cwd()) as perf:
            status = perf.wait(SECONDS)
            perf.log.finish(1.0)
            what = f"perf {arguments[0]}"
            if status is None:
                raise CaptureError("save", f"{what} did not exit within {SECONDS:g} s: use a shorter load")
            if status != 0:
                output = " ".join(perf.log.tail()[:3]) or "it printed nothing"
                raise CaptureError("save", f"{what} failed ({exit_words(status)}): {output}", log_tail=perf.log.tail())


def most_sampled(counted: Census, pids: Collection[int]) -> tuple[int, ...]:
    """The processes that have samples, most samples first, as many as one command can name."""
    seen = [pid for pid in pids if counted.samples.get(pid)]
    return tuple(sorted(seen, key=lambda pid: (-counted.samples[pid], pid))[:MOST_PIDS])
