"""A perf that does what a test wants, and counts over what a real one recorded."""

from __future__ import annotations

from pathlib import Path

from profpipe.model.profile import Profile


def fake_perf(folder: Path, script: str) -> str:
    """A program named perf that is this shell script."""
    path = folder / "perf"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def samples_where(profile: Profile, runtime: int) -> int:
    """Samples with an innermost frame of this runtime."""
    assert profile.samples is not None
    assert profile.stacks is not None
    f = profile.frames.function[profile.stacks.frame[profile.samples.stack]]
    return int(profile.samples.values["samples"][profile.functions.runtime[f] == runtime].sum())
