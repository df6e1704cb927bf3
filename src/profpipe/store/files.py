"""Writes files so that each is complete or absent: to a temporary file, synced, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from profpipe.errors import StoreError

# How long a named pipe may have no reader before writing to it is given up.
READER_SECONDS = 10.0


def write_whole(path: Path, data: str | bytes) -> None:
    """Write one file. After a crash it is the old one or the new one, never half of it.

    A link of that name is replaced, never followed: a run folder may come from elsewhere. Raises StoreError naming the
    path (disk full, read-only, a directory, pipe, device or socket of that name).
    """
    write_together({path: data})


def write_together(files: Mapping[Path, str | bytes]) -> None:
    """Write files that belong together: none is renamed before all of them are on disk. Raises StoreError."""
    aside: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            _check_replaceable(path)
            _write_aside(path, _bytes(data), aside)
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


def write_output(path: Path, data: str | bytes) -> None:
    """Write what the user asked for to the path that the user named: a file as `write_whole` does, behind links.

    A terminal, a device such as /dev/null and a pipe are written to. Raises StoreError, also for a disk, a socket, and
    a pipe that nothing reads for READER_SECONDS.
    """
    try:
        real = path.resolve()
        mode = real.stat().st_mode if real.exists() else path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise StoreError(f"{path}: cannot be written: {error}") from error
    # /dev/stdout that was sent into a file: the file belongs to the process that opened it.
    passed_on = path.is_symlink() and path.absolute().is_relative_to("/dev")
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or passed_on:
        _write_through(path, _bytes(data))
    else:
        write_whole(real, data)


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _check_replaceable(path: Path) -> None:
    """Raises StoreError when something else than a file or link has that name."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # a new file, or the writer reports what is wrong
    kinds = {stat.S_IFBLK: "disk", stat.S_IFSOCK: "socket", stat.S_IFIFO: "named pipe", stat.S_IFCHR: "device"}
    if kind := kinds.get(stat.S_IFMT(mode)):
        raise StoreError(f"{path}: is a {kind}, and only files are replaced; nothing was changed")


def _write_aside(path: Path, data: bytes, aside: dict[Path, Path]) -> None:
    """Write the data to a temporary file in the same folder, and note its name in `aside`."""
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:  # its mode is what the umask leaves
            aside[path] = temporary
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}; nothing was changed") from error


def _write_through(path: Path, data: bytes) -> None:
    limit = time.monotonic() + READER_SECONDS
    while True:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            break
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > limit:
                why = "nothing reads this pipe" if error.errno == errno.ENXIO else error.strerror
                raise StoreError(f"{path}: cannot be written: {why}") from error
            time.sleep(0.05)
    try:
        os.set_blocking(handle, True)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
