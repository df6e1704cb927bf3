"""targets/go, targets/node and targets/jvm: every study reads, and what causes.toml expects exists in the source."""

from __future__ import annotations

import re

import pytest

from bench.causes.table import FOLDERS, Expected, table
from profpipe.study.read import read_study_file

LANGUAGES = ("go", "node", "jvm")
SOURCES = {"node": ".", "jvm": "src/shop"}  # of Go each cause names its folder
CAUSES = {language: table(FOLDERS[language] / "causes.toml") for language in LANGUAGES}
PLANTED = [
    (language, cause) for language in LANGUAGES for cause in CAUSES[language].values() if cause.function is not None
]


@pytest.mark.parametrize(("language", "questions"), [("go", {"json", "http"}), ("node", {"http"}), ("jvm", {"json"})])
def test_every_study_has_its_targets_and_every_cause_its_study(language: str, questions: set[str]) -> None:
    found = read_study_file(FOLDERS[language] / "profpipe.toml").file
    assert set(CAUSES[language]) == set(found.study) - questions
    for name in CAUSES[language]:
        assert found.study[name].targets == ("shop", name)
    assert {target.language for target in found.target.values()} == {language}


@pytest.mark.parametrize("language", LANGUAGES)
def test_eight_causes_are_planted_beside_a_control(language: str) -> None:
    assert sum(not cause.is_control for cause in CAUSES[language].values()) == 8
    assert CAUSES[language]["control"].is_control


@pytest.mark.parametrize(("language", "cause"), PLANTED, ids=lambda value: getattr(value, "study", value))
def test_the_function_of_a_cause_is_in_its_file_and_answers_its_path(language: str, cause: Expected) -> None:
    folder = FOLDERS[language] / SOURCES.get(language, cause.app)
    declared = rf"^(?:func(?:tion)?|    static \w+) {cause.function}\("
    assert re.search(declared, (folder / (cause.file or "")).read_text(), re.MULTILINE)
    paths = (folder / ("main.go" if language == "go" else cause.app)).read_text()
    assert re.search(rf'^\s+"?{cause.study}"?[:,] *(?:[{{\[]|new Ways).*[,.\w ]', paths, re.MULTILINE)


def test_the_versions_have_hashes() -> None:
    sums = (FOLDERS["go"] / "go.sum").read_text()
    for module in ("github.com/goccy/go-json", "github.com/valyala/fasthttp"):
        assert f"{module} v" in sums
    jars = (FOLDERS["jvm"] / "lib.sha256").read_text()
    assert len(re.findall(r"^[0-9a-f]{64}  lib/(?:jackson-\w+|gson)-[\d.]+\.jar$", jars, re.MULTILINE)) == 4
    lock = (FOLDERS["node"] / "package-lock.json").read_text()
    for package in ("express", "fastify"):
        assert re.search(rf'"node_modules/{package}": {{[^}}]*"integrity": "sha512-', lock)
    assert '"resolved"' not in lock  # no registry's address
