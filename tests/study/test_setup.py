"""`[[load.NAME.setup]]`: what is read, and every mistake that can be made in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.study_file import SERVER, mistakes, read

STUDY = SERVER + '[study.s]\ntargets = ["a"]\nload = { plan = "shop", requests = 9 }\n[load.shop]\nconnections = 2\n'
ME = '[[load.shop.request]]\nname = "me"\npath = "/me"\nheaders = { Authorization = "Bearer {token}" }\n'
LOGIN = '[[load.shop.setup]]\nmethod = "POST"\npath = "/login"\nbody = "a"\n'
TAKE = 'take.token = { pointer = "/token" }\n'


def test_a_set_up_goes_with_the_requests_of_its_load(tmp_path: Path) -> None:
    text = STUDY.replace("[load.shop]", 'throughput = { mode = "closed" }\n[load.shop]') + LOGIN + TAKE + ME
    study = read(tmp_path, text).file.study["s"]
    (step,) = study.load.setup
    assert (step.words, step.accepted, dict(step.take)["token"].pointer) == (
        "POST /login",
        tuple(range(200, 300)),
        "/token",
    )
    assert study.throughput is not None
    assert study.throughput.setup == study.load.setup


def test_a_body_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(b"\xff\x00")
    text = STUDY + LOGIN.replace('body = "a"', 'body_file = "b.bin"') + TAKE + ME
    assert read(tmp_path, text).file.study["s"].load.setup[0].body.encode("utf-8", "surrogateescape") == b"\xff\x00"


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (
            LOGIN + 'take.tokn = { pointer = "/token" }\n',
            'load.shop.setup[0].take.tokn: no request after it has {tokn}; did you mean "token"?',
        ),
        (
            LOGIN + 'take.token = { pointer = "/t", header = "X" }\n',
            "load.shop.setup[0].take.token: one of pointer, pattern, header, cookie says where it is; pointer and "
            "header is set",
        ),
        (
            LOGIN + 'take.token = { pointer = "t" }\n',
            "load.shop.setup[0].take.token.pointer: a JSON pointer starts with `/`",
        ),
        (
            LOGIN + "take.token = { pattern = 'a(b' }\n",
            "load.shop.setup[0].take.token.pattern: not a regular expression: missing ), unterminated subpattern at "
            "position 1",
        ),
        (
            LOGIN + "take.token = { pattern = 'ab' }\n",
            "load.shop.setup[0].take.token.pattern: needs one group, around the value; it has 0",
        ),
        (
            LOGIN + TAKE + LOGIN + TAKE,
            "load.shop.setup[1].take.token: an earlier request takes a value of this name: choose another",
        ),
        (
            LOGIN.replace("/login", "/{seq}") + TAKE,
            "load.shop.setup[0]: a request of the set-up is sent once, and has no {seq}, {random:...} or {csv:...}",
        ),
        (
            LOGIN + TAKE + 'body_file = "no"\n',
            "load.shop.setup[0].body_file: body and body_file are both set: keep one",
        ),
    ],
)
def test_mistakes(tmp_path: Path, setup: str, said: str) -> None:
    assert said in [line.split(": ", 1)[1] for line in mistakes(tmp_path, STUDY + setup + ME)]


@pytest.mark.parametrize("name", ["seq", "Token", "a-b"])
def test_the_name_of_a_value_fits_into_braces(tmp_path: Path, name: str) -> None:
    text = STUDY + LOGIN + f'take.{name} = {{ header = "X" }}\n' + ME
    assert any(f"take.{name}: " in line for line in mistakes(tmp_path, text))


def test_a_cookie_may_be_required_without_being_used(tmp_path: Path) -> None:
    text = STUDY + LOGIN + 'take.session = { cookie = "sid" }\n' + ME
    assert mistakes(tmp_path, text) == []


def test_a_command_of_your_own_has_no_set_up(tmp_path: Path) -> None:
    text = STUDY.replace("connections = 2", 'command = ["x", "{port}"]\ncount.exit = true\nunit = "op"') + LOGIN
    assert any(
        "load.shop.setup: has no effect next to a command of your own" in line for line in mistakes(tmp_path, text)
    )


def test_a_report_names_what_was_sent_before_the_load(tmp_path: Path) -> None:
    load = read(tmp_path, STUDY + LOGIN + TAKE + ME).file.study["s"].load
    assert load.request_words == "GET /me (100 %), after POST /login"
