"""Every file of the source: short, with short functions, and in no circle of imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from docs.house import imports, tree
from tests.support.paths import SRC

FILES = sorted(SRC.rglob("*.py"))
MOST_LINES, MOST_IN_FUNCTION, HEAD = 300, 40, 12
REASON = re.compile(r"# long: \w+")


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports inside functions count too: they hide a circle, they do not open it."""
    names = {module_of(file): file for file in FILES}
    links = {module: _imported(file, names) - {module} for module, file in names.items()}
    while links:
        free = {module for module, others in links.items() if not others & links.keys()}
        assert free, f"files that import each other: {', '.join(sorted(_on_a_circle(links)))}"
        links = {module: others for module, others in links.items() if module not in free}


def module_of(file: Path) -> str:
    parts = file.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(file: Path, known: Container[str]) -> set[str]:
    """Files that this one names; a package counts where something of its own `__init__` is named."""
    found = set()
    for name, _ in imports(file):
        module = name if name in known else name.rpartition(".")[0]
        if module in known:
            found.add(module)
    return found


def _on_a_circle(links: Mapping[str, set[str]]) -> set[str]:
    """What is left when files that no other one imports are taken away as well."""
    left = dict(links)
    while True:
        wanted = {other for others in left.values() for other in others}
        if left.keys() <= wanted:
            return set(left)
        left = {module: others for module, others in left.items() if module in wanted}


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
