"""What can go wrong with `profpipe diff`: builds, branches, two at once, a signal, another commit's code."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from profpipe.commits.worktrees import BISECTING, MEASURING, locked
from tests.support.demo_repository import CHANGES, git, make
from tests.support.measured_repository import ONCE, Repository
from tests.support.processes import processes, wait_until
from tests.support.tools import require

pytestmark = pytest.mark.real


@pytest.fixture
def own(tmp_path: Path) -> Repository:
    """A repository of the test's own: base and no-op only."""
    require("gcc")
    return Repository(make(tmp_path / "repository", CHANGES[:1]), tmp_path / "cache")


@pytest.mark.parametrize("work", [BISECTING, MEASURING])
def test_clean_takes_nothing_from_a_run_under_way(own: Repository, work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two steps of a bisect nothing is measured, and its worktree must stay."""
    monkeypatch.setenv("PROFPIPE_CACHE", str(own.cache))
    with locked(own.path, work) as folder:
        (folder / "bisect").mkdir()
        done = own.do("clean")
        assert done.code == 1
        assert "another profpipe is measuring commits" in done.err
        assert (folder / "bisect").is_dir()
    assert own.do("clean").code == 0
    assert not (folder / "bisect").exists()


def test_a_baseline_that_does_not_build_ends_it_and_its_worktree_goes(own: Repository) -> None:
    (own.path / "server.c").write_text("#error not today\n")
    git(own.path, "commit", "--quiet", "--all", "-m", "broken")
    git(own.path, "revert", "--no-edit", "HEAD")
    done = own.do("diff", "HEAD~1..HEAD", *ONCE)
    assert done.code == 1
    assert "(broken) does not build, so nothing is left to compare" in done.err
    assert "#error not today" in done.err
    broken = git(own.path, "rev-parse", "HEAD~1")
    assert not any(broken in line for line in own.worktrees())
    assert not list((own.path / "reports").glob("*/*"))


def test_one_of_several_commits_that_does_not_build_is_left_out(own: Repository) -> None:
    require("valgrind")
    (own.path / "server.c").write_text("#error not today\n")
    git(own.path, "commit", "--quiet", "--all", "-m", "broken")
    git(own.path, "revert", "--no-edit", "HEAD")
    done = own.do("diff", "base..HEAD", "--all", *ONCE)
    assert done.code == 1, done.err
    report = own.report()
    assert [v["valid"] for v in report["variants"] if v["role"] != "control"] == [True, True, False, True]
    assert "no valid runs for" in done.err


def test_a_study_that_the_older_commit_lacks_is_the_newer_ones(own: Repository) -> None:
    require("valgrind")
    study = own.path / "profpipe.toml"
    study.write_text(study.read_text().replace("[study.cost]", "[study.newer]"))
    git(own.path, "commit", "--quiet", "--all", "-m", "another study")
    done = own.do("diff", "HEAD~1", "newer", *ONCE)
    assert done.code == 0, done.err
    head, before = (git(own.path, "rev-parse", "--short=8", ref) for ref in ("HEAD", "HEAD~1"))
    assert f"using profpipe.toml of {head} for all commits; it differs or is missing in {before}" in done.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("diff", "nothing-there..HEAD"), 2, "no commit 'nothing-there'"),
        (("diff", "base", "nothing-there"), 2, "no study 'nothing-there'; it has: cost"),
        (("diff", "nothing-there"), 2, "nothing-there is neither a commit of"),
        (("diff", "--worktree"), 2, "has no uncommitted changes"),
        (("diff", "--fail-on", "slower"), 2, "--fail-on slower: expected regression"),
        (("diff", "base", "--fail-on", "regression:instrctions:1%"), 2, "did you mean instructions?"),
        (("diff", "base", "--fail-on", "regression:samples"), 2, "no instrument of this study measures samples"),
        (("diff", "--budget", "soon"), 2, "--budget soon: expected a time such as 90s"),
        (("diff", "-t", "nothing-there"), 2, "no target nothing-there; it has: server"),
        (("bisect", "HEAD", "HEAD~1"), 2, "HEAD is not an ancestor of HEAD~1"),
    ],
)
def test_mistakes_are_reported_in_one_line(own: Repository, words: tuple[str, ...], code: int, message: str) -> None:
    done = own.do(*words)
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_branch_named_like_the_study_does_not_hide_it(own: Repository) -> None:
    git(own.path, "branch", "cost", "base")
    for words in (("cost",), ("base", "cost")):
        done = own.do("diff", *words, "-t", "nothing-there")
        assert "cost is taken as the study; write cost^0 for the commit of that name" in done.err
        assert "no target nothing-there; it has: server" in done.err
    done = own.do("diff", "cost^0", "-t", "nothing-there")
    assert "no target nothing-there; it has: server" in done.err
    assert "taken as the study" not in done.err


def test_a_missing_repository_is_reported(tmp_path: Path) -> None:
    done = Repository(tmp_path, tmp_path / "cache").do("diff")
    assert done.code == 1
    assert "is in no git checkout" in done.err


def test_two_at_once_do_not_mix(own: Repository) -> None:
    first = own.start("diff", "base..noop", "-p", "clean", "-r", "7")
    first.wait_for(lambda: first.said("[1/"))
    second = own.do("diff", "base..noop", *ONCE)
    first.process.send_signal(signal.SIGINT)
    first.end()
    assert second.code == 1
    assert "another profpipe is measuring commits" in second.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_it_leaves_no_process_and_no_lock(own: Repository, number: signal.Signals) -> None:
    before = own.state()
    started = own.start("diff", "base..noop", "-p", "clean", "-r", "7")
    started.wait_for(lambda: started.said("[2/"))
    started.process.send_signal(number)
    done = started.end()
    assert done.code != 0
    wait_until(lambda: not processes(own.path) and not processes(own.cache), 15)
    assert own.state() == before
    (folder,) = (own.path / "reports" / "diff-cost").iterdir()
    records = [json.loads(path.read_text()) for path in folder.glob("runs/*/run.json")]
    assert len(records) >= 2
    if number is not signal.SIGKILL:
        assert "runs that had ended; report them with" in done.err
    assert own.do("report", "diff-cost").code == 0
    again = own.start("diff", "base..noop", "-p", "clean", "-r", "7")
    again.wait_for(lambda: again.said("[1/"))
    again.process.send_signal(signal.SIGINT)
    again.end()


def test_code_of_the_checkout_is_not_taken_for_a_commits(tmp_path: Path) -> None:
    """A module that is imported with the first request is not seen at the start, but in the profile."""
    repo = tmp_path / "repository"
    repo.mkdir()
    git(repo, "init", "--quiet", "--initial-branch=main")
    (repo / "answer.py").write_text(
        "def answer():\n    return sum(range(50)) and b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok'\n"
    )
    (repo / "server.py").write_text(
        f"import socketserver, sys\nsys.path.insert(0, {str(repo)!r})\n"
        "class Handler(socketserver.StreamRequestHandler):\n"
        "    def handle(self):\n"
        "        while line := self.rfile.readline():\n"
        "            if line == b'\\r\\n':\n"
        "                from answer import answer\n"
        "                self.wfile.write(answer())\n"
        "class Server(socketserver.ThreadingTCPServer):\n"
        "    allow_reuse_address = daemon_threads = True\n"
        "Server(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()\n"
    )
    (repo / "profpipe.toml").write_text(
        'schema = 1\n[target.a]\ncommand = ["{python}", "server.py", "{port}"]\nlanguage = "python"\n'
        'ready.tcp = true\n[study.cost]\ntargets = ["a"]\nprofilers = ["yappi"]\nrounds = 1\n'
        'load = { generator = "builtin", requests = 50, connections = 2, warmup = 5 }\n'
    )
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "-m", "one")
    (repo / "answer.py").write_text((repo / "answer.py").read_text().replace("50", "5000"))
    git(repo, "commit", "--quiet", "--all", "-m", "two")
    done = Repository(repo, tmp_path / "cache").do("diff", "--max-rounds", "1")
    assert done.code == 1, done.err
    report = Repository(repo, tmp_path / "cache").report()
    assert {i["reason"].split(" (")[0] for i in report["invalid"]} == {
        "it ran answer.py of the checkout, not of the commit"
    }
