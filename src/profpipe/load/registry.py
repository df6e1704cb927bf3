"""Which load generators exist. A new one is its file and its line here."""

from __future__ import annotations

from profpipe.load.interface import Generator
from profpipe.plugins import Registry

GENERATORS: Registry[Generator] = Registry(
    kind="load generator",
    protocol=Generator,
    # In the order in which `auto` tries those that have the plan's mode. wrk is the fastest; h2load logs every request
    # and costs the server's processor least; only the built-in one counts from the intended start at a fixed rate.
    builtin={
        "wrk": "profpipe.load.wrk",
        "h2load": "profpipe.load.h2load",
        "builtin": "profpipe.load.builtin",
    },
    group="profpipe.loads",
)
