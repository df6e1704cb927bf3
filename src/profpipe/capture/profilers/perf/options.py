"""What a study may ask of perf, and which event that means on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from profpipe.capture.interface import Options, picked
from profpipe.capture.profilers.perf import trial
from profpipe.errors import CaptureError, UsageError

OPTIONS: Mapping[str, str | int | float | bool] = {
    "frequency": 999,
    "call_graph": "auto",
    "event": "auto",
    "inline": False,
    "python_names": True,
    "keep": False,
}
CALL_GRAPHS = ("auto", "fp", "dwarf", "none")
SWITCHES = ("inline", "python_names", "keep")
CLOCK = "cpu-clock"
# Shares of the requested frequency for the first two clocks; no two clocks have a small common multiple.
PARTS = (0.2933, 0.3313)
FEWEST = 30  # below, two of the three would be equal


@dataclass(frozen=True, slots=True)
class Asked:
    """The study's options, checked. `inline` = show inlined functions as callers of their own."""

    frequency: int
    call_graph: str
    event: str
    inline: bool
    python_names: bool
    keep: bool

    @staticmethod
    def of(options: Options) -> Asked:
        """Raises UsageError for an option or a value that does not exist."""
        asked = picked("perf", OPTIONS, options)
        frequency, graph, event = asked["frequency"], asked["call_graph"], asked["event"]
        if isinstance(frequency, bool) or not isinstance(frequency, int) or not 1 <= frequency <= 50_000:
            raise UsageError(f"perf: frequency is {frequency!r}; give samples a second, 1 to 50000")
        if graph not in CALL_GRAPHS:
            raise UsageError(f"perf: call_graph is {graph!r}; it is one of {', '.join(CALL_GRAPHS)}")
        if not isinstance(event, str) or not re.fullmatch(r"[A-Za-z][\w:./-]*", event):
            raise UsageError(f"perf: event is {event!r}; give one event of `perf list`, or auto")
        if wrong := [name for name in SWITCHES if not isinstance(asked[name], bool)]:
            raise UsageError(f"perf: {wrong[0]} is {asked[wrong[0]]!r}; give true or false")
        return Asked(frequency, str(graph), event, *(bool(asked[name]) for name in SWITCHES))


def clocks(frequency: int) -> tuple[int, ...]:
    """Frequencies of three clocks that together take `frequency` samples a second.

    Server and load generator on one core take turns of some 0.3 ms, and a single clock locks in step with them: it
    found 0.65 to 1.38 of an asyncio server's true CPU time, depending on its frequency (999: 1.08 to 1.15). Three
    clocks side by side found 1.00 to 1.04, and cost the same.
    """
    if frequency < FEWEST:
        return (frequency,)
    first, second = (round(part * frequency) for part in PARTS)
    return first, second, frequency - first - second


def event_flags(program: str, event: str, frequency: int) -> tuple[str, ...]:
    """The options of perf record for what to sample, and how often."""
    many = clocks(frequency)
    if event != CLOCK or len(many) == 1 or not trial.takes_terms(program):
        return ("-e", event, "-F", str(frequency))
    return tuple(flag for each in many for flag in ("-e", f"{CLOCK}/freq={each}/"))


def chosen_event(program: str, asked: str) -> tuple[str, str]:
    """(event, the reason for it). Raises CaptureError(start) when the requested event is not counted here."""
    if asked == "auto":
        if trial.counts(program, "cycles"):
            return "cycles", "cycles, counted by the processor"
        return CLOCK, f"{CLOCK}, a timer: this machine has no hardware counter for cycles"
    if not trial.counts(program, asked):
        raise CaptureError("start", f"event {asked!r} is not counted on this machine (`perf stat -e {asked} true`)")
    return asked, f"{asked}, as requested"
