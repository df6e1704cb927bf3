"""The study files that ship: the root one, the starter, the reference's example; and the schema they are written by."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs import generate
from profpipe.capture import PROFILERS, default_profilers
from profpipe.study import StudyFile, read_study_file, starter_file
from profpipe.study.config_docs import EXAMPLE, TABLES, study_schema
from profpipe.study.positions import positions
from tests.support.paths import ROOT


def test_the_root_file_holds_and_its_targets_exist() -> None:
    file = read_study_file(
        ROOT / "profpipe.toml", profilers=PROFILERS.names(), generators=("builtin", "wrk", "h2load")
    ).file
    assert {"concurrency", "head", "asgi", "c-head", "seed", "seed-fairness", "seed-today"} <= set(file.study)
    for name, target in file.target.items():
        scripts = [ROOT / argument for argument in target.command if argument.startswith("targets/")]
        if target.build:
            scripts = [ROOT / target.cwd / ("Cargo.toml" if "cargo" in target.build[0] else "targets/c/Makefile")]
        assert scripts, name
        for script in scripts:
            assert script.exists(), f"{name}: {script}"


def test_the_first_study_needs_only_the_standard_library() -> None:
    """gevent and uvloop are left out by name where they are missing; three targets always run."""
    file = read_study_file(ROOT / "profpipe.toml").file
    bare = [name for name in file.study["concurrency"].targets if not file.target[name].requires.modules]
    assert bare == ["threads", "asyncio-protocol", "asyncio-streams"]
    assert file.study["concurrency"].baseline in bare
    assert all(target.requires.install for target in file.target.values() if target.requires.modules or target.build)


@pytest.mark.slow
def test_generated_files_are_current() -> None:
    for path, text in generate.generated().items():
        assert path.read_text() == text, f"{path.relative_to(ROOT)} is old: run `make docs`"


def test_the_schemas_ship_inside_the_package() -> None:
    for room, name in (
        ("study", "profpipe.schema.json"),
        ("model", "report.schema.json"),
        ("model", "parse.schema.json"),
    ):
        schema = json.loads(files(f"profpipe.{room}").joinpath(name).read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["properties"]["schema"]


def test_the_schema_agrees_with_the_reader_on_files_that_hold() -> None:
    check = jsonschema.Draft202012Validator(study_schema())
    texts = [(ROOT / "profpipe.toml").read_text(), EXAMPLE, starter_file(default_profilers("other"))]
    for text in texts:
        check.validate(tomllib.loads(text))
        StudyFile.model_validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "text", ["target.a.comand = ['x']", "target.a = {}", "study.s = { targets = [] }", "schema = 2", "target = 3"]
)
def test_the_schema_refuses_what_the_reader_refuses(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(study_schema()).validate(tomllib.loads(text))
    with pytest.raises(ValueError, match="validation error"):
        StudyFile.model_validate(tomllib.loads(text))


def test_every_key_has_a_description_and_every_table_a_place() -> None:
    models = {"StudyFile": study_schema(), **study_schema()["$defs"]}
    assert set(models) == set(TABLES)
    for name, model in models.items():
        assert model["description"], name
        for key, node in model["properties"].items():
            assert node.get("description"), f"{name}.{key}"


def test_the_references_example_holds(tmp_path: Path) -> None:
    (tmp_path / "profpipe.toml").write_text(EXAMPLE)
    assert read_study_file(tmp_path / "profpipe.toml", profilers=PROFILERS.names()).file.study["rewrite"].rounds == 7


def test_the_starter_for_one_python_server(golden: Callable[[str, str], None]) -> None:
    golden("starter_python.toml", starter_file(default_profilers("python"), language="python"))


def test_the_starter_for_two_native_servers(golden: Callable[[str, str], None]) -> None:
    text = starter_file(
        default_profilers("native"),
        name="old",
        command=("./old", "-p", "{port}"),
        contender=("./new", "-p", "{port}"),
        language="native",
        study="rewrite",
        ready_line="ready",
    )
    golden("starter_native_pair.toml", text)


ARGUMENT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0{}"), max_size=12)
NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


COMMAND = st.lists(ARGUMENT | st.just("{port}"), min_size=1, max_size=4).map(tuple)


@given(
    name=NAME | st.just("contender"),
    command=COMMAND,
    contender=st.none() | COMMAND,
    language=st.sampled_from(["python", "native", "go", "node", "jvm", "other"]),
    ready_line=st.sampled_from([None, "ready", r'on "(?P<port>\d+)"', "é\U0001f600\x7f"]),
    port=st.sampled_from([None, 8080]),
    study=NAME,
)
def test_any_starter_file_reads_back_with_its_arguments(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    command: tuple[str, ...],
    contender: tuple[str, ...] | None,
    language: Any,
    ready_line: str | None,
    port: int | None,
    study: str,
) -> None:
    path = tmp_path_factory.mktemp("starter") / "profpipe.toml"
    text = starter_file(
        default_profilers(language),
        name=name,
        command=command,
        contender=contender,
        language=language,
        ready_line=ready_line,
        port=port,
        study=study,
    )
    path.write_text(text, encoding="utf-8", newline="")
    file = read_study_file(path, profilers=PROFILERS.names()).file
    assert file.target[name].command == command
    assert [target.command for target in file.target.values()] == [command, *([contender] if contender else [])]
    assert {(target.port, target.ready.line) for target in file.target.values()} == {(port, ready_line)}
    assert file.study[study].targets == tuple(file.target)
    assert file.study[study].baseline == name


def test_positions_of_tables_dotted_keys_arrays_and_inline_tables() -> None:
    text = 'top = 1\n[a.b]\nx = [1,\n  { y = 2, "z z" = [3] }] # é\nd.e = 1\n'
    text += "[[t]]\n[[t]]\nk = 1\n[t.u]\nv = 1\n[a]\nq = 1\n"
    found = positions(text)
    expected = {
        ("top",): (1, 1),
        ("a",): (11, 2),
        ("a", "b"): (2, 4),
        ("a", "b", "x"): (3, 1),
        ("a", "b", "x", 0): (3, 6),
        ("a", "b", "x", 1): (4, 3),
        ("a", "b", "x", 1, "y"): (4, 5),
        ("a", "b", "x", 1, "z z"): (4, 12),
        ("a", "b", "x", 1, "z z", 0): (4, 21),
        ("a", "b", "d"): (5, 1),
        ("a", "b", "d", "e"): (5, 3),
        ("t",): (6, 3),
        ("t", 0): (6, 3),
        ("t", 1): (7, 3),
        ("t", 1, "k"): (8, 1),
        ("t", 1, "u"): (9, 4),
        ("t", 1, "u", "v"): (10, 1),
        ("a", "q"): (12, 1),
    }
    assert found == expected
