"""What a counter of queries is: it reads a service's own statistics, and starts nothing in the servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from profpipe.capture.services.running import RunningService


class QueryCounter(Protocol):
    """Counts the queries of one kind of service."""

    def read(self, running: RunningService) -> Mapping[str, int]:
        """Statement -> how often it has been carried out since the service began, up to the last answer it gave.

        Statements that differ only in their values are one. What only begins and ends transactions or sets up a
        connection is left out, and so is the reading itself. Raises CaptureError with what is missing.
        """
