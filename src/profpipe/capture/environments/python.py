"""Python environments: a venv filled by uv or pip from a requirements file, or by uv from its own lock."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from profpipe.capture.environments.interface import Package, Recipe, Wanted
from profpipe.capture.environments.interpreters import about, find_interpreter

PYPROJECT = "pyproject.toml"
_INCLUDED = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)", re.MULTILINE)
_LOCAL = re.compile(r"^\s*(?:-e\b|--editable\b|\.{1,2}(?:/|\s|$|\[)|file:|\S+\s*@\s*file:)", re.MULTILINE)


class Requirements:
    """requirements.txt and its like, pinned or not."""

    name: str = "requirements"
    locks: tuple[str, ...] = ("requirements.lock", "requirements.txt", "requirements*.lock", "requirements*.txt")
    link: str = ".venv"
    programs: str = "bin"
    between: str = "=="

    def missing(self) -> str | None:
        return None

    def inputs(self, wanted: Wanted) -> tuple[bytes, ...]:
        files = dict.fromkeys(_with_included(wanted.lock))
        local = bool(wanted.project) or any(_LOCAL.search(_text(file)) for file in files)
        return (*_interpreter_inputs(wanted), *(file.read_bytes() for file in files), *_own_folder(wanted, local))

    def recipe(self, wanted: Wanted, folder: Path) -> Recipe:
        python = find_interpreter(wanted.python, wanted.cwd, wanted.home)
        install = _installer(folder)
        own = ((*install, "--no-deps", "--editable", str(wanted.cwd)),) if wanted.project else ()
        return Recipe((_venv(python, folder), (*install, "-r", str(wanted.lock)), *own, *_more(install, wanted, self)))

    def packages(self, cwd: Path, folder: Path) -> Mapping[str, Package]:  # noqa: ARG002
        return installed(folder)


class Uv:
    """uv.lock. The checkout itself is installed where its pyproject.toml says how it is built, as uv does."""

    name: str = "uv"
    locks: tuple[str, ...] = ("uv.lock",)
    link: str = ".venv"
    programs: str = "bin"
    between: str = "=="

    def missing(self) -> str | None:
        return None if shutil.which("uv") else "uv is not on the PATH, and only uv reads uv.lock: install uv"

    def inputs(self, wanted: Wanted) -> tuple[bytes, ...]:
        files = (wanted.lock, wanted.lock.with_name(PYPROJECT), wanted.lock.with_name(".python-version"))
        read = (file.read_bytes() for file in files if file.is_file())
        return (*_interpreter_inputs(wanted), *read, *_own_folder(wanted, _is_package(wanted)))

    def recipe(self, wanted: Wanted, folder: Path) -> Recipe:
        python = ("--python", find_interpreter(wanted.python, wanted.cwd, wanted.home)) if _asks(wanted) else ()
        own = () if _is_package(wanted) else ("--no-install-project",)
        sync = ("uv", "sync", "--frozen", "--project", str(wanted.lock.parent), *own, *python)
        install = ("uv", "pip", "install", "--python", str(folder))
        return Recipe((sync, *_more(install, wanted, self)), env={"UV_PROJECT_ENVIRONMENT": str(folder)})

    def packages(self, cwd: Path, folder: Path) -> Mapping[str, Package]:  # noqa: ARG002
        return installed(folder)


def installed(folder: Path) -> Mapping[str, Package]:
    """The distributions of a venv, by the names they have themselves."""
    sites = [str(path) for path in folder.glob("lib/python*/site-packages")]
    read = ((dist, dist.metadata["Name"]) for dist in distributions(path=sites))
    found = {name: Package(dist.version, _prefixes(dist)) for dist, name in read if name}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _prefixes(dist: Distribution) -> tuple[str, ...]:
    """`markupsafe/`, `six.py`: its folders and modules in site-packages."""
    found = set()
    for file in dist.files or ():
        first, *rest = file.parts
        if first != ".." and not first.endswith((".dist-info", ".egg-info", ".pth")) and first != "__pycache__":
            found.add(f"{first}/" if rest else first)
    return tuple(sorted(found))


def _asks(wanted: Wanted) -> bool:
    """Whether an interpreter is named, by the study file or by the user's own .venv; uv chooses one itself else."""
    return bool(wanted.python) or (wanted.home is not None and (wanted.home / ".venv/bin/python").exists())


def _interpreter_inputs(wanted: Wanted) -> tuple[bytes, ...]:
    python = find_interpreter(wanted.python, wanted.cwd, wanted.home)
    return (os.fsencode(about(python) or python),)


def _own_folder(wanted: Wanted, local: bool) -> tuple[bytes, ...]:
    """An environment that holds the checkout is of this checkout alone; one that does not is shared by commits."""
    return (os.fsencode(wanted.cwd),) if local else ()


def _is_package(wanted: Wanted) -> bool:
    if wanted.project is not None:
        return wanted.project
    try:
        return "build-system" in tomllib.loads(_text(wanted.lock.with_name(PYPROJECT)))
    except (OSError, tomllib.TOMLDecodeError):
        return False


def _with_included(lock: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """A requirements file and those it names with -r and -c."""
    if lock in seen or not lock.is_file():
        return
    yield lock
    for found in _INCLUDED.findall(_text(lock)):
        yield from _with_included(lock.parent / found, seen | {lock})


def _text(file: Path) -> str:
    return file.read_text("utf-8", "replace")


def _venv(python: str, folder: Path) -> tuple[str, ...]:
    if shutil.which("uv"):
        return ("uv", "venv", "--quiet", "--allow-existing", "--python", python, str(folder))
    return (python, "-m", "venv", str(folder))


def _installer(folder: Path) -> tuple[str, ...]:
    if shutil.which("uv"):
        return ("uv", "pip", "install", "--python", str(folder))
    return (str(folder / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check")


def _more(install: tuple[str, ...], wanted: Wanted, kind: Requirements | Uv) -> Iterator[tuple[str, ...]]:
    """Further packages, then those of the bump: an installer keeps what is there unless it does not go with them."""
    if wanted.extra:
        yield (*install, *wanted.extra)
    if wanted.bump:
        yield (*install, *(f"{each.name}{kind.between}{each.version}" for each in wanted.bump))


REQUIREMENTS, UV = Requirements(), Uv()
