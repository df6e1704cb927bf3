"""Commands that a project's files name: Procfile, Dockerfile, compose files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 1 << 20
COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")


def lines_of(path: Path) -> list[str]:
    """The lines of a text file of the project; none where it is missing, huge or no text."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return []
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def commands(root: Path) -> Iterator[tuple[str, str]]:
    """(where, the command for a shell), the surest first."""
    for number, line in enumerate(lines_of(root / "Procfile"), start=1):
        kind, sign, rest = line.partition(":")
        if sign and kind.strip() == "web":
            yield f"Procfile:{number}", rest.strip()
    yield from _compose(root)
    yield from _dockerfile(root / "Dockerfile")


def _dockerfile(path: Path) -> Iterator[tuple[str, str]]:
    """ENTRYPOINT and CMD of the last stage, as one command."""
    text = re.sub(r"\\\n", "  ", "\n".join(lines_of(path)))
    found: dict[str, tuple[int, list[str] | str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r"\s*FROM\b", line, re.IGNORECASE):
            found.clear()
        if match := re.match(r"\s*(CMD|ENTRYPOINT)\s+(.*)", line, re.IGNORECASE):
            found[match[1].upper()] = number, _words(match[2].strip())
    parts = [found[key] for key in ("ENTRYPOINT", "CMD") if key in found]
    if parts:
        yield f"{path.name}:{parts[-1][0]}", " ".join(_joined(words) for _, words in parts)


def _compose(root: Path) -> Iterator[tuple[str, str]]:
    """The `command:` of each service that is built from this folder. Read by line."""
    for name in COMPOSE:
        lines = lines_of(root / name)
        for number, line in enumerate(lines, start=1):
            match = re.match(r"(\s+)command:\s*(\S.*)?$", line)
            if match and _built_here(lines, number - 1, len(match[1])):
                words = _block(lines, number, len(match[1])) if match[2] in (None, ">", "|", ">-", "|-") else match[2]
                if words:
                    yield f"{name}:{number}", words if match[2] != words else _joined(_words(words.strip().strip("'")))


def _block(lines: list[str], first: int, indent: int) -> str:
    """The command of a list with an item on each line, or of a text on several lines."""
    found: list[str] = []
    for line in lines[first:]:
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if text and (depth < indent or (depth == indent and not text.startswith("- "))):
            break
        item = text.removeprefix("- ").strip()
        found += [_joined([item.strip("\"'")]) if text.startswith("- ") else item] if item else []
    return " ".join(found)


def _built_here(lines: list[str], at: int, indent: int) -> bool:
    """Whether the service around this line has a `build:`."""
    first = at
    while first > 0 and (not lines[first].strip() or len(lines[first]) - len(lines[first].lstrip()) >= indent):
        first -= 1
    last = at
    while last + 1 < len(lines) and (
        not lines[last + 1].strip() or len(lines[last + 1]) - len(lines[last + 1].lstrip()) >= indent
    ):
        last += 1
    return any(re.match(rf"\s{{{indent}}}build\b", line) for line in lines[first : last + 1])


def _words(text: str) -> list[str] | str:
    """A JSON array of words, or the text for a shell as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return [str(word) for word in found] if isinstance(found, list) else text


def _joined(words: list[str] | str) -> str:
    if isinstance(words, str):
        return words
    if words[:1] and Path(words[0]).name in {"sh", "bash"} and words[1:2] == ["-c"]:
        return " ".join(words[2:])
    return " ".join(f"'{word}'" if re.search(r"[\s&;|]", word) else word for word in words)
