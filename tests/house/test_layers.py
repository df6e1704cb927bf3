"""The house: data flows one way without a circle, rooms of a floor do not know each other, libraries stay in theirs."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import pytest

from docs.house import imports
from tests.support.paths import SRC, TESTS

FLOORS = (
    {"errors", "units", "characters", "cpu_clock", "credentials", "tls", "connecting", "final_answer"},
    {"plugins"},
    {"model", "study", "commits", "publish"},
    {"parse", "capture", "load", "export", "store", "analyse"},
    {"render", "reference"},
    {"pipeline"},
    {"cli"},
)
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# The floors inside a room: files and folders of it, those that know nothing of the others first.
INNER: dict[str, tuple[set[str], ...]] = {
    "pipeline": (
        {"project", "behind_change"},
        {"setup", "captures", "loads", "history", "prepare", "gate"},
        {"events"},
        {"execute"},
        {"measure", "slices", "reporting", "trial", "doctor"},
        {"whole_study"},
        {"commits", "attach"},
    ),
    "capture": (
        {"complaints", "server"},
        {"tools", "environments", "services"},
        {"machine", "interface", "run_files"},
        {"launch", "profilers"},
        {"run", "side_by_side", "loaded_files", "doctor"},
    ),
    "analyse": (
        {"names", "statistics", "study_data"},
        {"function_index", "per_request", "valid_runs"},
        {"matrix"},
        {"aligned_rows"},
        {"commits", "tables"},
        {"conclusions"},
        {"report", "judge_again"},
        {"compare_captures"},
    ),
    "render": (
        {"visible", "templates", "place"},
        {"text"},
        {"content"},
        {"page", "comment", "terminal", "history"},
    ),
    "store": ({"files", "untrusted_paths"}, {"run_folders", "history"}),
}
# A library lives in these rooms only.
LIBRARIES = {
    "pandas": {"model", "analyse", "render"},
    "jinja2": {"render"},
    "click": {"cli"},
    "rich": {"cli", "render"},
    "scipy": {"analyse"},
    "duckdb": {"store"},
    "multi_demangle": {"analyse"},
    "psutil": {"capture"},
    "httptools": {"load", "capture"},
    "httpx2": {"publish"},
    "tree_sitter": {"study"},
    "tree_sitter_toml": {"study"},
}
# Lines, not syntax trees: to parse the 300 files of tests takes three seconds.
OF_TESTS = re.compile(r"^[ \t]*(?:from|import) +tests\b.*", re.MULTILINE)
FILES = sorted(SRC.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(SRC).parts[0].removesuffix(".py")


def test_a_room_imports_only_floors_below() -> None:
    assert [fault for file in FILES for fault in faults(file)] == []


def faults(file: Path) -> Iterator[str]:
    room, at = room_of(file), file.relative_to(SRC)
    if room not in FLOOR:
        if room not in {"__init__", "__main__"}:
            yield f"{room} is no room of the house"
        return
    for name, line in imports(file):
        top, *rest = name.split(".")
        if top == "profpipe" and rest and rest[0] != room and FLOOR.get(rest[0], -1) >= FLOOR[room]:
            yield f"{at}:{line}: {room} must not import {rest[0]}"
        if top in LIBRARIES and room not in LIBRARIES[top]:
            yield f"{at}:{line}: {top} belongs in {sorted(LIBRARIES[top])}"


@pytest.mark.parametrize("room", INNER)
def test_inside_a_room_a_file_imports_only_floors_below(room: str) -> None:
    floor = {name: level for level, names in enumerate(INNER[room]) for name in names}
    for file in sorted((SRC / room).rglob("*.py")):
        own = file.relative_to(SRC / room).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        assert own in floor, f"{own} is on no floor of {room}: add it to INNER"
        for name, line in imports(file):
            _, in_room, *rest = [*name.split("."), "", ""]
            if in_room == room and rest[0] in floor and rest[0] != own:
                assert floor[rest[0]] < floor[own], f"{file.name}:{line}: {own} must not import {rest[0]}"


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


@pytest.mark.parametrize("folder", ["parse", "load", "export", "capture/profilers", "publish"])
def test_formats_and_tools_do_not_know_each_other(folder: str) -> None:
    """Files of one tool or format import only the room's shared files, never another tool's."""
    shared = SHARED[folder]
    for file in sorted((SRC / folder).rglob("*.py")):
        if file.stem in shared or file.stem in {"__init__", *CHOOSERS}:
            continue
        for name, line in imports(file):
            prefix = f"profpipe.{folder.replace('/', '.')}."
            if name.startswith(prefix):
                other, own = name.removeprefix(prefix).split(".")[0], file.relative_to(SRC / folder).parts[0]
                assert other in shared | {own.removesuffix(".py")}, f"{file.name}:{line}: imports its neighbour {other}"


# The file of a room that knows every one of its tools.
CHOOSERS = {"registry", "detect", "convert", "locate", "sources", "post"}
SHARED: dict[str, set[str]] = {
    "parse": {"interface", "parts", "reading", "stack_rows", "v8_nodes", "heap_frames"}
    | {"firefox_tables", "php_serialised"},
    "load": {
        "interface",
        "plan",
        "process",
        "guard",
        "doubts",
        "exchange",
        "response",
        "results",
        "pointer",
        "feed",
        "expected",
    },
    "export": {"interface"},
    "publish": {"interface", "wire", "secret", "place", "actions", "issues", "sticky", "summary"},
    "capture/profilers": set(),
}


def test_a_test_module_imports_no_other() -> None:
    """What two of them need is in tests/support, and paths are counted in tests/support/paths.py."""
    for file in sorted(TESTS.rglob("test_*.py")):
        text = file.read_text()
        assert [line for line in OF_TESTS.findall(text) if "tests.support" not in line] == [], file
        assert "Path(__file" + "__)" not in text, f"{file.name}: take the path from tests.support.paths"
