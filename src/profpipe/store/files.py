"""Writes files so that each is complete or absent: to a temporary file, synced, then renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from profpipe.errors import StoreError


def write_whole(path: Path, data: str | bytes) -> None:
    """Write one file. After a crash it is the old one or the new one, never half of it.

    Raises StoreError naming the path (disk full, read-only, a directory of that name).
    """
    write_together({path: data})


def write_together(files: Mapping[Path, str | bytes]) -> None:
    """Write files that belong together: none is renamed before all of them are on disk. Raises StoreError."""
    aside: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            try:
                aside[path] = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
                with aside[path].open("xb") as file:  # its mode is what the umask leaves
                    file.write(data.encode() if isinstance(data, str) else data)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                text = f"{path}: cannot be written: {error.strerror or error}; nothing was changed"
                raise StoreError(text) from error
        for path in files:
            try:
                aside[path].replace(path)
            except OSError as error:
                raise StoreError(f"{path}: cannot be replaced: {error.strerror or error}") from error
            del aside[path]
    finally:
        for temporary in aside.values():
            with contextlib.suppress(OSError):
                temporary.unlink()
