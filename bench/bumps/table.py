"""bumps.toml: which bumps there are, and what is right to say of each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
Cost = Literal["better", "worse", "same"]


@dataclass(frozen=True, slots=True)
class Bump:
    """A bump as it is given to `--bump`, the server in apps/ that shows it, and what its changelog says.

    `others` = further packages of the server, in fixed versions; `names` = one of them must stand in the first cause.
    """

    key: str
    bump: str
    app: str
    says: str
    path: str = "/"
    others: tuple[str, ...] = ()
    cost: Cost = "same"
    names: tuple[str, ...] = ()

    @property
    def between(self) -> str:
        return "==" if "==" in self.bump else "@"

    @property
    def package(self) -> str:
        return self.bump.rpartition(self.between)[0]

    @property
    def before(self) -> str:
        return self.bump.rpartition(self.between)[2].partition("..")[0]

    @property
    def rule(self) -> str:
        """Of the gate: any regression where nothing changes. A new package takes some memory whatever it saves."""
        return "regression" if self.cost == "same" else "regression:5%"

    @property
    def gate(self) -> int:
        """The exit code that the rule must end with."""
        return 3 if self.cost == "worse" else 0


def table(path: Path = HERE / "bumps.toml") -> dict[str, Bump]:
    """Key -> bump, in the order of the file."""
    read = tomllib.loads(path.read_text())
    return {key: _bump(key, dict(row)) for key, row in read.items()}


def _bump(key: str, row: dict[str, object]) -> Bump:
    lists = {"others": tuple(row.pop("with", ())), "names": tuple(row.pop("names", ()))}  # type: ignore[arg-type]
    return Bump(key=key, **row, **lists)  # type: ignore[arg-type]
