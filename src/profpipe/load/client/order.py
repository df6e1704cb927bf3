"""What the built-in generator asks its client process for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """One load, as one line of JSON on stdin. Times in seconds, `rate` in requests a second."""

    mode: str
    host: str
    port: int
    request: bytes
    head: bool
    expected: int
    connections: int
    timeout: float
    requests: int = 0
    rate: float = 0.0
    duration: float = 0.0
