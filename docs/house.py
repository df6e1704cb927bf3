"""The house as its imports show it: which room imports which, on which floor a room is, and the picture of it."""

from __future__ import annotations

import ast
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src" / "profpipe"


def imports(file: Path) -> list[tuple[str, int]]:
    """(dotted name, line) of everything a file imports, wherever in the file; relative imports are refused."""
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return found
