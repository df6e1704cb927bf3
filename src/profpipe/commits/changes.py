"""What changed between two commits, as git diff shows it."""

from __future__ import annotations

from pathlib import Path

from profpipe.commits.git import git

# A diff of vendored or generated files can be hundreds of megabytes; changed lines are looked up in its beginning.
LIMIT = 8 * 1024 * 1024
HEADINGS = Path(__file__).with_name("functions.gitattributes")


def changes(repo: Path, base: str, head: str) -> str:
    """`git diff` without context lines, with renames, binary files only named; cut at the end of a line at 8 MiB.

    After @@ comes the function that contains the change, by git's rules for each language, methods included.
    """
    headings = ("-c", f"core.attributesFile={HEADINGS}")
    plain = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames")
    text = git(repo, *headings, "diff", *plain, "--src-prefix=a/", "--dst-prefix=b/", base, head, "--")
    return text if len(text) <= LIMIT else text[: text.rindex("\n", 0, LIMIT) + 1]


def changed_files(repo: Path, base: str, head: str) -> tuple[str, ...]:
    """The paths that differ between two commits, both names of a renamed file."""
    text = git(repo, "diff", "--name-only", "--no-renames", "-z", base, head, "--")
    return tuple(path for path in text.split("\0") if path)
