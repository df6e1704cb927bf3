"""Which commits `profpipe diff` and `bisect` compare: several at once, what is not committed, the first bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_repository import git
from tests.support.measured_repository import ONCE, TWICE, Repository, contender

pytestmark = pytest.mark.real


def test_several_commits_share_one_baseline(demo: Repository) -> None:
    done = demo.do("diff", "move..alloc", "--all", "cost", *ONCE)
    assert done.code == 0, done.err
    report = demo.report()
    ratios = [
        v["against_baseline"]["callgrind:instructions"]["ratio"] for v in report["variants"] if v["role"] == "contender"
    ]
    assert len(ratios) == 2
    assert 1 < ratios[0] < ratios[1]


def test_what_is_not_committed_is_the_contender(demo: Repository) -> None:
    file = demo.path / "stats.c"
    text = file.read_text()
    file.write_text(
        text.replace("    requests++;\n", "    for (volatile int i = 0; i < 300; i++) {\n    }\n    requests++;\n")
    )
    before = demo.state()
    try:
        done = demo.do("diff", "--worktree", *TWICE)
        assert done.code == 0, done.err
        assert demo.state() == before
    finally:
        file.write_text(text)
    report = demo.report()
    assert contender(report)["id"] == "worktree"
    assert contender(report)["commit"]["dirty"] is True
    assert contender(report)["against_baseline"]["callgrind:instructions"]["verdict"] == "worse"


def test_bisect_finds_the_commit(demo: Repository) -> None:
    before = demo.state()
    done = demo.do("bisect", "move", "lock", "cost", *TWICE)
    assert done.code == 0, done.err
    assert f"first bad commit: {git(demo.path, 'rev-parse', 'formatting')} heads by snprintf" in done.out
    (why,) = (line for line in done.out.splitlines() if line.startswith("see why: "))
    assert why.endswith(" cost -t server --max-rounds 2 -p callgrind -r 2")
    assert demo.state() == before
    assert not any("bisect" in line for line in demo.worktrees())


def test_bisect_refuses_what_is_not_worse(demo: Repository) -> None:
    done = demo.do("bisect", "base", "move", "cost", *TWICE)
    assert done.code == 1
    assert "instructions is not worse at the bad commit (no change" in done.err


def test_a_step_that_fails_is_no_bad_commit(tmp_path: Path) -> None:
    """`git bisect run` takes 1 to 127 for bad, and ends at 128."""
    step = tmp_path / "step.json"
    step.write_text("{}")
    done = Repository(tmp_path, tmp_path / "cache").do("bisect-step", str(step))
    assert done.code == 128
    assert "not decided" in done.err


def test_clean_takes_all_worktrees_away(demo: Repository) -> None:
    assert demo.do("diff", "base..noop", *ONCE).code == 0
    done = demo.do("clean")
    assert done.code == 0
    assert "removed" in done.out
    assert [line for line in demo.worktrees() if line.startswith("worktree ")] == [f"worktree {demo.path}"]
    assert "no worktree is kept" in demo.do("clean").out
