"""How a server answers, seen in the warm-up, and which load generators can count such answers.

Measured on a server that counts its own requests: wrk 4.1.0 takes `103 Early Hints` and the answer after it for two
answers (34,988 of 17,498 requests). Where each answer closes its connection, wrk and h2load open the next one unsaid:
their latencies leave out or mix in the time that takes, and a connection is not reused as the plan says.
"""

from __future__ import annotations

from profpipe.model.run import LoadResult

BUILTIN = "builtin"
INSTEAD = 'use generator = "builtin"'
COUNTS_INTERIM = ("wrk",)
# Of the warm-up's requests, from which on a server does not keep connections alive.
RECONNECTED = 0.5


def miscounted(generator: str, warm: LoadResult | None) -> str | None:
    """Why this generator's figures of this server cannot be used; None when they can. `warm` = the warm-up's result."""
    if warm is None or not warm.served or generator == BUILTIN:
        return None
    if warm.interim and generator in COUNTS_INTERIM:
        return f"{generator} counts interim answers (1xx) as requests, and this server sends them: {INSTEAD}"
    if warm.reconnects is not None and warm.reconnects > RECONNECTED * warm.served:
        return (
            f"the server closed the connection after {warm.reconnects:,} of {warm.served:,} answers, and {generator} "
            f"opens new ones without counting them: {INSTEAD}"
        )
    return None
