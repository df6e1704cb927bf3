"""What a run captured, as a profile."""

from __future__ import annotations

from pathlib import Path

from profpipe.model.profile import Profile
from profpipe.model.run import RunRecord
from profpipe.parse import parse_files


def parsed(captured: RunRecord, folder: Path) -> Profile:
    """The captures of a run, read by the parser their format names."""
    assert captured.reason is None, captured.reason
    assert captured.captures
    formats = {file.format for file in captured.captures}
    assert len(formats) == 1
    return parse_files([folder / file.path for file in captured.captures], formats.pop())
