"""What is installed is whole: wheel, sdist and editable install find their templates, and the locks lock."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import profpipe
from profpipe.render.templates import templates_folder
from tests.support.paths import ROOT
from tests.support.sample_report import sample

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-web.lock")
TEMPLATES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").rglob("*") if path.is_file())
RENDER = """
import sys
from pathlib import Path
from profpipe.model.report import Report
from profpipe.render.page.html import render_page
from profpipe.render.templates import templates_folder
report = Report.model_validate_json(Path(sys.argv[1]).read_text())
Path(sys.argv[2]).write_text(render_page(report))
print(templates_folder())
"""


def built(kind: str, source: Path, folder: Path) -> Path:
    """The wheel or sdist of a source tree, built with what is installed: nothing is fetched."""
    done = subprocess.run(
        [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(folder), str(source)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def members(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_holds_all_that_is_read_at_run_time(wheel: Path) -> None:
    assert len(TEMPLATES) > 5
    data = {f"profpipe/{name}" for name in TEMPLATES} | {
        "profpipe/study/profpipe.schema.json",
        "profpipe/model/parse.schema.json",
        "profpipe/model/report.schema.json",
        "profpipe/analyse/names/categories.json",
        "profpipe/analyse/names/categories.toml",
        "profpipe/analyse/names/categories_go.toml",
        "profpipe/analyse/names/categories_java.toml",
        "profpipe/analyse/names/categories_python.toml",
        "profpipe/analyse/names/categories_js.toml",
        "profpipe/capture/profilers/go_agent/agent.go",
        "profpipe/capture/profilers/node_agent/agent.js",
        "profpipe/py.typed",
    }
    assert data <= members(wheel)


@pytest.mark.slow
def test_the_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in members(wheel)}
    assert tops == {"profpipe", f"profpipe-{profpipe.__version__}.dist-info"}


@pytest.mark.slow
def test_the_sdist_makes_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        # Debian's 3.11.2 has no filters; from 3.12 on, leaving it out is a warning.
        archive.extractall(tmp_path / "source", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (source,) = (tmp_path / "source").iterdir()
    assert (source / "profpipe.toml").exists()
    assert not (source / "frontend").exists()
    assert not (source / "reports").exists()
    again = built("wheel", source, tmp_path / "wheel")
    assert members(again) == members(wheel)


@pytest.mark.slow
def test_an_installed_wheel_renders_far_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """A venv of its own holds profpipe; the other packages come from ours, by a .pth that follows no .pth."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=60)
    python = venv / "bin/python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True, timeout=120)
    site = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (site / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (tmp_path / "report.json").write_text(sample().model_dump_json(by_alias=True))
    page = tmp_path / "report.html"
    done = subprocess.run(
        [str(python), "-I", "-c", RENDER, str(tmp_path / "report.json"), str(page)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == site / "profpipe/templates"
    assert page.read_text().lower().startswith("<!doctype html>")


def test_the_editable_install_reads_the_checkouts_templates() -> None:
    assert Path(profpipe.__file__).is_relative_to(ROOT / "src")
    assert templates_folder() == ROOT / "templates"


def test_one_version_everywhere() -> None:
    assert PYPROJECT["project"]["version"] == profpipe.__version__
    first = re.search(r"^## \[?([0-9][^\]\s]*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first[1] == profpipe.__version__


def pins(lock: str) -> dict[tuple[str, str], str]:
    """(name, marker) -> version."""
    found = {}
    for line in (ROOT / lock).read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            pin = re.fullmatch(r"([a-z0-9-]+)==(\S+)(?: ; (.*?))? \\", line)
            assert pin, f"{lock}: {line} is not pinned and hashed"
            found[pin[1], pin[3] or ""] = pin[2]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_and_hashes_all_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?:|://|@ |--(index|extra-index|find-links|trusted)", text)
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert len(blocks) == len(pins(lock)) > 20
    for block in blocks:
        assert "--hash=sha256:" in block, block[:60]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9_.-]", line)[0].lower().replace("_", "-") for line in requirements}


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    wanted = names(project["dependencies"] + groups["build"])
    extras = {key: names(extra) for key, extra in project["optional-dependencies"].items()}
    of_web = extras.pop("web")
    demo, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert wanted.union(*extras.values()) <= {name for name, _ in demo}
    assert wanted | of_web <= {name for name, _ in pins("requirements-web.lock")}
    assert names(groups["dev"]) <= {name for name, _ in dev}
    versions = {(name, version) for (name, _), version in dev.items()}
    assert {(name, version) for (name, _), version in demo.items()} <= versions, (
        "`make test` after `make demo` changes nothing"
    )
    shared = {name for name, _ in versions}
    web = {(name, version) for (name, _), version in pins("requirements-web.lock").items()}
    assert {pin for pin in web if pin[0] in shared} <= versions, "`make causes` replaces nothing that is installed"


def test_every_python_that_is_promised_is_listed() -> None:
    low, high = re.findall(r"3\.(\d+)", PYPROJECT["project"]["requires-python"])
    listed = re.findall(r"Python :: 3\.(\d+)", "\n".join(PYPROJECT["project"]["classifiers"]))
    assert list(map(int, listed)) == list(range(int(low), int(high)))


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is missing")
@pytest.mark.parametrize("script", [".ci/run"])
def test_scripts_are_bash_that_stops_at_the_first_failure(script: str) -> None:
    text = (ROOT / script).read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert (ROOT / script).stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(ROOT / script)], check=True, timeout=10)
