"""causes.toml of targets/python-web, targets/go, targets/node and targets/jvm: what each study must name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

TARGETS = Path(__file__).parents[2] / "targets"
WEB = TARGETS / "python-web"
# Language -> the folder of its servers, its studies and its table.
FOLDERS = {"python": WEB, "go": TARGETS / "go", "node": TARGETS / "node", "jvm": TARGETS / "jvm"}


@dataclass(frozen=True, slots=True)
class Expected:
    """A study, and the function that its first cause must name. A control has no function: nothing may be named."""

    study: str
    app: str
    habit: str
    function: str | None = None
    file: str | None = None
    through: str | None = None
    saves_cpu: bool = False  # what the habit costs is waiting; it takes less CPU time than what it is measured against

    @property
    def is_control(self) -> bool:
        return self.function is None


def table(path: Path = WEB / "causes.toml") -> dict[str, Expected]:
    """Study -> what is expected of it, in the order of the file."""
    read = tomllib.loads(path.read_text())
    return {study: Expected(study=study, **row) for study, row in read.items() if study != "schema"}
