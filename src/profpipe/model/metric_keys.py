"""The ordinary figures of a run without a profiler: key, label, unit and direction, each in this one place.

A key is `instrument:metric`. What a profiler counts has a key of the same form, made from the profile's own metrics.
"""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.units import Better, Unit

CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class FigureKind:
    """One figure as the report describes it. `about` is what a reader must know of it.

    `one_program` = it compares only variants that are one program at several commits. `judged` = it gets a verdict;
    a share is no cost, so it has none. `of_load` = the load generator saw it: some studies measure it in the first
    rounds only, and no A/A control is judged on it. `in_control` = runs of the control measure it. `always` = it is
    shown even where it is unknown, with the reason.
    """

    key: str
    label: str
    unit: Unit
    better: Better = "lower"
    about: str = ""
    one_program: bool = False
    judged: bool = True
    of_load: bool = False
    in_control: bool = True
    always: bool = False


CPU = "clean:cpu_us"
BESIDE_LOAD = "clean:cpu_beside_load"
KERNEL_SHARE = "clean:kernel_share"
SWITCHES = "clean:switches"
MEMORY = "clean:rss"
THROUGHPUT = "clean:throughput"
P50 = "clean:p50_us"
P99 = "clean:p99_us"
WALL = "clean:wall_us"
BETWEEN = "clean:between_us"
LOOP_P50 = "clean:loop_p50_us"
LOOP_P99 = "clean:loop_p99_us"
SERVICES = "clean:services_us"

# What a report is read for: CPU time, by itself or divided by the load generator's.
FIRST = (CPU, BESIDE_LOAD)

ORDINARY = (
    FigureKind(
        CPU,
        "CPU time per request",
        "us",
        about="processor time of the server's process tree, kernel included, without any profiler",
        always=True,
    ),
    FigureKind(
        BESIDE_LOAD,
        "server CPU / load-generator CPU",
        "1",
        about="the server's processor time for each second of the load generator's in the same window: slow spells of "
        "the machine, which lengthen both, cancel. It compares commits of one server only, since another server may "
        "give the generator other work, and a commit that changes the size of a response does so too",
        one_program=True,
    ),
    FigureKind(
        KERNEL_SHARE,
        "kernel share of CPU time",
        "%",
        about="system time of user and system time",
        judged=False,
        always=True,
    ),
    FigureKind(
        SWITCHES, "context switches per request", "1", about="switches of the kernel's threads, voluntary and not"
    ),
    FigureKind(
        MEMORY,
        "peak memory",
        "B",
        about="largest resident size of the process tree in the window; not per request",
    ),
    FigureKind(THROUGHPUT, "throughput", "req/s", better="higher", of_load=True, always=True),
    FigureKind(P50, "p50 latency", "us", of_load=True, in_control=False, always=True),
    FigureKind(P99, "p99 latency", "us", of_load=True, in_control=False, always=True),
)
# Measured by slices only: every value is that of a start.
OF_SLICES = (
    FigureKind(
        WALL,
        "closed-loop time per request",
        "us",
        about="time of a slice divided by its requests: server, load client and waiting together",
    ),
    FigureKind(
        BETWEEN,
        "CPU time between slices, per request",
        "us",
        about="processor time that the server uses after its slices have ended, for each request: work put off",
        judged=False,
    ),
    FigureKind(
        LOOP_P50,
        "closed-loop p50 latency",
        "us",
        about="the middle of the slices' medians. A closed loop hides waiting, since it asks again after the answer",
        judged=False,
    ),
    FigureKind(
        LOOP_P99,
        "closed-loop p99 latency",
        "us",
        about="the middle of the slices' 99th percentiles",
        judged=False,
    ),
    FigureKind(
        SERVICES,
        "CPU time of services, per request",
        "us",
        about="processor time of the services beside the servers, such as a database, for each request of the variant "
        "under load",
    ),
)
# Those that starts give as well as rounds; where slices are measured, rounds no longer do.
BY_START = (CPU, SWITCHES, MEMORY)
EVERY = (*ORDINARY, *OF_SLICES)
# What reports of schema 1 and histories of their time call these figures.
OLD_KEYS = {"throughput": THROUGHPUT, "p50_us": P50, "p99_us": P99}
OF_LOAD = frozenset(figure.key for figure in ORDINARY if figure.of_load)
BY_KEY = {figure.key: figure for figure in EVERY}
