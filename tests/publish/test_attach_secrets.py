"""Two hundred secrets in environment, URLs and arguments; none of them shown anywhere."""

from __future__ import annotations

import os
import random
import shlex
import string
import time
from pathlib import Path

import pytest

from profpipe.credentials import hide, hide_words, secret_values
from profpipe.model.report import Report
from profpipe.publish.secret import Token, plain_url
from tests.support.attach_driving import github_environment, stored
from tests.support.command import profpipe
from tests.support.forge_server import TOKEN, Answer, Forge, fail, say
from tests.support.sample_commits import pull_request_document

RNG = random.Random(4711)


def canary(number: int) -> str:
    return f"cnry{number:03d}" + "".join(RNG.choice(string.ascii_letters + string.digits) for _ in range(18))


CANARIES = [canary(i) for i in range(200)]
NAMES = ("API_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "SIGNING_KEY", "NPM_AUTH", "SENTRY_DSN", "HARMLESS_NAME")
FORMS = (
    "curl -H 'Authorization: Bearer {}' http://127.0.0.1/",
    "curl -H 'X-Api-Key: {}' http://127.0.0.1/",
    "serve --password {} --port 80",
    "serve --auth-token={}",
    "serve https://user:{}@db.example/x",
    "serve https://db.example/x?access_token={}&b=1",
    "env API_TOKEN={} serve",
    "serve postgres://{}@db.example/x",
    "Cookie: session={}",
    "Authorization: Basic {}",
)


def environment(forge: Forge, folder: Path) -> dict[str, str]:
    """Canaries 0 to 99: under telling and under harmless names, alone, in URLs, and as the tokens themselves."""
    found = github_environment(forge, folder)
    take = iter(CANARIES[:100])
    found["GITHUB_API_URL"] = forge.url.replace("http://", f"http://{next(take)}:{next(take)}@") + f"?k={next(take)}"
    found["GITHUB_SERVER_URL"] = f"https://x:{next(take)}@github.example/?token={next(take)}#{next(take)}"
    found["PROFPIPE_REGISTRY"] = f"https://ci:{next(take)}@registry.example/simple"
    found["ACTIONS_RUNTIME_TOKEN"], found["CI_JOB_TOKEN"] = next(take), next(take)
    for number, value in enumerate(take):
        found[f"{NAMES[number % len(NAMES)]}_{number}" if number % 2 else f"X{number}_{NAMES[number % len(NAMES)]}"] = (
            value
        )
    return found


def report() -> Report:
    """Canaries 100 to 199 in command lines, and those of the environment once more wherever text can stand."""
    data = pull_request_document()
    lines = [FORMS[i % len(FORMS)].format(value) for i, value in enumerate(CANARIES[100:])]
    data["study"]["command"] = lines[0]
    data["study"]["load"], data["study"]["placement"] = " ; ".join(lines[1:20]), lines[20]
    data["environment"]["kernel"] = lines[21]
    data["study"]["left_out"] = [{"target": "t", "reason": line} for line in lines[22:40]]
    data["variants"][0] |= {"command": lines[40:60], "notes": lines[60:70], "label": lines[70]}
    told = [value for name, value in zip(range(94), CANARIES[:94], strict=True) if name % 7 != 6]
    data["limits"] = [{"profiler": "clean", "text": line} for line in lines[71:80]]
    data["invalid"] = [
        {"variant": "threads", "profiler": "clean", "phase": "start", "reason": line, "log_tail": [line]}
        for line in lines[80:]
    ]
    data["conclusions"].append(
        {
            "id": "x",
            "rule": "x",
            "kind": "cause",
            "certainty": "hint",
            "text": f"serve --token {' --token '.join(told)}",
        }
    )
    return Report.model_validate(data)


def shown(text: str) -> list[str]:
    return [value for value in (*CANARIES, TOKEN) if value in text]


def run(folder: Path, environment: dict[str, str], *words: str) -> str:
    base = {"PATH": os.environ["PATH"], "HOME": str(folder), "PROFPIPE_SHOW": "1"}
    done = profpipe("attach", stored(folder / "run", report()), *words, env=base | environment)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def sent(forge: Forge) -> str:
    """All bodies, paths and queries a forge got; the header with the token is the one place for it."""
    return "\n".join(f"{a.method} {a.path} {a.query} {a.body.decode(errors='replace')}" for a in forge.state.asked)


@pytest.mark.programs
def test_nothing_of_two_hundred_secrets_is_sent_or_printed(forge: Forge, tmp_path: Path) -> None:
    found = environment(forge, tmp_path)
    printed = run(tmp_path, found)
    printed += run(tmp_path, found, "--json", "--status", "check")
    assert "created on 7" in printed
    assert "check status of" in printed
    assert shown(printed) == []
    assert shown(sent(forge)) == []
    assert shown((tmp_path / "summary.md").read_text()) == []
    assert shown((tmp_path / "output.txt").read_text()) == []
    assert len(forge.state.comments) == 1


@pytest.mark.programs
def test_a_dry_run_and_written_files_show_none(forge: Forge, tmp_path: Path) -> None:
    printed = run(tmp_path, environment(forge, tmp_path), "--dry-run", "-o", str(tmp_path / "out"))
    assert "profpipe:report:concurrency" in printed
    assert shown(printed) == []
    for path in (tmp_path / "out").iterdir():
        assert shown(path.read_text()) == [], path.name


@pytest.mark.programs
@pytest.mark.parametrize(
    "answer",
    [
        say(401, {"message": f"Bad credentials: {TOKEN}"}),
        say(403, {"message": f"token {TOKEN} lacks scope; Authorization: Bearer {CANARIES[0]}"}),
        say(422, {"message": f"https://u:{CANARIES[1]}@x/?token={CANARIES[2]}"}),
        Answer(200, f"<html>{TOKEN}</html>".encode(), {"Content-Type": "text/html"}),
        Answer(302, b"", {"Location": f"https://x/?token={CANARIES[3]}"}),
    ],
    ids=["401", "403", "422", "html", "redirect"],
)
def test_a_forge_that_says_the_token_back(forge: Forge, tmp_path: Path, answer: Answer) -> None:
    forge.state.faults.append(fail(99, answer))
    printed = run(tmp_path, environment(forge, tmp_path))
    assert "profpipe: GET /repos/acme/server/pulls/7" in printed
    assert shown(printed) == []


@pytest.mark.programs
def test_an_api_that_is_no_address_is_not_repeated(forge: Forge, tmp_path: Path) -> None:
    found = environment(forge, tmp_path)
    for bad in (f"http://u:{CANARIES[0]}@[bad", f"ftp://{CANARIES[1]}", f"{forge.url}/nothing?{CANARIES[2]}"):
        assert shown(run(tmp_path, found | {"GITHUB_API_URL": bad})) == []


def test_a_token_shows_itself_nowhere() -> None:
    token = Token("GITHUB_TOKEN", CANARIES[0])
    assert shown(f"{token} {token!r} {token!s}") == []


def test_prose_about_secrets_is_left_alone() -> None:
    for text in (
        "the token bucket",
        "parse_token costs 3 %",
        "key: value",
        "session::open",
        "a Bearer of news",
        "--port 80",
    ):
        assert hide(text) == text


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--password", "hunter22", "--port", "80"),
        ("serve", "--db-secret", "hunter22"),
        ("curl", "-H", "Cookie: a=1; b=hunter22"),
        ("curl", "-H", "X-Api-Key: hunter22"),
        ("curl", "-H", 'Authorization: Digest username="x", response="hunter22"'),
        ("curl", "--user", "me:hunter22"),
        ("curl", "-d", '{"password": "hunter22"}'),
        ("curl", "-d", "password=hunter22"),
        ("serve", "--token=hunter22 and more"),
    ],
)
def test_a_secret_is_hidden_in_words_as_in_a_command_line(words: tuple[str, ...]) -> None:
    assert "hunter22" not in " ".join(hide_words(words))
    assert "hunter22" not in hide(shlex.join(words))
    assert "hunter22" not in hide(" ".join(words))


@pytest.mark.parametrize(
    "text", ["TOKEN" * 50_000, "?token" * 40_000, "--token-" * 30_000, "a:" * 100_000, "--a " * 60_000]
)
def test_hiding_takes_time_in_proportion_to_the_text(text: str) -> None:
    begun = time.process_time()
    hide(text)
    assert time.process_time() - begun < 2.0


def test_options_that_hold_no_secret_are_left_alone() -> None:
    words = ("serve", "--stop-signal", "TERM", "--author", "ann", "--design=new", "-u", "server:app")
    assert hide_words(words) == words
    assert hide(" ".join(words)) == " ".join(words)


def test_secret_values_are_those_of_telling_names_and_of_users_in_urls() -> None:
    found = secret_values(
        {"X_TOKEN": "abcdefgh", "PLAIN": "visible-value", "U": "https://me:pass-word@h/", "Y_SECRET": "ab"}
    )
    assert set(found) == {"abcdefgh", "pass-word"}


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://u:p@h.example:8443/a/?x=1#y", "https://h.example:8443/a"),
        ("http://[::1]:3000/api/v1/", "http://[::1]:3000/api/v1"),
        ("ftp://h/", ""),
        ("https://", ""),
        ("http://h:port/", ""),
    ],
)
def test_a_plain_url_has_no_user_query_or_fragment(url: str, plain: str) -> None:
    assert plain_url(url) == plain
