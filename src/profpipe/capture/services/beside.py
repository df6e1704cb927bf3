"""The services that run beside the servers of a unit, and targets that are told where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from profpipe.capture.services.running import RunningService, filled
from profpipe.errors import CaptureError
from profpipe.study.schema import Target


@dataclass(frozen=True, slots=True)
class Beside:
    """Services by name, all of them ready when the unit began."""

    running: Mapping[str, RunningService]

    def ended(self) -> CaptureError | None:
        """Why the first that ended did; None while all run. A run whose service ended is not valid."""
        return next((error for each in self.running.values() if (error := each.ended()) is not None), None)

    @property
    def keepers(self) -> Mapping[str, int]:
        """Name -> the process below which all of the service's run."""
        return {name: each.process.keeper for name, each in self.running.items()}

    def told(self, target: Target, names: tuple[str, ...]) -> Target:
        """The target with the addresses of the services that it uses in its command and environment."""
        used = [self.running[name] for name in names if name in self.running]
        given = {key: filled(text, each.values) for each in used for key, text in each.service.provides.items()}
        command = tuple(_with_addresses(text, used) for text in target.command)
        own = {key: _with_addresses(text, used) for key, text in target.env.items()}
        return target.model_copy(update={"command": command, "env": given | own})


NO_SERVICES = Beside({})


def _with_addresses(text: str, used: list[RunningService]) -> str:
    for each in used:
        text = filled(text, each.values, f"service.{each.name}.")
    return text
