"""`profpipe diff`, `bisect` and “clean” on a repository with real commits, servers, callgrind and git."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from profpipe.commits.worktrees import BISECTING, MEASURING, locked
from tests.support.demo_repository import CHANGES, Change, git, make
from tests.support.measured_repository import ONCE, TWICE, Repository
from tests.support.processes import processes, wait_until
from tests.support.study_driving import Done, read_report
from tests.support.tools import require

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    require("valgrind", "gcc")
    folder = tmp_path_factory.mktemp("demo")
    repository = Repository(make(folder / "repository"), folder / "cache")
    yield repository
    assert not processes(repository.path)


Measured = Callable[[str], tuple[Done, dict[str, Any]]]


@pytest.fixture(scope="module")
def measured(demo: Repository) -> Measured:
    """The comparison of a change with its parent, run once however many tests look at it."""

    @cache
    def compare(tag: str) -> tuple[Done, dict[str, Any]]:
        before = demo.state()
        done = demo.do(
            "diff",
            f"{tag}~1..{tag}",
            *TWICE,
            "--fail-on",
            "regression:instructions",
        )
        assert demo.state() == before
        return done, demo.report()

    return compare


@pytest.fixture
def own(tmp_path: Path) -> Repository:
    """A repository of the test's own: base and no-op only."""
    require("gcc")
    return Repository(make(tmp_path / "repository", CHANGES[:1]), tmp_path / "cache")


def contender(report: dict[str, Any]) -> dict[str, Any]:
    return next(v for v in report["variants"] if v["role"] == "contender")  # type: ignore[no-any-return]


def largest(report: dict[str, Any]) -> str:
    bars = report["waterfall"][0]["bars"]
    return str(max(bars, key=lambda bar: bar["delta"])["category"])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.tag)
def test_each_change_gets_its_verdict_and_its_category(measured: Measured, change: Change) -> None:
    done, report = measured(change.tag)
    assert done.code == (3 if change.verdict == "worse" else 0), done.err
    against = contender(report)["against_baseline"]
    assert against["callgrind:instructions"]["verdict"] == change.verdict
    if change.category:
        assert largest(report) == change.category
        assert "instructions per request is worse by" in done.out
    if change.tag == "syscall":
        assert against["callgrind:syscalls"]["verdict"] == "worse"
        assert against["callgrind:syscalls"]["delta"] == pytest.approx(1, abs=0.05)
    assert contender(report)["commit"]["subject"] == change.subject


@pytest.mark.parametrize("tag", ["rename", "move"])
def test_no_function_of_a_pure_rename_or_a_pure_move_is_called(measured: Measured, tag: str) -> None:
    """Neither better nor worse anywhere: what one name lost another one has."""
    _, report = measured(tag)
    called = [
        (row["function"]["name"], cell["verdict"])
        for table in report["hotspots"]
        for category in table["rows"]
        for row in category["functions"]
        for cell in row["cells"].values()
        if cell["verdict"] in ("better", "worse")
    ]
    assert called == []


def rows_of(report: dict[str, Any]) -> dict[str, Any]:
    """Function -> its row in the first table."""
    return {r["function"]["name"]: r for category in report["hotspots"][0]["rows"] for r in category["functions"]}


def test_functions_are_found_under_their_old_name(measured: Measured) -> None:
    _, report = measured("rename")
    name = contender(report)["id"]
    row = rows_of(report)["scan_request"]
    assert row["alignment"][name]["before"]["name"] == "parse_request"
    assert row["alignment"][name]["certainty"] == "measured"
    assert "parse_request" not in rows_of(report)


def test_changed_lines_are_listed_with_the_functions_that_contain_them(measured: Measured) -> None:
    _, report = measured("formatting")
    name = contender(report)["id"]
    changed = {n: r["changes"][name][0] for n, r in rows_of(report).items() if r["changes"].get(name)}
    assert {(c["file"], c["certainty"]) for c in changed.values()} == {("head.c", "measured")}
    assert any(c["rule"] == "commits-callees" and "head.c:" in c["text"] for c in report["conclusions"])


def test_a_report_is_made_again_without_the_repository(demo: Repository, measured: Measured) -> None:
    measured("alloc")
    newest = max((demo.path / "reports" / "diff-cost").iterdir(), key=lambda path: path.name)
    first = read_report(newest)
    (demo.path / ".git").rename(demo.path / "away")
    try:
        assert demo.do("report", str(newest)).code == 3, "the gate of the run decides every time"
    finally:
        (demo.path / "away").rename(demo.path / ".git")
    again = read_report(newest)
    assert again["gate"] == first["gate"] is not None, "the rules of the gate are kept with the run"
    assert again == first


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


def test_clean_takes_all_worktrees_away(demo: Repository) -> None:
    assert demo.do("diff", "base..noop", *ONCE).code == 0
    done = demo.do("clean")
    assert done.code == 0
    assert "removed" in done.out
    assert [line for line in demo.worktrees() if line.startswith("worktree ")] == [f"worktree {demo.path}"]
    assert "no worktree is kept" in demo.do("clean").out


# --- what can go wrong


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
