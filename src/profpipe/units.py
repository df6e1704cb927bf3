"""What is counted, and how a number is written. Templates and views use these and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Unit = Literal["1", "ns", "us", "s", "B", "req/s", "%"]
Better = Literal["lower", "higher"]
Instrument = Literal["counted", "sampled", "traced", "clean"]
Language = Literal["python", "native", "go", "other"]  # of a server; native = C, C++, Rust

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


def ratio(value: float) -> str:
    """1.6247 -> "1.62×"; close to one three decimals, since 1.004 and 0.996 are different answers."""
    if not math.isfinite(value):
        return UNKNOWN
    return f"{value:.3f}×" if 0.9 <= value <= 1.1 else f"{value:.2f}×"


def duration_ns(value: float) -> str:
    """Nanoseconds in the unit a reader would choose: 1530 -> "1.53 µs"."""
    for limit, size, name in ((1e3, 1.0, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms")):
        if abs(value) < limit:
            return f"{count(value / size)} {name}"
    return f"{count(value / 1e9)} s"


def byte_size(value: float) -> str:
    """Bytes with binary prefixes: 52_428_800 -> "50.0 MiB"."""
    for limit, size, name in ((1024.0, 1.0, "B"), (1024.0**2, 1024.0, "KiB"), (1024.0**3, 1024.0**2, "MiB")):
        if abs(value) < limit:
            return f"{value / size:.0f} {name}" if size == 1.0 else f"{value / size:.1f} {name}"
    return f"{value / 1024.0**3:.1f} GiB"


def amount(value: float, unit: Unit) -> str:
    """A value with its unit; events ("1") stay bare because the column names them."""
    match unit:
        case "ns":
            return duration_ns(value)
        case "us":
            return duration_ns(value * 1e3)
        case "s":
            return duration_ns(value * 1e9)
        case "B":
            return byte_size(value)
        case "%":
            return percent(value)
        case "req/s":
            return f"{count(value)} req/s"
        case _:
            return count(value)
