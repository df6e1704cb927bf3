"""A study prepared in a folder, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from profpipe.capture import PROFILERS
from profpipe.load import GENERATORS
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.study import prepare
from profpipe.study.read import read_study_file
from tests.support.study_driving import toml

TARGET = {"command": ["{python}", "x.py", "{port}"], "language": "python"}


def prepared(
    folder: Path, targets: dict[str, Any], options: RunOptions | None = None, more: str = "", **study: Any
) -> PreparedStudy:
    """`more` = lines of the file besides the targets and the study."""
    lines = ["schema = 1", more]
    for name, target in targets.items():
        lines += [f"[target.{name}]", *(f"{key} = {toml(value)}" for key, value in target.items())]
    settings = {"targets": list(targets), "profilers": ["clean"], "rounds": 2, "slices": False, **study}
    lines += ["[study.s]", *(f"{key} = {toml(value)}" for key, value in settings.items())]
    path = folder / "profpipe.toml"
    path.write_text("\n".join(lines) + "\n")
    loaded = read_study_file(path, profilers=PROFILERS.names(), generators=GENERATORS.names())
    return prepare(loaded, "s", options or RunOptions())
