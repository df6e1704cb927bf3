"""The files of a run: the folder of its captures, their records, the output of its server."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from profpipe.credentials import HIDDEN
from profpipe.errors import CaptureError
from profpipe.model.run import CaptureFile


def empty_folder(raw: Path, *, again: bool) -> Path:
    """Captures of two runs must never mix: a folder with files is refused, files of our own earlier try are removed."""
    if again:
        shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True, exist_ok=True)
    if any(raw.iterdir()):
        raise CaptureError("start", f"{raw} holds captures of another run: give each run a folder of its own")
    return raw


def keep_log(folder: Path, log: bytes, secrets: Iterable[str]) -> str | None:
    """Write server.log without these values; what went wrong in words, None where nothing did."""
    for secret in secrets:
        log = log.replace(secret.encode(), HIDDEN.encode())
    try:
        (folder / "server.log").write_bytes(log)
    except OSError as error:
        return f"server.log could not be written: {error.strerror}"
    return None


def capture_file(path: Path, form: str, folder: Path) -> CaptureFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CaptureFile(path.relative_to(folder).as_posix(), form, digest, path.stat().st_size)
