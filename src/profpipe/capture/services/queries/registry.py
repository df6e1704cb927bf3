"""The counters of queries by name: `queries` of a service."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from profpipe.capture.services.queries.interface import QueryCounter
from profpipe.capture.services.running import RunningService


def queries_of(running: RunningService) -> Mapping[str, int]:
    """Statement -> how often the service has carried it out. Raises CaptureError where that is not known.

    The counter is the file of this folder that `queries` of the service names: the schema knows which there are.
    """
    counter = cast("QueryCounter", import_module(f"profpipe.capture.services.queries.{running.service.queries}"))
    return counter.read(running)
