"""A tool that is not there costs the study what that tool would have measured, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from profpipe import capture
from profpipe.errors import UsageError
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.study import prepare
from profpipe.pipeline.whole_study import run_study
from profpipe.study import read_study_file
from tests.support.paths import ROOT

BUILT = ("hyper010-may", "hyper011-future")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root study file in a folder of its own, with a PATH on which only what a test puts there is found."""
    (tmp_path / "profpipe.toml").write_text((ROOT / "profpipe.toml").read_text())
    for folder in ("targets/rust/target/release", "targets/rust/fixed", "targets/c/build"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python"))
    return tmp_path


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> None:
    path.write_text(text)
    path.chmod(0o755)


def build_all(checkout: Path) -> None:
    for name in BUILT:
        program(checkout / "targets/rust/target/release" / name)


def have(checkout: Path, *tools: str) -> None:
    for tool in tools:
        program(checkout / "bin" / tool)


def seed(checkout: Path) -> PreparedStudy:
    return prepare(read_study_file(checkout / "profpipe.toml"), "seed", RunOptions())


def said(found: PreparedStudy, name: str) -> list[str]:
    return [limit.text for limit in found.limits if limit.profiler == name]


TOOLS = ("cargo", "valgrind", "vgdb", "perf", "wrk", "h2load")


@pytest.mark.programs
def test_without_cargo_the_earlier_build_is_measured_with_a_note(checkout: Path) -> None:
    build_all(checkout)
    have(checkout, *TOOLS[1:])
    found = seed(checkout)
    assert set(found.targets) == set(BUILT)
    assert said(found, "build") == ["cargo not found; measured the existing binary without rebuilding"] * 2


def test_without_cargo_and_unbuilt_the_study_says_how_to_get_it(checkout: Path) -> None:
    have(checkout, *TOOLS[1:])
    with pytest.raises(UsageError, match=r"hyper011-future cannot run: cargo not found: install Rust 1.85 or newer"):
        seed(checkout)


@pytest.mark.programs
def test_with_cargo_it_is_built_before_it_is_asked_for(checkout: Path) -> None:
    have(checkout, *TOOLS)
    found = seed(checkout)
    assert set(found.targets) == set(BUILT)
    assert said(found, "build") == []


def test_without_valgrind_the_rest_is_measured(checkout: Path) -> None:
    build_all(checkout)
    have(checkout, "cargo", "wrk", "h2load")
    found = seed(checkout)
    assert "clean" in found.kinds
    assert not [name for name in found.kinds if name.startswith("callgrind")]
    for name in ("callgrind", "callgrind-count", "callgrind-1", "callgrind-200"):
        assert any("valgrind" in text and "apt install valgrind" in text for text in said(found, name)), name


def test_without_wrk_its_loads_are_not_measured_and_the_others_are(checkout: Path) -> None:
    build_all(checkout)
    have(checkout, "cargo", "valgrind", "vgdb", "h2load")
    found = seed(checkout)
    assert found.study.throughput is None
    assert "throughput not measured: wrk is not installed: apt install wrk" in said(found, "clean")
    assert {"clean", "callgrind-count"} <= set(found.kinds)
    for name in ("callgrind", "callgrind-1", "callgrind-200"):
        assert "not measured: wrk is not installed: apt install wrk" in said(found, name)
        assert name not in found.kinds


def test_without_h2load_a_fixed_count_is_sent_by_our_own_generator(checkout: Path) -> None:
    build_all(checkout)
    have(checkout, "cargo", "valgrind", "vgdb", "wrk")
    assert "callgrind-count" in seed(checkout).kinds


@pytest.mark.programs
def test_a_build_that_several_targets_share_is_done_once(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_all(checkout)
    have(checkout, *TOOLS)
    built: list[str] = []
    monkeypatch.setattr(capture, "build", lambda target, root, tell: built.append(target.cwd))
    found = seed(checkout)
    stop = RuntimeError("the runs themselves are not what this is about")

    def listen(event: object) -> None:
        if type(event).__name__ == "RunStarted" or "all variants run at once" in getattr(event, "text", ""):
            raise stop

    with pytest.raises(RuntimeError) as raised:
        run_study(found, read_study_file(checkout / "profpipe.toml"), checkout / "reports", "x", listen)
    assert raised.value is stop
    assert built == ["targets/rust"]


def test_the_crates_of_a_program_are_those_of_its_lock_file() -> None:
    rust = ROOT / "targets/rust"
    assert capture.crates("hyper010-may", rust, ROOT) == "hyper 0.10.16, may 0.3.51"
    assert "hyper 0.11.16" in (capture.crates("hyper011-fixed", rust / "fixed", ROOT) or "")
    assert "hyper 0.11.12" in (capture.crates("hyper011-future", rust, ROOT) or "")
    assert capture.crates("no-such", rust, ROOT) is None
    assert capture.crates("hyper010-may", ROOT, ROOT) is None
    assert capture.crates("hyper010-may", Path(os.sep), ROOT) is None
