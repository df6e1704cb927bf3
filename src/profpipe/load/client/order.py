"""What the built-in generator asks its client process for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """One load, as one line of JSON on stdin. Times in seconds, `rate` in requests a second.

    `asked` = the requests as exchange.of_spec reads them, each with its `weight`. `tls` = a tls.Trust or None.
    `first` = the first number of {seq}: the warm-up had those before it. `feeder` = rows
    as feed.Feed reads them.
    """

    mode: str
    host: str
    port: int
    asked: list[dict[str, Any]]
    connections: int
    timeout: float
    tls: dict[str, Any] | None = None
    requests: int = 0
    rate: float = 0.0
    duration: float = 0.0
    first: int = 1
    feeder: dict[str, Any] | None = None
