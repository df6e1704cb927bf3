"""Plain English in code, templates and documents: phrases that a native engineer would not write do not come back."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import DOCS, FRONTEND, ROOT, SRC, TEMPLATES

# Pattern -> what to write in its place.
BANNED = {
    r"\bdearer\b|\bdearest\b": "more expensive, the most expensive",
    r"\bst(?:and|ood|ands) (?:once|twice|thrice|alone|beside|there|elsewhere)\b": "is, is listed, is shown",
    r"\b(?:is|are|was|were|be) said\b": "a subject and an active verb: the report says, it prints",
    r"\bnobody got\b|\bnobody (?:asked|knows|calls)\b": "unassigned, unknown, without a caller",
    r"\bcannot tell yet\b": "is still undecided",
    r"\bby luck\b|\bluck kept\b": "by chance",
    r"\banew\b|\bthrice\b|\bof its own accord\b": "again, three times, by itself",
    r"\bjump about\b|\bwanders? about\b": "check out, move",
    r"\bthis system does not say\b|\bwhen the system does not say\b": "not reported by this kernel",
    r"\bin (?:its|their) stead\b|\bwherefore\b|\bthereof\b": "instead, why, of it",
    r"\bRead are\b|\bWritten are\b": "Reads ..., Writes ...",
    r"\bnearer to the truth\b": "more reliable",
    r"\bruns that do not count\b": "invalid runs",
    r"\bthe answer is none\b|\bnot one valid\b": "unexpected response, no valid",
}
FILES = sorted(
    path
    for path in (
        *SRC.rglob("*.py"), *SRC.rglob("*.toml"), *TEMPLATES.glob("*.j2"), *FRONTEND.glob("src/*.ts"),
        *DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "tests/README.md", ROOT / "profpipe.toml", ROOT / "Makefile",
    )
)  # fmt: skip


def found(text: str, pattern: str) -> list[int]:
    """Lines on which the pattern begins; it may go on over the end of a line."""
    return [text.count("\n", 0, m.start()) + 1 for m in re.finditer(pattern, flowing(text))]


@cache
def flowing(text: str) -> str:
    return re.sub(r"\s", " ", text)


@cache
def text_of(path: Path) -> str:
    return path.read_text()


@pytest.mark.parametrize("pattern", BANNED)
def test_a_phrase_stays_out(pattern: str) -> None:
    hits = [f"{path.relative_to(ROOT)}:{line}" for path in FILES for line in found(text_of(path), pattern)]
    assert not hits, f"write {BANNED[pattern]!r} here:\n" + "\n".join(hits)


def test_a_phrase_is_found_over_the_end_of_a_line() -> None:
    assert found("one\nwhat is\nsaid here", r"\bis said\b") == [2]


def test_every_file_of_the_package_is_read() -> None:
    assert {path for path in FILES if path.suffix == ".py"} == set(Path(SRC).rglob("*.py"))
