"""Whose code costs what: the server's own, each library, the interpreter and the kernel, in words."""

from __future__ import annotations

from collections.abc import Mapping

from profpipe.model.report import HotspotTable, LibraryRow, Origin

WHOSE: Mapping[Origin, str] = {
    "own": "own code",
    "library": "library",
    "standard library": "standard library",
    "interpreter": "interpreter",
    "kernel": "kernel",
    "": "not known",
}


def library_label(row: LibraryRow) -> str:
    """The library's name, or whose code it is."""
    return row.library or WHOSE[row.origin]


def tells_libraries(table: HotspotTable) -> bool:
    """Whether there is anything to tell apart: a row of own code or of a named library, and another one."""
    return len(table.libraries) > 1 and any(row.origin in ("own", "library") for row in table.libraries)
