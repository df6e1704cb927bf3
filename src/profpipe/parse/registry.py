"""Which parsers exist. A new one is its file and its line here."""

from __future__ import annotations

from profpipe.parse.interface import Parser
from profpipe.plugins import Registry

PARSERS: Registry[Parser] = Registry(
    kind="parser",
    protocol=Parser,
    # Asked in this order; folded is last because any text with a number at each line's end looks like it.
    builtin={
        "callgrind": "profpipe.parse.callgrind",
        "pprof": "profpipe.parse.pprof",
        "pstats": "profpipe.parse.pstats",
        "yappi": "profpipe.parse.yappi",
        "pyinstrument": "profpipe.parse.pyinstrument",
        "speedscope": "profpipe.parse.speedscope",
        "cpuprofile": "profpipe.parse.cpuprofile",
        "v8-calls": "profpipe.parse.v8_calls",
        "heapprofile": "profpipe.parse.heapprofile",
        "chrome-trace": "profpipe.parse.chrome_trace",
        "jfr-json": "profpipe.parse.jfr_json",
        "jfr-text": "profpipe.parse.jfr_text",
        "profpipe": "profpipe.parse.profile_json",
        "firefox": "profpipe.parse.firefox",
        "dhat": "profpipe.parse.dhat",
        "massif": "profpipe.parse.massif",
        "xhprof": "profpipe.parse.xhprof",
        "perf": "profpipe.parse.perf",
        "mojo": "profpipe.parse.mojo",
        "austin": "profpipe.parse.austin",
        "folded": "profpipe.parse.folded",
    },
    group="profpipe.parsers",
)
