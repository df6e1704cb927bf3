"""The house as its imports show it: its rooms, which room imports which, the floor of each, and a picture of that."""

from __future__ import annotations

import ast
from functools import cache
from html import escape
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src" / "profpipe"
BOX, GAP, ROW = (104, 34), 16, 92  # pixels: a room, the space between two, from floor to floor


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@cache
def imports(file: Path) -> tuple[tuple[str, int], ...]:
    """(dotted name, line) of everything a file imports, wherever in the file; relative imports are refused."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return tuple(found)


def rooms() -> dict[str, Path]:
    """Name -> folder or file, of everything directly in src/profpipe but `__init__` and `__main__`."""
    places = [path for path in SRC.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    return {path.stem: path for path in sorted(places) if not path.stem.startswith("__")}


def arrows() -> dict[str, set[str]]:
    """Room -> the rooms that its files import."""
    found: dict[str, set[str]] = {}
    for room, path in rooms().items():
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        names = [name.split(".") for file in files for name, _ in imports(file)]
        found[room] = {n[1] for n in names if n[0] == "profpipe" and len(n) > 1 and n[1] in rooms()} - {room}
    return found


def floors(graph: dict[str, set[str]]) -> list[list[str]]:
    """Rooms by floor, the ground floor first: a room stands one above the highest room it imports."""
    level: dict[str, int] = {}
    while len(level) < len(graph):
        ready = [room for room in graph if room not in level and graph[room] <= set(level)]
        assert ready, f"rooms import each other in a circle: {sorted(set(graph) - set(level))}"
        level |= {room: 1 + max((level[below] for below in graph[room]), default=-1) for room in ready}
    return [sorted(room for room in graph if level[room] == floor) for floor in range(max(level.values()) + 1)]


def direct(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The graph without arrows that a longer way implies, so that the picture can be read."""

    def reached(room: str) -> set[str]:
        return graph[room].union(*(reached(below) for below in graph[room]))

    return {room: {b for b in below if not any(b in reached(o) for o in below - {b})} for room, below in graph.items()}


def picture() -> str:
    """An SVG: one row of boxes a floor, `cli` at the top, an arrow from each room to what it imports."""
    graph = arrows()
    rows = floors(graph)
    widest = max(map(len, rows)) * (BOX[0] + GAP) + GAP
    height = len(rows) * ROW + 8
    at: dict[str, tuple[float, float]] = {}
    for floor, names in enumerate(reversed(rows)):
        left = (widest - len(names) * (BOX[0] + GAP) + GAP) / 2
        at |= {name: (left + i * (BOX[0] + GAP), 24 + floor * ROW) for i, name in enumerate(names)}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {widest} {height}" font-family="sans-serif" '
        'font-size="14">',
        "<title>Rooms of src/profpipe by floor; an arrow points to a room that is imported</title>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#8a93a0"/></marker></defs>',
        f'<rect width="{widest}" height="{height}" fill="#fff"/>',
    ]
    for room, below in sorted(direct(graph).items()):
        for other in sorted(below):
            x1, y1 = at[room][0] + BOX[0] / 2, at[room][1] + BOX[1]
            x2, y2 = at[other][0] + BOX[0] / 2, at[other][1]
            bend = (y2 - y1) / 2
            lines.append(
                f'<path d="M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2 - 1:g}" fill="none" '
                'stroke="#8a93a0" marker-end="url(#head)"/>'
            )
    for name, (x, y) in at.items():
        lines.append(
            f'<g><title>{escape(about(rooms()[name]))}</title><rect x="{x:g}" y="{y:g}" width="{BOX[0]}" '
            f'height="{BOX[1]}" rx="5" fill="#eef3fb" stroke="#3b66a8"/><text x="{x + BOX[0] / 2:g}" '
            f'y="{y + BOX[1] / 2 + 5:g}" text-anchor="middle">{name}</text></g>'
        )
    return "\n".join([*lines, "</svg>", ""])


@cache
def about(path: Path) -> str:
    """The first line of the docstring of a file or of a folder's `__init__.py`."""
    file = path if path.is_file() else path / "__init__.py"
    text = ast.get_docstring(tree(file))
    assert text, f"{file} has no docstring"
    return text.partition("\n")[0].strip()


def table() -> str:
    """Markdown: one line for every room and every folder in it, the top floor first."""
    lines = ["| room | what it holds |", "|---|---|"]
    for floor in reversed(floors(arrows())):
        for name in floor:
            path = rooms()[name]
            inner = sorted(p.parent for p in path.rglob("__init__.py") if p.parent != path) if path.is_dir() else []
            lines += [
                f"| `{p.relative_to(SRC)}{'' if p.is_file() else '/'}` | {about(p).replace('|', chr(92) + '|')} |"
                for p in (path, *inner)
            ]
    return "\n".join(lines)
