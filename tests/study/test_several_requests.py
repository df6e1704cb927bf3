"""`[[load.NAME.request]]`: several requests of one load, and every mistake that can be made in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.study.bodies import body_bytes
from tests.support.study_file import SERVER, mistakes, read

STUDY = SERVER + '[study.s]\ntargets = ["a"]\n[study.s.load]\nrequests = 100\n'
ITEM = '[[study.s.load.request]]\nname = "item"\npath = "/items/7"\n'
ORDER = '[[study.s.load.request]]\nname = "order"\nmethod = "POST"\npath = "/orders"\nstatus = 201\n'


def test_a_load_may_have_several_requests_each_with_its_share(tmp_path: Path) -> None:
    text = STUDY + ITEM + "weight = 3\n" + ORDER + 'body = "x"\n'
    load = read(tmp_path, text).file.study["s"].load
    assert [(route.name, route.weight, route.accepted) for route in load.routes] == [
        ("item", 3.0, (200,)),
        ("order", 1.0, (201,)),
    ]
    assert load.request_words == "GET /items/7 (75 %), POST /orders (25 %)"
    assert load.request.words == "GET /items/7"  # what readiness asks for


def test_a_named_load_gives_its_requests_to_a_study(tmp_path: Path) -> None:
    named = (ITEM + ORDER).replace("study.s.load", "load.shop")
    text = SERVER + '[study.s]\ntargets = ["a"]\nload = { plan = "shop", connections = 3 }\n' + named
    load = read(tmp_path, text).file.study["s"].load
    assert ([route.name for route in load.routes], load.connections) == (["item", "order"], 3)


def test_one_request_is_a_table_as_ever(tmp_path: Path) -> None:
    load = read(tmp_path, STUDY + '[study.s.load.request]\npath = "/a"\n').file.study["s"].load
    assert (load.routes, load.request.path) == ((), "/a")


@pytest.mark.parametrize(
    ("status", "accepted", "words"),
    [
        ("404", (404,), "404"),
        ('"2xx"', tuple(range(200, 300)), "2xx"),
        ("[200, 404]", (200, 404), "200 or 404"),
        ('["4xx", 200]', (200, *range(400, 500)), "4xx or 200"),
    ],
    ids=["a number", "a class", "a list", "a list with a class"],
)
def test_the_expected_status(tmp_path: Path, status: str, accepted: tuple[int, ...], words: str) -> None:
    (route,) = read(tmp_path, STUDY + ITEM + f"status = {status}\n").file.study["s"].load.routes
    assert (route.accepted, route.status_words) == (accepted, words)


def test_a_body_file_is_sent_byte_for_byte(tmp_path: Path) -> None:
    content = bytes(range(256))
    (tmp_path / "order.bin").write_bytes(content)
    (route,) = read(tmp_path, STUDY + ORDER + 'body_file = "order.bin"\n').file.study["s"].load.routes
    assert body_bytes(route.body) == content


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        (
            ITEM + ITEM,
            'study.s.load.request[1].name: this load has a request of the name "item" already, number 1: '
            "each needs its own",
        ),
        (ITEM + "weight = 0\n", "study.s.load.request[0].weight: must be greater than 0, got 0"),
        (ITEM + "weight = -1.5\n", "study.s.load.request[0].weight: must be greater than 0, got -1.5"),
        (
            ORDER + 'body = "x"\nbody_file = "x"\n',
            "study.s.load.request[0].body_file: body and body_file are both set: keep one",
        ),
        (
            ORDER + 'body_file = "no.json"\n',
            "study.s.load.request[0].body_file: no such file: no.json (relative to this file)",
        ),
        (
            ORDER + 'body_file = "../no.json"\n',
            "study.s.load.request[0].body_file: ../no.json is outside the folder of this file; a body stays inside it",
        ),
        (
            '[[study.s.load.request]]\npath = "/"\n',
            'study.s.load.request[0]: missing key "name" (its name in the report)',
        ),
        (
            ITEM + 'wieght = 3\n',
            'study.s.load.request[0].wieght: unknown key; did you mean "weight"?',
        ),
        (
            ITEM.replace('"item"', '"mix"'),
            'study.s.load.request[0].name: "mix" is what the report calls all requests of a load together',
        ),
        (
            ITEM + 'headers = { "a b" = "x" }\n',
            'study.s.load.request[0].headers."a b": not a valid header: a name is one token, a value one line',
        ),
    ],
    ids=[
        "a name twice", "no weight", "a negative weight", "two bodies", "no such body", "a body outside", "no name",
        "an unknown key", "a reserved name", "a header",
    ],
)  # fmt: skip
def test_a_mistake_in_one_request_says_which(tmp_path: Path, routes: str, said: str) -> None:
    (line,) = mistakes(tmp_path, STUDY + routes)
    assert line.split(": ", 1)[1] == said


def test_a_status_that_is_none(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, STUDY + ITEM + 'status = "2yy"\n')
    assert "study.s.load.request[0].status: " in line
    assert '"2yy"' in line


def test_a_load_without_any_request(tmp_path: Path) -> None:
    assert mistakes(tmp_path, STUDY + "request = []\n") == [
        "profpipe.toml:7:1: study.s.load.request: must not be empty"
    ]


def test_a_target_with_a_request_of_its_own_would_replace_them_all(tmp_path: Path) -> None:
    text = SERVER + 'request.path = "/b"\n' + (STUDY + ITEM + ORDER).removeprefix(SERVER)
    (line,) = mistakes(tmp_path, text)
    assert line.endswith(
        'study.s.targets[0]: "a" has a request of its own, and study.s.load has several, which every target gets: '
        "leave one out"
    )


def test_a_command_of_ones_own_sends_what_it_likes(tmp_path: Path) -> None:
    own = 'command = ["ab", "{url}"]\nunit = "GET"\ncount.result = "ab"\n'
    (line,) = mistakes(tmp_path, STUDY + own + ITEM)
    assert line.endswith("study.s.load.request: has no effect next to a command of your own: that sends what it likes")
