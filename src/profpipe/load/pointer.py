"""JSON pointers (RFC 6901).

The load clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import re
from typing import Any

_INDEX = re.compile(r"0|[1-9][0-9]*")


def at_pointer(body: Any, pointer: str) -> Any:
    """The value at `pointer`; an empty one is the whole body. LookupError says what is missing."""
    here = body
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and _INDEX.fullmatch(key) and int(key) < len(here):
            here = here[int(key)]
        else:
            raise LookupError(f"{key!r} is missing")
    return here
