"""Which machine a report was made on, as far as costs of two runs may be compared.

No host name and nothing else that names one computer: two computers of the same build are one machine here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from profpipe.units import UNKNOWN

KEY_LENGTH = 8


def machine_text(environment: Mapping[str, str]) -> str:
    """The facts that tell machines apart, from a report's environment: "AMD EPYC; 2 processors; Linux 6; ...".

    Memory, clock governor and the minor version of the kernel are left out: they change between two boots of a
    CI runner, and every update would begin a new series.
    """
    processors = re.search(r"(\d+)$", environment.get("processors", ""))
    kernel = re.match(r"([A-Za-z]+ \d+)", environment.get("kernel", ""))
    return "; ".join(
        (
            environment.get("CPU", f"CPU {UNKNOWN}"),
            f"{processors[1]} processors" if processors else f"processors {UNKNOWN}",
            kernel[1] if kernel else f"kernel {UNKNOWN}",
            f"virtual machine: {environment.get('virtual machine', UNKNOWN)}",
            f"container: {environment.get('container', UNKNOWN)}",
        )
    )


def machine_key(text: str) -> str:
    """Eight hexadecimal digits that stand for `machine_text`'s words, the same wherever they are computed."""
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]
