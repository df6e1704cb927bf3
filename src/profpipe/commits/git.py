"""The one way to run git: arguments in, text out; a failure becomes an error that says what to do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from profpipe.characters import well_formed
from profpipe.errors import CommitError, ToolMissing

ASK_SECONDS = 300.0
LONGEST = 600
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
    """What `git WORDS` prints in `folder`. Raises CommitError with git's complaint when it fails."""
    done = _run(folder, words, env)
    if done.returncode != 0:
        raise CommitError(f"git {' '.join(words[:2])} in {folder} failed: {_reason(done.stderr or done.stdout)}")
    return done.stdout


def _reason(output: str) -> str:
    """All that git complained of, in one line: `smudge filter lfs failed` is not the reason, the line before it is."""
    lines = [line.strip().removeprefix("fatal: ").removeprefix("error: ") for line in output.splitlines()]
    kept = list(dict.fromkeys(line for line in lines if line and not line.startswith(("hint:", "Preparing worktree"))))
    text = well_formed("; ".join(kept)) or "it printed nothing"
    if "git-lfs" in text and "not found" in text:
        text += "; install git-lfs: apt install git-lfs"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def asks(folder: Path, *words: str) -> str | None:
    """The output without its last line break, or None when git fails: for questions to which failure is an answer."""
    return answer(folder, *words)[0]


def answer(folder: Path, *words: str) -> tuple[str | None, str]:
    """What `asks` gives, and what git complained of. Blanks at the ends of a path are a part of it."""
    done = _run(folder, words, None)
    return done.stdout.removesuffix("\n") if done.returncode == 0 else None, done.stderr


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
