"""What a forge can do wrong: each ends in one clear line, in bounded time, and in exit code 0 unless asked for 1."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from profpipe.errors import UsageError
from profpipe.pipeline.attach.message import AttachOptions
from profpipe.publish import wire
from profpipe.publish.locate import check_place
from profpipe.publish.place import Place
from profpipe.publish.wire import TRIES, WAIT_BUDGET, ForgeError, Wire
from tests.support import command
from tests.support.attach_driving import Pauses, attach, github_environment, gitlab_environment, stored
from tests.support.forge_server import HEAD_SHA, TOKEN, Answer, Asked, Forge, fail, page, say

pytestmark = pytest.mark.programs


def only(warnings: list[str]) -> str:
    assert len(warnings) == 1, warnings
    return warnings[0]


NO_STATUS = AttachOptions(status="none")


def test_a_read_only_token_of_a_fork_is_a_warning_with_what_to_do(forge: Forge, tmp_path: Path) -> None:
    denied = say(403, {"message": "Resource not accessible by integration"})
    forge.state.faults.append(fail(99, denied, "POST"))
    outcome = attach(github_environment(forge, tmp_path))
    comment, status = outcome.warnings
    assert (
        "answered 403: Resource not accessible by integration. The job needs `permissions: pull-requests: write`"
        in comment
    )
    assert "a pull request from a fork has a read-only token" in comment
    assert "`permissions: statuses: write`" in status
    assert (tmp_path / "summary.md").read_text().startswith("This pull request makes a request **")


def test_a_wrong_token(forge: Forge, tmp_path: Path) -> None:
    outcome = attach(github_environment(forge, tmp_path, token="wrong-token-0815"), NO_STATUS)
    assert "The token in GITHUB_TOKEN is not accepted: has it expired, and is it of this forge?" in only(
        outcome.warnings
    )


def test_no_token_still_writes_the_summary(forge: Forge, tmp_path: Path) -> None:
    outcome = attach(github_environment(forge, tmp_path, token=""))
    assert only(outcome.warnings).startswith("no token: nothing was sent to github; set PROFPIPE_TOKEN or GITHUB_TOKEN")
    assert outcome.done == ["job summary written"]
    assert forge.state.asked == []


def test_a_job_token_of_gitlab_is_not_tried(forge: Forge) -> None:
    environment = gitlab_environment(forge) | {"CI_JOB_TOKEN": "job-token-0815"}
    del environment["GITLAB_TOKEN"]
    outcome = attach(environment)
    assert "CI_JOB_TOKEN cannot post notes: make a project access token with the scope `api`" in only(outcome.warnings)
    assert forge.state.asked == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_fault_that_passes_is_waited_out(forge: Forge, tmp_path: Path, status: int) -> None:
    forge.state.faults.append(fail(2, say(status, {"message": "later"}, Retry_After="3"), "POST", "comments"))
    pauses = Pauses()
    outcome = attach(github_environment(forge, tmp_path), NO_STATUS, sleep=pauses)
    assert outcome.warnings == []
    assert pauses.asked == [3.0, 3.0]
    assert len(forge.state.comments) == 1


def test_without_retry_after_the_waits_grow(forge: Forge, tmp_path: Path) -> None:
    forge.state.faults.append(fail(3, say(502), "GET", "/pulls/7"))
    pauses = Pauses()
    attach(github_environment(forge, tmp_path), NO_STATUS, sleep=pauses)
    assert len(pauses.asked) == 3
    for n, pause in enumerate(pauses.asked):
        assert 0.75 * 2**n <= pause <= 1.25 * 2**n


def test_retry_after_may_be_a_date_and_a_spent_limit_a_403(forge: Forge, tmp_path: Path) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 20))
    spent = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(time.time()) + 30)}
    forge.state.faults += [
        fail(1, say(503, {}, Retry_After=date), "POST", "comments"),
        fail(1, say(403, {"message": "API rate limit exceeded"}, **spent), "POST", "comments"),
    ]
    pauses = Pauses()
    assert attach(github_environment(forge, tmp_path), NO_STATUS, sleep=pauses).warnings == []
    first, second = pauses.asked
    assert 10 <= first <= 20
    assert 20 <= second <= 30


def test_tries_and_waiting_are_bounded(forge: Forge, tmp_path: Path) -> None:
    forge.state.faults.append(fail(999, say(500, {"message": "down"})))
    pauses = Pauses()
    outcome = attach(github_environment(forge, tmp_path), sleep=pauses)
    assert sum(pauses.asked) <= WAIT_BUDGET
    assert len(forge.state.asked) <= 2 * TRIES
    assert all("answered 500: down. The report itself is complete: run the job again" in w for w in outcome.warnings)


def test_a_retry_after_of_a_day_is_not_waited_for(forge: Forge, tmp_path: Path) -> None:
    forge.state.faults.append(fail(999, say(429, {"message": "slow down"}, Retry_After="86400")))
    pauses = Pauses()
    outcome = attach(github_environment(forge, tmp_path), NO_STATUS, sleep=pauses)
    assert pauses.asked == []
    assert "The forge's rate limit is spent: run the job again later" in only(outcome.warnings)


def test_nobody_listens(forge: Forge, tmp_path: Path) -> None:
    environment = github_environment(forge, tmp_path) | {"GITHUB_API_URL": "http://127.0.0.1:9/api"}
    outcome = attach(environment, NO_STATUS)
    assert "GET /repos/acme/server/pulls/7: no answer from http://127.0.0.1:9/api (ConnectError)" in only(
        outcome.warnings
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page(), "answered an HTML page; check that --api is the address of the API"),
        (page(404), "answered 404: an HTML page"),
        (Answer(200, b"plain", {"Content-Type": "text/plain"}), "answered something that is not JSON"),
        (say(200, {"unexpected": True}), "pull request 7: unexpected response; check --api"),
        (say(200, [1]), "pull request 7: unexpected response; check --api"),
        (
            Answer(301, b"", {"Location": "https://elsewhere.example/"}),
            "answered 301, a redirect; give the new address",
        ),
        (Answer(200, b"[" * 100_000, {"Content-Type": "application/json"}), "answered something that is not JSON"),
    ],
    ids=["html", "html 404", "text", "other object", "list", "redirect", "deep"],
)
def test_an_answer_that_is_none(forge: Forge, tmp_path: Path, answer: Answer, said: str) -> None:
    forge.state.faults.append(fail(99, answer))
    assert said in only(attach(github_environment(forge, tmp_path), NO_STATUS).warnings)


def test_an_endless_answer_is_cut(forge: Forge, tmp_path: Path) -> None:
    forge.state.faults.append(fail(1, Answer(200, b" " * (17 * 2**20), {"Content-Type": "application/json"})))
    assert "the answer is larger than 16 MiB" in only(attach(github_environment(forge, tmp_path), NO_STATUS).warnings)


def endless(asked: Asked) -> Answer | None:
    if asked.method != "GET" or "comments" not in asked.path:
        return None
    page = int(asked.query.get("page", ["1"])[0]) + 1
    return say(200, [], Link=f'<https://elsewhere.example/steal?page={page}>; rel="next"')


def test_a_list_without_an_end_is_left(forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_PAGES", 20)
    forge.state.faults.append(endless)
    assert "more than 20 pages" in only(attach(github_environment(forge, tmp_path), NO_STATUS).warnings)
    assert forge.state.count("GET", "^/repos/acme/server/issues/7/comments$") == 20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": "closed"}, "no comment: pull request 7 is closed"),
        (None, "GET /repos/acme/server/pulls/7"),
    ],
)
def test_a_pull_request_that_is_closed_or_not_there(
    forge: Forge, tmp_path: Path, change: dict[str, str] | None, said: str
) -> None:
    if change is None:
        forge.state.pulls.clear()
    else:
        forge.state.pulls[7].update(change)
    assert only(attach(github_environment(forge, tmp_path), NO_STATUS).warnings).startswith(said)
    assert forge.state.count("POST", "comments") == 0


@pytest.mark.parametrize("environment_of", [github_environment, lambda forge, _: gitlab_environment(forge)])
def test_what_was_pushed_away_while_it_was_measured_gets_a_status_and_no_comment(
    forge: Forge, tmp_path: Path, environment_of: Callable[[Forge, Path], dict[str, str]]
) -> None:
    pull = forge.state.pulls[7]
    pull["head"]["sha"] = pull["sha"] = "ef" * 20
    environment = environment_of(forge, tmp_path)
    pull["state"] = "opened" if "GITLAB_CI" in environment else "open"
    outcome = attach(environment)
    assert only(outcome.warnings) == f"no comment: pull request 7 has moved on since {HEAD_SHA[:12]} was measured"
    assert forge.state.comments == []
    assert len(forge.state.statuses) == 1


def test_a_pull_request_that_is_named_gets_its_comment_whatever_its_newest_commit(forge: Forge, tmp_path: Path) -> None:
    forge.state.pulls[7]["head"]["sha"] = "ef" * 20
    attach(github_environment(forge, tmp_path), AttachOptions(pull=7, status="none"))
    assert len(forge.state.comments) == 1


def test_a_locked_conversation(forge: Forge, tmp_path: Path) -> None:
    forge.state.pulls[7]["locked"] = True
    denied = say(403, {"message": "Unable to create comment because issue is locked."})
    forge.state.faults.append(fail(9, denied, "POST", "comments"))
    said = only(attach(github_environment(forge, tmp_path), NO_STATUS).warnings)
    assert "The conversation is locked: unlock it, or leave the comment out with --no-comment" in said


def test_a_push_has_no_pull_request_but_a_status_and_a_summary(forge: Forge, tmp_path: Path) -> None:
    environment = github_environment(forge, tmp_path) | {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    (tmp_path / "event.json").write_text("{}")
    outcome = attach(environment)
    assert "no comment: the event `push` belongs to no pull request" in only(outcome.warnings)
    assert len(forge.state.statuses) == 1


def test_a_full_or_unwritable_summary(forge: Forge, tmp_path: Path) -> None:
    environment = github_environment(forge, tmp_path)
    (tmp_path / "summary.md").write_text("x" * (2**20 - 2300))
    assert attach(environment).warnings == []
    assert (tmp_path / "summary.md").stat().st_size <= 2**20
    assert "rows not shown" in (tmp_path / "summary.md").read_text()
    assert "the job summary of this step is full" in only(attach(environment).warnings)
    (tmp_path / "summary.md").unlink()
    (tmp_path / "summary.md").mkdir()
    assert "GITHUB_STEP_SUMMARY cannot be written" in only(attach(environment).warnings)


def test_no_redirect_is_followed_and_the_token_stays_with_its_api(forge: Forge) -> None:
    with Forge() as other:
        forge.state.faults.append(fail(9, Answer(307, b"", {"Location": f"{other.url}/user"})))
        sender = Wire(forge.url, {"Authorization": f"Bearer {TOKEN}"})
        with pytest.raises(ForgeError, match="answered 307, a redirect"):
            sender.call("GET", "/user")
        sender.close()
        assert other.state.asked == []


def profpipe(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB", "GITLAB", "GITEA", "CI"))}
    return command.profpipe("attach", *words, env=kept | environment)


def test_exit_codes_of_the_command(forge: Forge, tmp_path: Path) -> None:
    report = stored(tmp_path / "run")
    environment = github_environment(forge, tmp_path)
    done = profpipe(report, **environment)
    assert done.returncode == 0
    assert all(line.startswith("::warning file=src/serve.py,") for line in done.stderr.splitlines())
    assert done.stdout.splitlines()[1].startswith("comment 101 created on 7")
    forge.state.faults.append(fail(99, say(403, {"message": "no"}), "PATCH"))
    warned = profpipe(report, **environment)
    assert warned.returncode == 0
    assert "profpipe: PATCH /repos/acme/server/issues/comments/101: " in warned.stderr
    assert "::warning title=profpipe::PATCH" in warned.stderr
    assert profpipe(report, "--require", **environment).returncode == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "give either REPORT or --from-artifact"),
        (("no-such-study",), 1, "no-such-study: neither a run folder"),
        (("RUN", "--forge", "bitbucket"), 2, "no forge named 'bitbucket'; there are: github, gitlab, gitea, forgejo"),
        (("RUN", "--forge", "gitea"), 2, "gitea: the address of its API is not known: give --api"),
        (("RUN", "--forge", "github", "--repository", "../x"), 2, "the repository is not of the form owner/name"),
        (("RUN", "--forge", "github", "--repository", "a/b", "--sha", "abc"), 2, "the commit is not a full hash"),
        (("RUN", "--link", "javascript:x"), 1, "the link to the report is not http:// or https://"),
        (("RUN", "--pull", "0"), 2, "0 is not in the range x>=1"),
    ],
)
def test_mistakes_in_the_call(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    report = stored(tmp_path / "run")
    done = profpipe(*[report if word == "RUN" else word for word in words])
    assert said in done.stderr
    assert done.returncode == code


def test_nowhere_to_go_is_a_warning(tmp_path: Path) -> None:
    done = profpipe(stored(tmp_path / "run"))
    assert done.returncode == 0
    assert "not in the CI of a known forge: give --forge, --repository and --pull" in done.stderr


def test_a_dry_run_sends_nothing_and_prints_everything(forge: Forge, tmp_path: Path) -> None:
    done = profpipe(stored(tmp_path / "run"), "--dry-run", **github_environment(forge, tmp_path))
    assert done.returncode == 0
    assert '"pull": 7' in done.stdout
    assert '"context": "profpipe/concurrency"' in done.stdout
    assert "| <!-- profpipe:report:concurrency -->\n| This pull request makes a request **2.26 times" in done.stdout
    assert forge.state.asked == []
    assert not (tmp_path / "summary.md").exists()


def test_a_forge_that_sends_a_byte_now_and_then_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes within the time-out of a read; the whole answer never does."""
    monkeypatch.setattr(wire, "DEADLINE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            sock, _ = server.accept()
            with sock, contextlib.suppress(OSError):
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100:
                    sock.sendall(bytes([byte]))
                    time.sleep(0.1)

        threading.Thread(target=trickle, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(ForgeError, match=r"gave no whole answer within 0.5 s"):
            Wire(f"http://127.0.0.1:{server.getsockname()[1]}", {}).call("GET", "/x")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("api", "taken"),
    [
        ("http://forge.example/api/v1", False),
        ("http://93.184.216.34/api/v1", False),
        ("http://127.0.0.1:3000/api/v1", True),
        ("http://[::1]/api/v1", True),
        ("http://192.168.1.7/api/v1", True),
        ("http://gitea:3000/api/v1", True),
        ("http://git.internal/api/v1", True),
        ("https://forge.example/api/v1", True),
    ],
)
def test_a_token_is_not_sent_through_the_internet_in_the_clear(api: str, taken: bool) -> None:
    place = Place("gitea", api, "a/b", 1)
    if taken:
        assert check_place(place).api == api
    else:
        with pytest.raises(UsageError, match="the token could be read on its way: give --api https://"):
            check_place(place)


def test_a_proxy_sees_no_token_of_a_plain_address(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def listen() -> None:
            with contextlib.suppress(OSError):
                sock, _ = proxy.accept()
                with sock:
                    seen.append(sock.recv(65536))

        threading.Thread(target=listen, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(wire, "WAIT_BUDGET", 0.0)
        with pytest.raises(ForgeError, match="no answer"):
            Wire("http://profpipe-test.invalid", {"Authorization": "token abc"}).call("GET", "/x")
    assert seen == []
