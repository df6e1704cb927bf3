"""What is counted, and how a number is written. Templates and views use these and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["1", "ns", "us", "s", "B", "req/s", "%"]
Better = Literal["lower", "higher"]
Instrument = Literal["counted", "sampled", "traced", "clean"]
Language = Literal["python", "native", "go", "node", "jvm", "other"]  # of a server; native = C, C++, Rust

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Metric:
    """A named quantity. `exact` = the same input gives the same count; `unit` "1" = plain events."""

    key: str
    label: str
    unit: Unit
    exact: bool = False
    better: Better = "lower"
    about: str = ""


INSTRUCTIONS = Metric("instructions", "instructions", "1", True, about="user-space instructions, simulated")
SAMPLES = Metric("samples", "samples", "1", about="times a stack was seen")
WALL_NS = Metric("wall_ns", "wall time", "ns", about="elapsed time, waiting included")
CPU_NS = Metric("cpu_ns", "CPU time", "ns", about="processor time")
CALLS = Metric("calls", "calls", "1", True, about="times a function was entered")
SYSCALLS = Metric("syscalls", "syscalls", "1", about="system calls")


def count(value: float) -> str:
    """12254.4 -> "12,254"; under 100 one decimal, under 10 two, under 0.01 two digits: 0.0022 is not shown as 0."""
    if not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:,.1f}"
    return f"{value:,.{2 if size >= 0.01 else min(1 - math.floor(math.log10(size)), 6)}f}"


def signed(value: float) -> str:
    """The same with its sign always shown, a true minus and no sign on zero."""
    text = count(abs(value))
    if float(text.replace(",", "")) == 0.0:
        return text
    return ("+" if value > 0 else "−") + text


def percent(fraction: float, digits: int = 1) -> str:
    """0.0893 -> "8.9 %"."""
    return UNKNOWN if not math.isfinite(fraction) else f"{fraction * 100:,.{digits}f} %"


def ratio(value: float, *, precise: bool = False) -> str:
    """1.6247 -> "1.62×"; three decimals if `precise` or close to one, since 1.004 and 0.996 are different answers."""
    if not math.isfinite(value):
        return UNKNOWN
    return f"{value:.3f}×" if precise or 0.9 <= value <= 1.1 else f"{value:.2f}×"


@dataclass(frozen=True, slots=True)
class Step:
    """From `size` on a value is divided by it and written with `name`; `digits` None = as many as `count` gives."""

    size: float
    name: str
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """How a unit is written: a value times `factor` is in the unit of the first step; the smallest step comes first."""

    factor: float
    steps: tuple[Step, ...]

    def step(self, value: float) -> Step:
        """The largest step that is not larger than the value."""
        size, found = abs(value * self.factor), self.steps[0]
        for step in self.steps[1:]:
            if size < step.size:
                break
            found = step
        return found


_TIME = (Step(1, "ns"), Step(1e3, "µs"), Step(1e6, "ms"), Step(1e9, "s"))
_BYTES = (Step(1, "B", 0), Step(2.0**10, "KiB", 1), Step(2.0**20, "MiB", 1), Step(2.0**30, "GiB", 1))
# The one table of units: pages, terminals, axes and, as frontend/src/scales.json, the page's script write by it.
SCALES: Mapping[Unit, Scale] = {
    "1": Scale(1, (Step(1, ""),)),
    "ns": Scale(1, _TIME),
    "us": Scale(1e3, _TIME),
    "s": Scale(1e9, _TIME),
    "B": Scale(1, _BYTES),
    "%": Scale(100, (Step(1, "%", 1),)),
    "req/s": Scale(1, (Step(1, "req/s"),)),
}


def amount(value: float, unit: Unit) -> str:
    """A value with its unit: 1530 ns -> "1.53 µs"; events ("1") stay bare because the column names them."""
    if not math.isfinite(value):
        return UNKNOWN
    scale = SCALES[unit]
    step = scale.step(value)
    number = value * scale.factor / step.size
    text = count(number) if step.digits is None else f"{number:,.{step.digits}f}"
    return f"{text} {step.name}" if step.name else text


def duration_ns(value: float) -> str:
    """Nanoseconds in the unit a reader would choose."""
    return amount(value, "ns")
