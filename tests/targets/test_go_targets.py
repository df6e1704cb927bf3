"""targets/go: every study reads, and what causes.toml expects exists in the source."""

from __future__ import annotations

import tomllib

import pytest

from profpipe.study.read import read_study_file
from tests.support.paths import ROOT

FOLDER = ROOT / "targets" / "go"
CAUSES = {
    name: cause for name, cause in tomllib.loads((FOLDER / "causes.toml").read_text()).items() if name != "schema"
}


def test_every_study_has_its_targets_and_every_cause_its_study() -> None:
    found = read_study_file(FOLDER / "profpipe.toml").file
    assert set(CAUSES) == set(found.study) - {"json", "http"}
    assert len(CAUSES) >= 8
    for name in CAUSES:
        assert found.study[name].targets == ("shop", name)
    assert {target.language for target in found.target.values()} == {"go"}


@pytest.mark.parametrize("name", [name for name, cause in CAUSES.items() if "function" in cause])
def test_the_function_of_a_cause_is_in_its_file_and_answers_its_path(name: str) -> None:
    cause = CAUSES[name]
    source = (FOLDER / cause["app"] / cause["file"]).read_text()
    assert f"func {cause['function']}(" in source
    assert f'"{name}":' in (FOLDER / cause["app"] / "main.go").read_text()


def test_the_modules_have_hashes() -> None:
    sums = (FOLDER / "go.sum").read_text()
    for module in ("github.com/goccy/go-json", "github.com/valyala/fasthttp"):
        assert f"{module} v" in sums
