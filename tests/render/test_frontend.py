"""The page's script: never builds markup from text, and what is checked in is what its sources build."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from profpipe.render.templates import templates_folder
from profpipe.render.text import amount
from profpipe.units import SCALES
from tests.support.frontend import FRONTEND, require_frontend

SOURCES = sorted((FRONTEND / "src").glob("*.ts"))
ASSETS = templates_folder() / "assets"
FORBIDDEN = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "createContextualFragment",
    "DOMParser",
    "eval(",
    "new Function",
    "setTimeout(",
    "fetch(",
    "XMLHttpRequest",
    "WebSocket",
    "import(",
    "localStorage",
    "document.cookie",
    'setAttribute("style',
    'setAttribute("on',
    'setAttribute("href',
    'setAttribute("src',
)


@pytest.mark.parametrize("path", [*SOURCES, *sorted(ASSETS.glob("*.js"))], ids=lambda path: path.name)
def test_the_script_never_makes_markup_or_code_of_text(path: Path) -> None:
    text = path.read_text()
    assert [word for word in FORBIDDEN if word in text] == []


def test_the_style_loads_nothing() -> None:
    for style in ASSETS.glob("*.css"):
        assert not re.search(r"url\(|@import|expression\(", style.read_text()), style.name


def test_the_lock_names_no_host() -> None:
    lock = (FRONTEND / "package-lock.json").read_text()
    assert "resolved" not in lock
    pinned = json.loads((FRONTEND / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned.values())


def test_the_scales_of_the_script_are_those_of_units(request: pytest.FixtureRequest) -> None:
    table = {
        unit: {"factor": scale.factor, "steps": [[step.size, step.name, step.digits] for step in scale.steps]}
        for unit, scale in SCALES.items()
    }
    file = FRONTEND / "src" / "scales.json"
    if request.config.getoption("--bless"):
        lines = ",\n".join(f"  {json.dumps(unit)}: {json.dumps(scale)}" for unit, scale in table.items())
        file.write_text(f"{{\n{lines}\n}}\n")
    assert json.loads(file.read_text()) == table, "units.SCALES changed: pytest --bless, then make frontend"


# Python rounds an exact half to even, JavaScript away from zero: none is among these.
AMOUNTS = (0.0, 0.0022, 0.6, 5.0, 12.34, 99.95, 999.9, 1000.0, 1023.0, 1024.0, 43_025.0, 2_345_678.9, 3.2e9, 5e12)


@pytest.mark.real
def test_the_script_writes_numbers_as_the_page_does() -> None:
    modules = require_frontend()
    asked = [[value, unit] for unit in SCALES for value in AMOUNTS]
    program = (
        f"import {{ amount }} from './numbers'; console.log(JSON.stringify({asked}.map(([v, u]) => amount(v, u))))"
    )
    built = subprocess.run(
        [str(modules / ".bin" / "esbuild"), "--bundle", "--platform=node"],
        cwd=FRONTEND / "src", input=program, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    done = subprocess.run(["node"], input=built.stdout, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [amount(float(value), str(unit)) for value, unit in asked]


@pytest.mark.real
def test_the_checked_in_assets_are_what_the_sources_build(tmp_path: Path) -> None:
    require_frontend()
    command = ["node", "build.mjs", str(tmp_path)]
    done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    checked_in = {path.name: path.read_bytes() for path in ASSETS.iterdir()}
    assert sorted(built) == sorted(checked_in)
    assert [name for name in built if built[name] != checked_in[name]] == [], "npm run build changes these"


@pytest.mark.real
def test_the_sources_type_check() -> None:
    modules = require_frontend()
    command = [str(modules / ".bin" / "tsc"), "--noEmit"]
    done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
