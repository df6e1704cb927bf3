"""Files of Git LFS that a worktree has as pointers only: where git-lfs is not set up, git checks out the pointer."""

from __future__ import annotations

from pathlib import Path

from profpipe.commits.git import asks

# The first line of a pointer (git-lfs, docs/spec.md), and more bytes than one may have.
POINTER, LONGEST = b"version https://git-lfs.github.com/spec/v1\n", 1024


def pointers(folder: Path) -> tuple[str, ...]:
    """The paths of a worktree that .gitattributes gives to LFS and that hold a pointer in place of the file."""
    listed = asks(folder, "ls-files", "-z", "--", ":(attr:filter=lfs)") or ""
    return tuple(path for path in listed.split("\0") if path and _is_pointer(folder / path))


def words(paths: tuple[str, ...], commit: str) -> str:
    """What a comparison says of them: the server may read them, and then it reads the wrong bytes."""
    more = f" and {len(paths) - 1} more are pointers" if len(paths) > 1 else " is a pointer"
    return (
        f"{paths[0]}{more} of Git LFS, not the file{'s' if len(paths) > 1 else ''}: "
        f"git lfs install --local && git lfs fetch origin {commit} && profpipe clean"
    )


def _is_pointer(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > LONGEST:
        return False
    return path.read_bytes().startswith(POINTER)
