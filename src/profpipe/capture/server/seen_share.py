"""How much of a server's processor time was used where an agent was: by processes that ran one in the whole window."""

from __future__ import annotations

from typing import NamedTuple

REFUSED, WARNED = 0.5, 0.95
ENOUGH_S = 0.05  # of CPU: below, the ticks of the kernel's clock decide what share was seen


class Seen(NamedTuple):
    """As facts, warnings and the reason why the run is refused, if it is."""

    facts: dict[str, str]
    warnings: tuple[str, ...]
    refused: str | None


def seen_share(seen_s: float, used_s: float | None) -> Seen:
    """`seen_s` = CPU of the processes with an agent, `used_s` = of the server's whole tree, None where not known."""
    if not used_s:
        return Seen({}, (), None)
    share = min(seen_s / used_s, 1.0)
    facts = {"CPU of the profiled processes": f"{share * 100:.0f} % of the server's"}
    if used_s < ENOUGH_S or share >= WARNED:
        return Seen(facts, (), None)
    if share < REFUSED:
        words = f"the serving processes were not seen: those with an agent used {share:.0%} of its CPU"
        return Seen(facts, (), words)
    words = (
        f"{1 - share:.0%} of the server's CPU was used by processes without the agent: programs of another kind, or "
        "processes that began after the window had opened"
    )
    return Seen(facts, (words,), None)
