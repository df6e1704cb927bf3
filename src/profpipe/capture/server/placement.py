"""Which processors server and load run on. Placement is part of the result, so it is chosen once and printed."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from profpipe.study.schema import PlacementChoice

FEW = 4


@dataclass(frozen=True, slots=True)
class Placement:
    """Processor numbers; None and () = wherever the kernel places them. The load's threads take `load_cpus` in turn.

    `text` is printed.
    """

    server_cpu: int | None
    load_cpus: tuple[int, ...]
    text: str


def place(choice: PlacementChoice = "auto", cpus: Collection[int] | None = None) -> Placement:
    """Turn a study's choice into processors, out of those this process may use.

    Same core where processors are few: CPU per request then repeats within 0.4-0.9 %, while split placement on two
    processors had phases at half speed. The last processors are taken, since the first serves most interrupts. Spread
    makes repeatable what a kernel does when it freely places a load of two threads on two processors: one thread runs
    on the server's, so that some of the next requests have arrived when the server tries to read, and some have not.
    """
    usable = sorted(os.sched_getaffinity(0) if cpus is None else cpus)
    if choice == "free":
        return Placement(None, (), f"free: the kernel places server and load on {len(usable)} processors")
    if choice == "same-core" or len(usable) < 2 or (choice == "auto" and len(usable) < FEW):
        number = f"{len(usable)} processor{'s' if len(usable) > 1 else ''} usable"
        why = "asked for" if choice == "same-core" else number
        return Placement(usable[-1], (usable[-1],), f"same core: server and load on processor {usable[-1]} ({why})")
    server, load = usable[-2], usable[-1]
    if choice == "spread":
        text = f"spread: server on processor {load}, the load's threads in turn on processors {load} and {server}"
        return Placement(load, (load, server), text)
    return Placement(server, (load,), f"split: server on processor {server}, load on processor {load}")
