"""Which packages are a Java program's own: those of its main class, of its folders of classes, of its folder's sources.

Classes of other packages are libraries, also inside one jar with the program.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PACKAGES = "Java packages"
MAX_FILES = 2000  # looked at in a folder: enough for every package of a large program
_CLASS_PATH = frozenset({"-cp", "-classpath", "--class-path", "-p", "--module-path"})
_WITH_VALUE = _CLASS_PATH | {
    "--add-modules",
    "--add-opens",
    "--add-exports",
    "--add-reads",
    "--source",
    "-m",
    "--module",
}
_DECLARATION = re.compile(r"^\s*package\s+([\w.]+)", re.MULTILINE)
_SOURCES = ("*.java", "*.kt", "*.scala", "*.groovy")
_NOT_OWN = frozenset({"target", "build", "node_modules", "out", "bin"})
# A manifest names the class that a jar starts; Spring Boot's own launcher starts the class of Start-Class.
_MAIN = re.compile(r"^(?:Start|Main)-Class: *(\S+)", re.MULTILINE)
_LAUNCHERS = "org.springframework.boot.loader"


def java_program(argv: Sequence[str], cwd: Path) -> Mapping[str, str]:
    """The program's own packages as a fact; empty where nothing tells them, as for classes without a package."""
    found = set(_of_command(argv[1:], cwd)) | set(_of_sources(cwd))
    roots = sorted(p for p in found if p and not any(p.startswith(f"{other}.") for other in found if other))
    return {PACKAGES: ", ".join(roots)} if roots else {}


def _of_command(words: Sequence[str], cwd: Path) -> Iterator[str]:
    at = 0
    while at < len(words):
        word = words[at]
        if word in _CLASS_PATH and at + 1 < len(words):
            for entry in words[at + 1].split(":"):
                yield from _of_folder(cwd / entry)
        if word == "-jar" and at + 1 < len(words):
            yield from _of_jar(cwd / words[at + 1])
            return
        if not word.startswith("-"):
            yield _package(word.rpartition("/")[2]) if not word.endswith(".java") else ""
            return
        at += 2 if word in _WITH_VALUE else 1


def _of_folder(folder: Path) -> Iterator[str]:
    """The packages of a folder of classes; a jar on the class path is a library."""
    if folder.is_dir():
        for file in _some(folder, ("*.class",)):
            yield ".".join(file.relative_to(folder).parts[:-1])


def _of_jar(jar: Path) -> Iterator[str]:
    try:
        with zipfile.ZipFile(jar) as archive:
            names = [name for name in archive.namelist() if name.startswith("BOOT-INF/classes/")]
            manifest = archive.read("META-INF/MANIFEST.MF").decode(errors="replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        return
    for name in names:
        if name.endswith(".class"):
            yield ".".join(name.split("/")[2:-1])
    for started in _MAIN.findall(manifest):
        if not started.startswith(_LAUNCHERS):
            yield _package(started)


def _of_sources(cwd: Path) -> Iterator[str]:
    for file in _some(cwd, _SOURCES):
        try:
            declared = _DECLARATION.search(file.read_text(errors="replace")[:4096])
        except OSError:
            continue
        if declared:
            yield declared[1]


def _some(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Files below a folder, MAX_FILES at most, without hidden folders and those that builds write to."""
    left = MAX_FILES
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _NOT_OWN]
        for name in files:
            if any(Path(name).match(pattern) for pattern in patterns):
                yield Path(root) / name
                left -= 1
        if left <= 0:
            return


def _package(class_name: str) -> str:
    return class_name.rpartition(".")[0]
