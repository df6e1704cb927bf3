"""Where a server's memory lies, drawn from a seed: the same program costs up to 27 % more by the luck of one start.

The kernel draws addresses for every process. Here they are drawn once per start, from the study's seed, and are the
same for all its variants, so that luck is shared within a start, random over the study, and can be drawn again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from profpipe.model.start import Ticket

PAGE = 4096
# mmap(2) areas begin below the stack's soft limit, which counts as at least 128 MiB (mmap_base in the kernel).
LOWEST_STACK = 128 * 1024 * 1024
PAGES = 4096
PADDING = 4096
ADDR_NO_RANDOMIZE = 0x0040000
HASH_SEED = "PYTHONHASHSEED"
PADDING_NAME = "PROFPIPE_PADDING"


def draw(seed: int, number: int) -> Ticket:
    """The ticket of start `number` of a study: the same for the same seed, independent of all others."""
    rng = random.Random(f"ticket {seed} {number}")
    return Ticket(
        number=number, pages=rng.randrange(PAGES), padding=rng.randrange(PADDING), hash_seed=rng.randrange(1, 2**32)
    )


def stack_bytes(ticket: Ticket) -> int:
    """The soft limit of the stack that puts memory where the ticket says.

    A thread's stack is as large unless the program asks for another size. It takes no memory before it is used.
    """
    return LOWEST_STACK + ticket.pages * PAGE


def environment(ticket: Ticket, env: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """`env` with the ticket's padding, and its hash seed where there is one that is not the target's `own`."""
    changed = {**env, PADDING_NAME: "x" * ticket.padding}
    if HASH_SEED in env and HASH_SEED not in own:
        changed[HASH_SEED] = str(ticket.hash_seed)
    return changed


def is_fixed(pid: int) -> bool:
    """Whether a running process has its addresses by its ticket; False too where the kernel does not tell."""
    try:
        return bool(int(Path(f"/proc/{pid}/personality").read_text(), 16) & ADDR_NO_RANDOMIZE)
    except (OSError, ValueError):
        return False
