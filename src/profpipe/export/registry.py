"""Which exporters exist. A new one is its file and its line here."""

from __future__ import annotations

from profpipe.export.interface import Exporter
from profpipe.plugins import Registry

EXPORTERS: Registry[Exporter] = Registry(
    kind="exporter",
    protocol=Exporter,
    builtin={
        "folded": "profpipe.export.folded",
        "speedscope": "profpipe.export.speedscope",
        "pprof": "profpipe.export.pprof",
        "cpuprofile": "profpipe.export.cpuprofile",
        "callgrind": "profpipe.export.callgrind",
        # The underscore leaves the names of the standard modules alone.
        "csv": "profpipe.export.csv_",
        "json": "profpipe.export.json_",
    },
    group="profpipe.exporters",
)
