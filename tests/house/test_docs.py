"""What the documents say exists, and what exists is said."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import click
import pytest

from profpipe.cli import cli
from tests.support.paths import DOCS, ROOT, SRC

README = ROOT / "README.md"
OTHERS = ("CONTRIBUTING.md", "SECURITY.md", "tests/README.md")
PAGES = [README, *(ROOT / name for name in OTHERS), *sorted(DOCS.rglob("*.md"))]
USER_TEXT = "\n".join(page.read_text() for page in PAGES)
MAKEFILE = (ROOT / "Makefile").read_text()
MAKE_TARGETS = {name for line in re.findall(r"^([a-z][a-z ]*):(?!=)", MAKEFILE, re.MULTILINE) for name in line.split()}
COMMANDS = sorted(name for name, command in cli.commands.items() if not command.hidden)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_say_what_they_do(name: str) -> None:
    command = cli.commands[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"profpipe {name}: {parameter.opts} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_in_the_documents(name: str) -> None:
    assert re.search(rf"\bprofpipe {name}\b", USER_TEXT), f"no page mentions `profpipe {name}`"


def code(text: str) -> str:
    """Only what stands in code spans and fenced blocks: prose may say `make sense`."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_commands_that_exist(page: Path) -> None:
    text = code(page.read_text())
    for name in re.findall(r"(?:^|[`\s])make ([a-z][a-z-]*)", text):
        assert name in MAKE_TARGETS, f"{page.name}: make {name}"
    for name in re.findall(r"(?<!from)(?:^|[`\s])profpipe ([a-z][a-z-]*)", text):
        assert name in COMMANDS, f"{page.name}: profpipe {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_only_to_files_that_exist(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_readme_says_how_to_set_up_and_to_test() -> None:
    assert {"make demo", "make test"} <= set(re.findall(r"make [a-z]+", code(README.read_text())))


def test_every_make_target_has_a_help_line() -> None:
    helped = {name for line in re.findall(r"^([a-z][a-z ]*):.* ## \S", MAKEFILE, re.MULTILINE) for name in line.split()}
    phony = {name for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE) for name in line.split()}
    assert helped == phony == MAKE_TARGETS


def tracked() -> list[Path]:
    """What the repository holds; in an unpacked sdist, all of it."""
    if not (ROOT / ".git").exists():
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True, timeout=20)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


# In two pieces each, so that this file passes its own test.
HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "yarn" + "pkg.com",
    "golang" + ".org/proxy",
    "crates" + ".io",
    "deb.debian" + ".org",
]
# Cargo writes this very line for the default registry, whatever mirror served it.
CARGO_SOURCE = b'source = "registry+https://github.com/rust-lang/crates' + b'.io-index"'
# Tests of how paths are shortened and hidden need such paths; nothing else does, captures least of all.
PATHS = ["/wo" + "rk/"]
PATHS_BUT_IN_TESTS = ["/ro" + "ot/", "/ho" + "me/"]


@pytest.mark.programs
def test_no_tracked_file_names_a_registrys_host_or_a_place_of_one_machine() -> None:
    in_tests = re.compile("|".join(map(re.escape, HOSTS + PATHS)).encode())
    elsewhere = re.compile("|".join(map(re.escape, HOSTS + PATHS + PATHS_BUT_IN_TESTS)).encode())
    found = []
    for path in tracked():
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if b"\0" in data[:8192]:
                continue
            banned = in_tests if path.suffix == ".py" and path.is_relative_to(ROOT / "tests") else elsewhere
            for number, line in enumerate(data.splitlines(), 1):
                if banned.search(line) and not (path.name == "Cargo.lock" and line == CARGO_SOURCE):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line[:120]!r}")
    assert not found, "\n".join(found[:20])


QUESTIONS = re.findall(
    r"^\| [^|]+\? \| `([^`]+)` \| `([^`]+)` \|$", (DOCS / "architecture.md").read_text(), re.MULTILINE
)


def test_architecture_answers_at_least_twenty_questions() -> None:
    assert len(QUESTIONS) >= 20


@pytest.mark.parametrize(("file", "name"), QUESTIONS)
def test_what_decides_it_is_where_the_architecture_page_says(file: str, name: str) -> None:
    tree = ast.parse((SRC / file).read_text())
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found |= {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    found |= {n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    assert name in found, f"docs/architecture.md: {file} defines no {name}"


# Pages in docs/extend name files that their reader is about to write.
@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "extend"], ids=lambda page: page.name)
def test_a_page_names_only_source_files_that_exist(page: Path) -> None:
    rooms = {path.stem for path in (*SRC.iterdir(), *ROOT.iterdir())} - {"reports", "build"}
    for path in re.findall(r"`([a-z_]+/[\w/.*-]*)`", page.read_text()):
        if path.split("/")[0] in rooms and "*" not in path:
            assert (SRC / path).exists() or (ROOT / path).exists(), f"{page.name}: {path}"


def test_tests_readme_lists_every_shared_file() -> None:
    listed = set(re.findall(r"`(\w+\.py)`", (ROOT / "tests/README.md").read_text().partition("## Shared code")[2]))
    there = {path.name for path in (ROOT / "tests/support").glob("*.py")} - {"__init__.py"}
    assert listed == there
