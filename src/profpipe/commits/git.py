"""The one way to run git: arguments in, text out; a failure becomes an error that says what to do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from profpipe.errors import CommitError, ToolMissing

ASK_SECONDS = 300.0
# Answers must not depend on the user's language or pager, and a repository's hooks must not run.
ENVIRONMENT: Mapping[str, str] = {
    "LC_ALL": "C",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}
SAFE = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "log.showSignature=false",
    "-c",
    "advice.detachedHead=false",
)
# Set by git for its hooks: they would point every command at another repository than `folder`.
FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def git(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> str:
    """What `git WORDS` prints in `folder`. Raises CommitError with git's last line when it fails."""
    done = _run(folder, words, env)
    if done.returncode != 0:
        output = done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["it printed nothing"]
        raise CommitError(f"git {' '.join(words[:2])} in {folder} failed: {output[-1].removeprefix('fatal: ')}")
    return done.stdout


def asks(folder: Path, *words: str) -> str | None:
    """The stripped output, or None when git fails: for questions to which failure is an answer."""
    done = _run(folder, words, None)
    return done.stdout.strip() if done.returncode == 0 else None


def _run(folder: Path, words: tuple[str, ...], env: Mapping[str, str] | None) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    try:
        return subprocess.run(
            ["git", *SAFE, "-C", str(folder), *words],
            capture_output=True, text=True, errors="surrogateescape", timeout=ASK_SECONDS, check=False,
            stdin=subprocess.DEVNULL, env={**inherited, **ENVIRONMENT, **(env or {})},
        )  # fmt: skip
    except FileNotFoundError as error:
        raise ToolMissing("git not found: apt install git; commits cannot be compared without it") from error
    except subprocess.TimeoutExpired as error:
        raise CommitError(f"git {' '.join(words[:2])} in {folder} did not exit within {ASK_SECONDS:.0f} s") from error
