"""Facts and warnings of a recording: how much was seen, of which processes, and what may mislead."""

from __future__ import annotations

import math
from dataclasses import dataclass

from profpipe.capture.profilers.perf.options import CLOCK
from profpipe.capture.profilers.perf.script import IDLE, Census, Look

FEW_SAMPLES = 200
NAMELESS_SHARE, LOST_SHARE, CPU_SHARE = 0.1, 0.01, 0.15


@dataclass(frozen=True, slots=True)
class Account:
    """`used_s` = CPU of the server's processes in the window as the kernel counts it. `named` = its Python functions
    should have names; `signalled` = the server was ended by a signal."""

    event: str
    frequency: int
    counted: Census
    seen: Look
    used_s: float | None = None
    kernel_shown: bool = True
    named: bool = False
    signalled: bool = False

    @property
    def sampled_s(self) -> float | None:
        """CPU seconds in the samples of a timer, which each clock sees once; unknown for other events."""
        clock = self.event == CLOCK and self.seen.events
        return self.seen.period / len(self.seen.events) / 1e9 if clock else None

    def facts(self) -> dict[str, str]:
        """Name -> value, in order of printing."""
        seen, total = self.seen, self.counted.total
        idle = self.counted.samples.get(IDLE, 0)
        others = total - seen.samples - idle
        shares = (_share(part, total) for part in (seen.samples, others, idle))
        facts = {
            "samples": f"{seen.samples:,}",
            "samples of its processors": "{} the server's, {} others', {} idle".format(*shares),
            "samples in the kernel": _share(seen.kernel, seen.samples),
            "samples without a symbol": _share(seen.nameless, seen.samples),
            "samples lost": f"{self.counted.lost:,} of {total + self.counted.lost:,}",
            "kernel symbols": "shown" if self.kernel_shown else "hidden by this system",
        }
        if self.named:
            facts["samples with a Python function"] = _share(seen.python, seen.samples)
        if self.sampled_s is not None and self.used_s is not None:
            facts["CPU time in samples"] = f"{self.sampled_s:.2f} s of {self.used_s:.2f} s"
        return facts

    def warnings(self) -> tuple[str, ...]:
        """Why the profile may mislead, a sentence each."""
        seen, recorded = self.seen, self.counted.total + self.counted.lost
        warnings = {
            f"perf took {seen.samples} samples of the server, too few to rank functions: use a longer load or raise "
            "`frequency`": seen.samples < FEW_SAMPLES,
            f"perf lost {_share(self.counted.lost, recorded)} of its samples: it could not write them fast enough": (
                self.counted.lost > LOST_SHARE * recorded
            ),
            f"{_share(seen.nameless, seen.samples)} of perf's samples are in code without a symbol": (
                seen.nameless > NAMELESS_SHARE * seen.samples
            ),
            "this system hides the kernel's symbols: its functions have no names": not self.kernel_shown,
            "no Python function was named": self.named and not seen.python,
            "the server was ended by a signal: names of its last Python functions may be missing": (
                self.named and self.signalled
            ),
            f"perf's samples add up to {self.sampled_s or 0:.2f} s of processor time where the server used "
            f"{self.used_s or 0:.2f} s: trust the shares more than the absolute times": self._differs(),
        }
        return tuple(text for text, holds in warnings.items() if holds)

    def _differs(self) -> bool:
        """Whether the samples differ from what the server used by more than chance (4 sigma) explains."""
        if self.sampled_s is None or not self.used_s:
            return False
        chance = 4 / math.sqrt(self.used_s * self.frequency)
        return abs(self.sampled_s - self.used_s) > self.used_s * max(CPU_SHARE, chance)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"
