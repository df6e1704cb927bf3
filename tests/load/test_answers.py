"""Interim answers are no requests; a generator that cannot count a server's answers is not believed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from profpipe import load
from profpipe.load.answers import miscounted
from profpipe.load.process import Ended, cut_short
from profpipe.model.run import LoadResult
from profpipe.study.schema import LoadPlan
from tests.support.http_server import OK, Answer, Server
from tests.support.study_driving import StudyFolder
from tests.support.tools import require

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
SERVER = """import asyncio, sys
async def serve(reader, writer):
    while await reader.readuntil(b"\\r\\n\\r\\n"):
        writer.write(b"HTTP/1.1 103 Early Hints\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
async def main():
    await (await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))).serve_forever()
asyncio.run(main())
"""


def warmed(server: Server, folder: Path, **more: object) -> LoadResult:
    plan = LoadPlan.model_validate({"generator": "wrk", "mode": "closed", "warmup": 40, "connections": 4, **more})
    return load.warm_up(plan, "127.0.0.1", server.port, cpus=(), folder=folder)


@pytest.mark.programs
@pytest.mark.parametrize("answer", [HINT + OK, HINT * 2 + OK, CONTINUE + OK], ids=["103", "two 103", "100"])
def test_interim_answers_are_no_requests_and_rule_out_wrk(tmp_path: Path, answer: bytes) -> None:
    with Server(lambda *_: Answer(answer)) as server:
        warm = warmed(server, tmp_path)
    assert (warm.served, server.requests) == (40, 40)
    assert warm.interim
    assert "wrk counts interim answers (1xx) as requests" in (miscounted("wrk", warm) or "")
    assert miscounted("h2load", warm) is None
    assert miscounted("builtin", warm) is None


@pytest.mark.programs
def test_a_server_that_closes_after_each_answer_rules_out_generators_that_reconnect_unsaid(tmp_path: Path) -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with Server(lambda *_: Answer(closing, close=True)) as server:
        warm = warmed(server, tmp_path)
    for generator in ("wrk", "h2load"):
        assert "closed the connection after" in (miscounted(generator, warm) or "")
    assert miscounted("builtin", warm) is None


@pytest.mark.programs
def test_a_plain_server_rules_out_nothing(tmp_path: Path) -> None:
    with Server(lambda *_: Answer()) as server:
        warm = warmed(server, tmp_path)
    assert [miscounted(name, warm) for name in ("wrk", "h2load", "builtin")] == [None, None, None]


@pytest.mark.programs
def test_without_a_warm_up_a_named_generator_gets_a_look_at_the_server(tmp_path: Path) -> None:
    with Server(lambda *_: Answer(HINT + OK)) as server:
        warm = warmed(server, tmp_path, warmup=0)
    assert miscounted("wrk", warm) is not None


PLAN = LoadPlan(mode="closed", duration=2, timeout=9)
WHOLE = Ended(("wrk", "-c"), 0, "", "", 2.0, 0.1, timed_out=False)


@pytest.mark.parametrize(
    ("ended", "seconds", "why"),
    [
        (WHOLE, 2.0, None),
        (replace(WHOLE, timed_out=True), 2.0, "wrk did not end within 9 s and was killed"),
        (replace(WHOLE, code=-15), 2.0, "wrk was killed by SIGTERM"),
        (replace(WHOLE, code=3, stderr="out of files"), 2.0, "wrk failed with exit code 3: out of files"),
        (WHOLE, 0.4, "wrk stopped after 0.4 s of 2 s"),
    ],
)
def test_a_load_that_was_cut_short_says_why(ended: Ended, seconds: float, why: str | None) -> None:
    assert cut_short(ended, PLAN, seconds) == why


@pytest.mark.alone
@pytest.mark.real
def test_a_study_by_wrk_of_a_server_with_interim_answers_has_no_valid_run(tmp_path: Path) -> None:
    require("wrk")
    study = StudyFolder(tmp_path)
    plan = {"generator": "wrk", "mode": "closed", "duration": 1, "connections": 4, "warmup": 20}
    study.write({"hints": {"command": ["{python}", "hints.py", "{port}"], "language": "python"}}, load=plan)
    (tmp_path / "hints.py").write_text(SERVER)
    begun = time.monotonic()
    done = study.do("run", "s")
    assert done.code == 1
    (record,) = study.records().values()
    assert "wrk counts interim answers (1xx) as requests" in record["reason"]
    assert time.monotonic() - begun < 60
