"""Which results are read. A new one is its file and its line here."""

from __future__ import annotations

from profpipe.load.results.interface import ResultReader
from profpipe.plugins import Registry

RESULTS: Registry[ResultReader] = Registry(
    kind="reader of load results",
    protocol=ResultReader,
    builtin={
        "wrk": "profpipe.load.wrk.text",
        "h2load": "profpipe.load.h2load",
        "k6": "profpipe.load.results.k6",
        "locust": "profpipe.load.results.locust",
        "vegeta": "profpipe.load.results.vegeta",
        "oha": "profpipe.load.results.oha",
        "hey": "profpipe.load.results.hey",
        "ab": "profpipe.load.results.ab",
        "fortio": "profpipe.load.results.fortio",
        "autocannon": "profpipe.load.results.autocannon",
        "bombardier": "profpipe.load.results.bombardier",
        "redis-benchmark": "profpipe.load.results.redis_benchmark",
    },
    group="profpipe.load_results",
)
