"""The application of a Python project, found by reading its files: nothing of it is imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from profpipe.pipeline.project.files import lines_of

# Class that makes an application -> its framework.
CLASSES = {
    "Flask": "flask", "Quart": "quart", "FastAPI": "fastapi", "Starlette": "starlette", "Litestar": "litestar",
    "Sanic": "sanic",
}  # fmt: skip
# A class of this name is only one with its module before it.
QUALIFIED = {
    "web.Application": "aiohttp", "aiohttp.web.Application": "aiohttp", "falcon.App": "falcon",
    "falcon.asgi.App": "falcon-asgi",
}  # fmt: skip
SKIPPED = frozenset({"node_modules", "site-packages", "tests", "test", "docs", "build", "dist", "migrations"})
MOST_FILES, DEEPEST = 400, 4


@dataclass(frozen=True, slots=True)
class Application:
    """`module` is imported from the folder `path`; `name` is the object, or the function that makes it (`factory`)."""

    framework: str
    module: str
    name: str
    factory: bool
    path: str
    where: str


def application(root: Path) -> Application | None:
    """The likeliest application of a project: a name such as `app` near the top."""
    found = [*_django(root), *(app for file in _files(root) for app in _in_file(root, file))]
    return min(found, key=_rank, default=None)


def _rank(app: Application) -> tuple[bool, bool, int, str]:
    other_name = "" if app.name in {"app", "application"} else app.name
    return app.framework != "django", app.factory, app.module.count("."), other_name


def _django(root: Path) -> Iterator[Application]:
    for number, line in enumerate(lines_of(root / "manage.py"), start=1):
        found = re.search(r"""DJANGO_SETTINGS_MODULE["'], *["']([\w.]+)\.\w+["']""", line)
        if found and (root / found[1].replace(".", "/") / "wsgi.py").is_file():
            yield Application("django", f"{found[1]}.wsgi", "application", False, ".", f"manage.py:{number}")


def _files(root: Path) -> Iterator[Path]:
    """The project's own Python files, those near the top first."""
    folders, seen = [root], 0
    for _ in range(DEEPEST):
        deeper: list[Path] = []
        for folder in folders:
            try:
                entries = sorted(folder.iterdir())
            except OSError:
                continue
            for entry in entries:
                if entry.is_dir() and not _skipped(entry):
                    deeper.append(entry)
                elif entry.suffix == ".py" and seen < MOST_FILES:
                    seen += 1
                    yield entry
        folders = deeper


def _skipped(folder: Path) -> bool:
    hidden = folder.name.startswith((".", "_")) or folder.name in SKIPPED
    return hidden or (folder / "pyvenv.cfg").exists() or folder.is_symlink()


def _in_file(root: Path, file: Path) -> Iterator[Application]:
    try:
        tree = ast.parse("\n".join(lines_of(file)))
    except (SyntaxError, ValueError, RecursionError):
        return
    module, path = _module(root, file)
    for node in tree.body:
        framework = _made(node.value) if isinstance(node, ast.Assign | ast.AnnAssign) else None
        where = f"{file.relative_to(root)}:{node.lineno}"
        if framework and isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                yield Application(framework, module, target.id, False, path, where)
        elif isinstance(node, ast.FunctionDef) and not node.args.args:
            made = next((kind for inner in ast.walk(node) if (kind := _made(inner))), None)
            if made:
                yield Application(made, module, node.name, True, path, where)


def _made(node: ast.AST | None) -> str | None:
    """The framework whose application this expression makes."""
    if not isinstance(node, ast.Call):
        return None
    name = ast.unparse(node.func)
    return QUALIFIED.get(name) or CLASSES.get(name.rpartition(".")[2])


def _module(root: Path, file: Path) -> tuple[str, str]:
    """(the module's dotted name, the folder that it is imported from, relative to the project)."""
    parts, folder = [] if file.stem == "__init__" else [file.stem], file.parent
    while folder != root and (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), str(folder.relative_to(root)) or "."
