"""{csv:COLUMN}: rows in their order or in a seeded one, the same for every run, and what happens after the last."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from profpipe import load
from profpipe.load.feed import Feed, FeedEnded
from profpipe.load.plan import fed_by
from profpipe.load.slices.client import Address, Client
from profpipe.model.run import RunRecord
from profpipe.pipeline.execute.judge import judge
from profpipe.study.feeder import Feeder
from profpipe.study.requests import Request
from profpipe.study.schema import LoadPlan
from tests.support.http_server import Answer, Server
from tests.support.study_file import SERVER, mistakes

USERS = "id,name\r\n1,Ann\r\n" + '2,"O\'Neil, ""Bo"" é/ß"\r\n\r\n3,\r\n'
STUDY = SERVER + (
    '[study.s]\ntargets = ["a"]\n[study.s.load]\nrequests = 9\nfeeder = { file = "users.csv" }\n'
    '[study.s.load.request]\npath = "/{csv:id}"\n'
)


def feeder(folder: Path, text: str = USERS, **settings: str) -> Feeder:
    (folder / "users.csv").write_text(text, encoding="utf-8", newline="")
    return Feeder.model_validate({"file": "users.csv", **settings}).filled(folder)


def taken(feed: Feed, many: int) -> list[str]:
    return [next(feed)["id"] for _ in range(many)]


def test_a_file_of_any_origin_is_read(tmp_path: Path) -> None:
    found = feeder(tmp_path, "\ufeff" + USERS)
    assert found.columns == ("id", "name")
    assert found.rows == (("1", "Ann"), ("2", 'O\'Neil, "Bo" é/ß'), ("3", ""))


def test_rows_come_in_their_order_and_again(tmp_path: Path) -> None:
    assert taken(Feed(fed_by(feeder(tmp_path))), 7) == ["1", "2", "3", "1", "2", "3", "1"]
    assert taken(Feed(fed_by(feeder(tmp_path)), first=2), 2) == ["3", "1"]


def test_a_random_order_has_every_row_once_a_lap_and_is_the_same_each_time(tmp_path: Path) -> None:
    many = feeder(tmp_path, "id\n" + "\n".join(map(str, range(50))), order="random")
    once, twice = taken(Feed(fed_by(many)), 100), taken(Feed(fed_by(many)), 100)
    assert once == twice
    assert sorted(once[:50]) == sorted(once[50:]) == sorted(map(str, range(50)))
    assert once[:50] != once[50:]


def test_a_feeder_that_stops_says_so_every_time(tmp_path: Path) -> None:
    feed = Feed(fed_by(feeder(tmp_path, at_end="stop")))
    taken(feed, 3)
    for _ in range(2):
        with pytest.raises(FeedEnded, match=r"the feeder users\.csv ended after 3 rows"):
            next(feed)


@pytest.mark.programs
@pytest.mark.parametrize("mode", ["count", "closed", "rate"])
def test_a_load_ends_with_its_feeder_and_its_run_is_invalid(mode: str, tmp_path: Path) -> None:
    plan = LoadPlan(
        mode=mode,
        requests=90,
        rate=500.0,
        duration=5.0,
        connections=2,
        warmup=0,
        request=Request(path="/{csv:id}"),
        feeder=feeder(tmp_path, at_end="stop"),
    )
    with Server(lambda _, __: Answer()) as server:
        found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert found.served == 3
    record = RunRecord("s", "a", "clean", 1, 1, (), "", load=found)
    reason = "the load did not run to its end: the feeder users.csv ended after 3 rows"
    assert judge(record, plan) == (reason, "load")


@pytest.mark.programs
def test_a_request_has_one_row_in_path_headers_and_body(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def answer(_: int, request: bytes) -> Answer:
        seen.append(request)
        return Answer()

    request = Request(
        method="POST", path="/{csv:id}/{csv:name}?n={seq}", headers={"X-Id": "{csv:id}"}, body='{"n": "{csv:name}"}'
    )
    with Server(answer) as server, Client((), timeout=5.0) as client:
        where = Address("127.0.0.1", server.port, os.getpid(), request, feeder=feeder(tmp_path, at_end="stop"))
        client.open([where], 1)
        client.slices([[0]] * 2, [3], 10.0)  # slices begin again after the last row, and go on counting
    heads = [each.partition(b"\r\n\r\n") for each in seen]
    assert [head.split(b" ")[1] for head, _, _ in heads[:4]] == [
        b"/1/Ann?n=1",
        b"/2/O%27Neil%2C%20%22Bo%22%20%C3%A9%2F%C3%9F?n=2",
        b"/3/?n=3",
        b"/1/Ann?n=4",
    ]
    assert b"\r\nX-Id: 2" in heads[1][0]
    assert heads[1][2].decode() == '{"n": "O\'Neil, "Bo" é/ß"}'
    assert f"Content-Length: {len(heads[1][2])}".encode() in heads[1][0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "users.csv is empty: its first line names the columns"),
        (b"\r\n\r\n", "users.csv is empty: its first line names the columns"),
        (b"id,name\n", "users.csv has a header and no rows"),
        (b"id,name\n1,a\n2\n", "users.csv:3: it has 1 field, and the header has 2"),
        (b'id,name\n1,"a\nb"\n2,b,c\n', "users.csv:4: it has 3 fields, and the header has 2"),
        (b'id,name\n1,a\n2,"b\n', "users.csv:3: not CSV: unexpected end of data"),
        (b'id,name\n1,"a"b\n', "users.csv:2: not CSV: ',' expected after '\"'"),
        (b"id,name\n1,a\n2,\xff\n", "users.csv:3: not UTF-8 (byte 0xff)"),
        (b"id,id\n1,a\n", "users.csv:1: two columns have the name 'id'"),
        (b"id,\n1,a\n", "users.csv:1: column 2 has no name that fits into {csv:NAME}: ''"),
        (b"id,n\n1," + b"x" * 140_000 + b"\n", "users.csv:2: not CSV: field larger than field limit (131072)"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "users.csv").write_bytes(content)
    (line,) = mistakes(tmp_path, STUDY)
    assert line.split(": ", 1)[1] == f"study.s.load.feeder.file: {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STUDY.replace("users.csv", "no.csv"), "feeder.file: no such file: no.csv (relative to this file)"),
        (STUDY.replace("users.csv", "../u.csv"), "feeder.file: ../u.csv is outside the folder of this file"),
        (STUDY.replace("csv:id", "csv:ids"), '{csv:ids}: users.csv has no such column; did you mean "id"?'),
        (STUDY.replace("{csv:id}", ""), "no request has {csv:COLUMN}; columns: id, name"),
        (STUDY.replace('feeder = { file = "users.csv" }\n', ""), "{csv:id} needs a file: set feeder.file"),
        (STUDY + "headers = { X = '{csv:name}' }\n", "row 2 of users.csv has "),
        (
            STUDY.replace("users.csv", 'users.csv", at_end = "stop'),
            "users.csv has 3 rows for 309 requests (300 of the warm-up and 9 of the load): set fewer, or at_end",
        ),
        (STUDY.replace("users.csv", 'users.csv", order = "shuffle'), "must be 'sequence' or 'random', got \"shuffle\""),
    ],
)
def test_mistakes_in_a_study_file(tmp_path: Path, text: str, said: str) -> None:
    feeder(tmp_path)
    (line,) = mistakes(tmp_path, text)
    assert said in line


def test_what_a_client_is_told_is_json(tmp_path: Path) -> None:
    spec = fed_by(feeder(tmp_path))
    assert taken(Feed(json.loads(json.dumps(spec))), 3) == ["1", "2", "3"]
