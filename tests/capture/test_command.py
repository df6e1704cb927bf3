"""A target's command: its environment, placeholders and interpreter."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

import pytest

from profpipe.capture.server.command import environment, fill, interpreter_of, is_python
from profpipe.capture.server.process import INHERITED, inherited_environment
from profpipe.capture.server.python_version import python_of
from profpipe.study.schema import Target
from tests.support.capture_driving import ours

PYTHON = sys.executable


def test_only_listed_names_are_inherited() -> None:
    given = {"PATH": "p", "LC_ALL": "C", "AWS_SECRET_ACCESS_KEY": "s", "LCX": "n", "PATHX": "n", "DATABASE_URL": "u"}
    assert inherited_environment(given) == {"PATH": "p", "LC_ALL": "C"}


def test_no_name_on_the_list_is_one_of_a_secret() -> None:
    assert not [name for name in INHERITED if re.search(r"TOKEN|SECRET|KEY|PASS|AUTH|CREDENTIAL|URL", name)]


def test_python_gets_a_fixed_hash_seed_unless_the_target_sets_one() -> None:
    assert environment(ours("threads"), 1)["PYTHONHASHSEED"] == "0"
    assert environment(ours("threads").model_copy(update={"env": {"PYTHONHASHSEED": "7"}}), 1)["PYTHONHASHSEED"] == "7"
    assert "PYTHONHASHSEED" not in environment(Target(command=("/bin/sleep",), language="native"), 1)


def test_port_and_interpreter_are_filled_in_and_other_braces_kept() -> None:
    assert fill(("{python}", "--p={port}", "{json: 1}"), 80) == (PYTHON, "--p=80", "{json: 1}")
    target = Target(command=("x",), env={"BIND": "127.0.0.1:{port}"})
    assert environment(target, 80)["BIND"] == "127.0.0.1:80"


@pytest.mark.parametrize("program", ["python", "python3", "/usr/bin/python3.11", "pypy3", "python3.13t"])
def test_interpreters_are_known_by_name(program: str) -> None:
    assert interpreter_of(program) == program


def test_the_first_line_of_a_script_names_its_interpreter(tmp_path: Path) -> None:
    for first, expected in [
        (f"#!{PYTHON}", PYTHON),
        ("#!/usr/bin/env python3", "python3"),
        ("#!/usr/bin/env -S python3 -u", "python3"),
        ("#!/bin/sh", None),
        ("#!/bin/sh\n'''exec' '/a folder/bin/python' \"$0\" \"$@\"", "/a folder/bin/python"),
        ("#!/bin/sh\n'''exec' /long/bin/python3 \"$0\" \"$@\"", "/long/bin/python3"),
        (
            '#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python\' "$0" "$@"',
            str(tmp_path.resolve() / "python"),
        ),
        ('#!/bin/sh\nexec java "$@"', None),
        ("plain", None),
    ]:
        script = tmp_path / "script"
        script.write_text(first + "\n")
        script.chmod(0o755)
        assert interpreter_of(str(script)) == expected
        assert is_python(Target(command=(str(script),))) == (expected is not None)


@pytest.mark.programs
def test_the_python_of_a_target_is_that_of_its_own_interpreter(tmp_path: Path) -> None:
    """Not ours: a server in an environment of its own may run another version."""
    other = tmp_path / "venv" / "bin" / "python3"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\necho CPython 3.99.0\n")
    other.chmod(0o755)
    script = tmp_path / "serve"
    script.write_text(f"#!{other}\n")
    script.chmod(0o755)
    assert python_of(Target(command=("venv/bin/python3", "serve.py")), tmp_path) == "CPython 3.99.0"
    assert python_of(Target(command=(str(script),)), tmp_path) == "CPython 3.99.0"
    ours_is = f"{platform.python_implementation()} {platform.python_version()}"
    assert python_of(Target(command=("{python}", "serve.py")), tmp_path) == ours_is
    assert python_of(Target(command=("./server",)), tmp_path) is None
