"""Every file of the source: short, with short functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.house import tree
from tests.support.paths import SRC

FILES = sorted(SRC.rglob("*.py"))
MOST_LINES, MOST_IN_FUNCTION, HEAD = 300, 40, 12
REASON = re.compile(r"# long: \w+")


def test_files_and_functions_are_short_or_give_a_reason() -> None:
    """A `# long: reason` comment in the first lines of a file, or on the line of the `def`, allows more."""
    assert [fault for file in FILES for fault in _too_long(file)] == []


def _too_long(file: Path) -> Iterator[str]:
    text = file.read_text()
    lines = text.splitlines()
    at = file.relative_to(SRC)
    if len(lines) > MOST_LINES and not any(REASON.search(line) for line in lines[:HEAD]):
        yield f"{at} has {len(lines)} lines"
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            near = lines[node.lineno - 1 : node.body[0].lineno]
            reason = any(REASON.search(line) for line in near)
            if size > MOST_IN_FUNCTION and not reason:
                yield f"{at}:{node.lineno}: {node.name} has {size} lines"
