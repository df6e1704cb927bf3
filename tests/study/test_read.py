"""profpipe.toml is read from any file that is valid, and refused with a position otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profpipe.errors import ConfigError
from profpipe.study import CategoryRule, Study, Target, read_study_file
from tests.support.examples import examples
from tests.support.study_file import SERVER, mistakes, read

STUDY = SERVER + '[study.s]\ntargets = ["a"]\n'


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, SERVER + 'env = { "ÄÖÜ" = "é", B = 1 }')
    assert found.startswith("profpipe.toml:3:22: target.a.env.B: must be text")


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    loaded = read(tmp_path, "\ufeff" + STUDY.replace("\n", "\r\n"))
    assert loaded.file.study["s"].targets == ("a",)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"a = 1\nb = \xff\n", "profpipe.toml:2:1: not UTF-8 (byte 0xff)"),
        (b"a = 1\nb = \x00\n", "profpipe.toml:2:5: not valid TOML"),
        (b"a = " + b"[" * 50_000, "profpipe.toml: nested too deep"),
        (b"a = " + b"1" * 5_000, "not valid TOML: Exceeds the limit"),
        (
            b"#" * (1 << 20) + b"#",
            "profpipe.toml: 1,048,577 bytes are too many for a study file; the limit is 1,048,576",
        ),
    ],
    ids=["latin1", "NUL", "deep", "long number", "huge"],
)
def test_a_file_that_is_not_text_is_refused_with_the_reason(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "profpipe.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        read_study_file(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_or_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_study_file(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_study_file(tmp_path / "x.toml")


def test_names_that_are_not_given_are_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "profpipe.toml"
    path.write_text(STUDY + 'profilers = ["mine"]\nload.generator = "mine"\n')
    assert read_study_file(path).file.study["s"].profilers == ("mine",)


def test_pyproject_holds_the_same_under_tool_profpipe(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n[tool.profpipe.target.a]\ncommand = ["{port}"]\n'
    assert read(tmp_path, text, "pyproject.toml").file.target["a"].command == ("{port}",)
    assert mistakes(tmp_path, text + "prot = 1\n", "pyproject.toml") == [
        'pyproject.toml:5:1: tool.profpipe.target.a.prot: unknown key; did you mean "port"?'
    ]
    assert mistakes(tmp_path, "[tool.profpipe]\nx = 1\n", "pyproject.toml")[0].startswith("pyproject.toml:2:1: ")
    assert mistakes(tmp_path, "tool = 3\n", "pyproject.toml") == ["pyproject.toml: no [tool.profpipe] table"]


def test_a_loaded_file_gives_the_position_of_a_key(tmp_path: Path) -> None:
    loaded = read(tmp_path, STUDY)
    assert loaded.root == tmp_path
    assert loaded.where("study", "s", "targets").endswith("profpipe.toml:4:1")
    assert loaded.where("study", "s", "rounds").endswith("profpipe.toml:3:8")
    assert loaded.where("nowhere").endswith("profpipe.toml:1:1")


def test_a_link_out_of_the_folder_is_outside(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/out").symlink_to(tmp_path)
    (found,) = mistakes(tmp_path / "inside", SERVER + 'cwd = "out"')
    assert "outside the folder of this file" in found


@pytest.mark.parametrize(
    "text",
    [
        '["a", "--json", \'{"k": 1}\']',
        '["sh", "-c", "echo ${home}"]',
        '["a", "{{name}}"]',
        '["a", "{}"]',
        '["a", "{A}"]',
    ],
)
def test_braces_that_are_not_ours_pass(tmp_path: Path, text: str) -> None:
    assert mistakes(tmp_path, f"[target.a]\nport = 80\ncommand = {text}\n") == []


@pytest.mark.parametrize(
    "keys",
    ['env = { PORT = "{port}" }', "port = 8080", 'ready.line = "on (?P<port>[0-9]+)"'],
    ids=["variable", "fixed", "told by the server"],
)
def test_a_command_without_the_port_passes_when_it_is_known_otherwise(tmp_path: Path, keys: str) -> None:
    assert mistakes(tmp_path, f'[target.a]\ncommand = ["srv"]\n{keys}\n') == []


def test_a_value_is_shown_short_and_without_control_bytes(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, SERVER + f'stop = "\\u001b[31m{"x" * 500}"')
    assert "\x1b" not in found
    assert len(found) < 300


VALUES: Any = st.recursive(
    st.sampled_from(["1", "-1", "1.5", "nan", "true", '"x"', '"a"', '"rate"', "2026-01-01", '"{port}"', "[]", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(
            st.sampled_from(["command", "ready", "line", "targets", "mode", "x", "str", "int", "load", "options"]),
            inner,
            max_size=3,
        ).map(lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}")
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([*Target.model_fields, *Study.model_fields, *CategoryRule.model_fields, "zzz"])
TABLES = st.sampled_from(
    [
        "[target.a]",
        "[target.b]",
        '[target."c d"]',
        "[study.s]",
        "[study.s.load]",
        "[study.t]",
        "[[category]]",
        "[target]",
    ]
)


@settings(max_examples=examples(150))
@given(st.lists(st.tuples(TABLES, st.dictionaries(KEYS, VALUES, max_size=5)), max_size=4), st.data())
def test_any_valid_toml_is_read_or_refused_with_a_place_on_every_line(
    tmp_path_factory: pytest.TempPathFactory, tables: list[tuple[str, dict[str, str]]], data: st.DataObject
) -> None:
    text = "\n".join(f"{head}\n" + "\n".join(f"{k} = {v}" for k, v in body.items()) for head, body in tables)
    folder = tmp_path_factory.mktemp("any")
    lines = text.count("\n") + 1
    for line in mistakes(folder, text):
        found = re.match(r"profpipe\.toml:(\d+):(\d+): \S", line)
        assert found, line
        assert 1 <= int(found[1]) <= lines + 1
