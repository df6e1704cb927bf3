"""Which load generators exist. A new one is its file and its line here."""

from __future__ import annotations

from profpipe.load.interface import Generator
from profpipe.plugins import Registry

GENERATORS: Registry[Generator] = Registry(
    kind="load generator",
    protocol=Generator,
    # In the order in which `auto` tries those that have the plan's mode. A closed loop, for throughput, takes the
    # fastest. A fixed number or rate takes the built-in one: what a request costs must not depend on what is
    # installed, since other headers cost a server up to 2,900 instructions a request, and servers that close every
    # connection are common (gunicorn's sync worker), which h2load does not count.
    builtin={
        "wrk": "profpipe.load.wrk",
        "h2load": "profpipe.load.h2load",
        "builtin": "profpipe.load.builtin",
        "command": "profpipe.load.command",
    },
    group="profpipe.loads",
)
