"""`profpipe accept` writes the file that makes the gate pass, and says what to do with it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import SAMPLE_REPORT
from tests.support.study_driving import Done

pytestmark = pytest.mark.programs

STUDY = '[target.a]\ncommand = ["a", "{port}"]\n\n[study.concurrency]\ntargets = ["a"]\n'


def accept(folder: Path, *words: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "profpipe", "accept", *words],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_regression_is_accepted_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "profpipe.toml").write_text(STUDY)
    words = (str(SAMPLE_REPORT), "--author", "Ann", "--metric", "instructions", "--until", "2031-01-31")
    done = accept(tmp_path, *words, "--reason", "signatures are checked now")
    assert done.code == 0, done.err
    assert "commit it with the change" in done.out
    (entry,) = tomllib.loads((tmp_path / "profpipe-accepted.toml").read_text())["accepted"]
    assert (entry["metric"], entry["author"]) == ("callgrind:instructions", "Ann")
    assert entry["reason"] == "signatures are checked now"
    assert str(entry["until"]) == "2031-01-31"
    again = accept(tmp_path, *words, "--reason", "again")
    assert again.code == 2
    assert "nothing to accept" in again.err


def test_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profpipe.toml").write_text(STUDY)
    done = accept(tmp_path, str(SAMPLE_REPORT), "--reason", "r", "--until", "soon")
    assert done.code == 2
    assert "--until soon: expected a day such as 2027-01-31" in done.err
