"""Reads files of a folder that may come from elsewhere: no path in it leads outside, and only files are opened."""

from __future__ import annotations

import stat
from pathlib import Path

from profpipe.errors import StoreError


def inside(folder: Path, name: str) -> Path:
    """The file `name`, a path relative to `folder`.

    Raises StoreError when it leads outside, by `..`, as an absolute path or through a link, and for anything that is
    not a file: a pipe would wait for ever, a device has no end. A file that does not exist raises FileNotFoundError.
    """
    path = folder / name
    try:
        real = path.resolve()
        if not real.is_relative_to(folder.resolve()):
            raise StoreError(f"{name}: leads out of {folder}, so it is not read")
        check_file(path)
    except (RuntimeError, ValueError) as error:  # links in a circle, a NUL in the name
        raise StoreError(f"{name!r}: is no path of a file in {folder}") from error
    return path


def check_file(path: Path) -> None:
    """Raises StoreError when the path is a pipe, a device or a folder; OSError when there is nothing."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise StoreError(f"{path}: is not a regular file, so it is not read")


def read_file(path: Path) -> bytes:
    """The bytes of a regular file. Raises StoreError for anything else, OSError as `open` does."""
    check_file(path)
    return path.read_bytes()
