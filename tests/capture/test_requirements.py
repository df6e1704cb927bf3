"""What a target needs is checked and built before a run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from profpipe.capture import (
    build,
    missing_requirements,
)
from profpipe.capture.server.requirements import install_line
from profpipe.errors import CaptureError
from profpipe.study.schema import Requires, Target

pytestmark = pytest.mark.programs

PYTHON = sys.executable


def test_missing_modules_and_programs_are_named_with_the_install_line(tmp_path: Path) -> None:
    needs = Requires(modules=("no_such_module", "json"), programs=("no-such-program",))
    target = Target(command=("{python}", "x.py"), requires=needs)
    line = f"{PYTHON} -m pip install no_such_module"
    assert missing_requirements(target, tmp_path) == f"no-such-program, no_such_module not found: {line}"
    own = target.model_copy(update={"requires": needs.model_copy(update={"install": "make tools"})})
    assert (missing_requirements(own, tmp_path) or "").endswith("not found: make tools")
    assert missing_requirements(Target(command=("{python}",), requires=Requires(modules=("json",))), tmp_path) is None


def test_a_module_is_installed_by_what_the_environment_has(tmp_path: Path) -> None:
    """A stand-in for the interpreter of an environment: it misses the modules that its file `absent` names."""

    def environment(name: str, absent: str, made_by: str = "version = 3.12.1") -> str:
        python = tmp_path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\necho {absent}\n")
        python.chmod(0o755)
        (tmp_path / name / "pyvenv.cfg").write_text(f"home = /usr/bin\n{made_by}\n")
        return str(python)

    pip, none = environment("pip", ""), environment("none", "pip")
    bare, uv = environment("bare", "pip ensurepip"), environment("uv", "pip", "uv = 0.13.9")
    assert install_line(pip, ("yappi",)) == f"{pip} -m pip install yappi"
    assert install_line(none, ("yappi",)) == f"{none} -m ensurepip && {none} -m pip install yappi"
    assert install_line(bare, ("yappi",)) == f"python3 -m pip --python {bare} install yappi"
    assert install_line(uv, ("yappi", "attrs")) == f"uv pip install --python {uv} yappi attrs"


def test_a_missing_command_is_named_unless_the_build_makes_it(tmp_path: Path) -> None:
    assert missing_requirements(Target(command=("./server",)), tmp_path) == "./server not found"
    assert missing_requirements(Target(command=("./server",), build=(("true",),)), tmp_path) is None


def test_a_build_runs_in_cwd_and_passes_its_output_on(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    lines: list[str] = []
    target = Target(command=("x",), cwd="sub", env={"WORD": "hello"}, build=(("sh", "-c", "echo $WORD; pwd"),))
    build(target, tmp_path, lines.append)
    assert lines == ["hello", str((tmp_path / "sub").resolve())]


def test_a_failed_build_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    target = Target(command=("x",), build=(("sh", "-c", "seq 1 100; exit 4"), ("touch", "never")))
    with pytest.raises(CaptureError, match="failed: exit status 4") as caught:
        build(target, tmp_path, lambda _: None)
    assert caught.value.phase == "build"
    assert caught.value.log_tail[-1] == "100"
    assert not (tmp_path / "never").exists()


def test_a_missing_build_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no-such-compiler cannot be run"):
        build(Target(command=("x",), build=(("no-such-compiler",),)), tmp_path, lambda _: None)
