"""A repository whose folder, branch, commit subject and files are not UTF-8: compared as any other."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.study_driving import StudyFolder, server

LATIN = os.fsdecode(b"caf\xe9")  # "café" in latin-1: as text a lone surrogate


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e@x", *map(os.fsencode, words)],
        cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(name="study")
def study_in_latin_folder(tmp_path: Path) -> StudyFolder:
    study = StudyFolder(tmp_path / LATIN, {"PROFPIPE_CACHE": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": "/dev/null"})
    study.write({"good": server("good")})
    git(study.root, "init", "--quiet", "--initial-branch=main")
    git(study.root, "add", "profpipe.toml", "faulty.py")
    git(study.root, "commit", "--quiet", "-m", f"first {LATIN}")
    git(study.root, "checkout", "--quiet", "-b", LATIN)
    (study.root / f"{LATIN}.py").write_text("x = 1\n")
    git(study.root, "add", f"{LATIN}.py")
    git(study.root, "-c", "i18n.commitEncoding=latin-1", "commit", "--quiet", "-m", "second")
    (study.root / f"{LATIN}.py").write_text("x = 2\n")
    # git converts what it can: an encoding that it doesn't know stays as it is.
    git(study.root, "-c", "i18n.commitEncoding=unknown", "commit", "--quiet", "--all", "-m", f"third {LATIN}")
    return study


@pytest.mark.real
def test_commits_with_other_bytes_in_every_name_are_compared(study: StudyFolder) -> None:
    done = study.do("diff", f"main..{LATIN}", "s", "--reports", str(study.reports), "--max-rounds", "2")
    assert "Traceback" not in done.err
    assert done.code == 0, done.err
    (page,) = study.reports.glob("diff-s/*/report.html")
    text = page.read_text(encoding="utf-8")
    assert r"third caf\xe9" in text
    known = study.do("history", "--reports", str(study.reports))
    assert "Traceback" not in known.err
    assert known.code == 0, known.err
    again = study.do("report", str(page.parent))
    assert again.code == 0, again.err


@pytest.mark.real
def test_a_study_in_such_a_folder_runs(study: StudyFolder) -> None:
    done = study.do("run", "s")
    assert "Traceback" not in done.err
    assert done.code == 0, done.err
