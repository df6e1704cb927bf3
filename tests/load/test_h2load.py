"""h2load's summary, its log, and h2load itself."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profpipe import load
from profpipe.errors import LoadError, Refused
from profpipe.load import h2load
from profpipe.model.run import LoadResult
from profpipe.study.schema import LoadPlan
from tests.support.http_server import OK, Answer, Server, unused_port
from tests.support.paths import DATA
from tests.support.tools import require

CAPTURES = DATA / "load"
SUMMARIES = sorted(CAPTURES.glob("h2load*.txt"))
TEXT = (CAPTURES / "h2load_slow.txt").read_text()


def shown(value: Any) -> str:
    rows = dataclasses.asdict(value)
    return "".join(f"{name}: {content!r}\n" for name, content in rows.items() if name != "output")


@pytest.mark.parametrize("path", SUMMARIES, ids=lambda path: path.stem)
def test_every_figure_of_the_summary(path: Path, golden: Callable[[str, str], None]) -> None:
    text = path.read_text()
    golden(f"load/{path.name}", f"{shown(h2load.read_summary(text))}--\n{shown(h2load.parse_h2load(text))}")


def test_the_log_gives_every_request_s_own_time() -> None:
    """2 % of the requests took 80 ms, and that is what the log says (wrk on the same server: p75 = 38.9 ms)."""
    result = h2load.parse_h2load(TEXT, CAPTURES / "h2load_slow.log")
    assert (result.served, result.sent, result.failed, result.doubts) == (1000, 1000, 0, ())
    assert result.latency is not None
    assert result.latency.total == 1000
    assert (result.latency.percentile(75), result.latency.percentile(99)) == (98, 91_500)
    assert result.correction == "none"


def test_without_a_log_the_latency_is_unknown() -> None:
    result = h2load.parse_h2load(TEXT)
    assert (result.served, result.latency) == (1000, None)


def test_the_expected_status_is_taken_from_the_log() -> None:
    result = h2load.parse_h2load(TEXT, CAPTURES / "h2load_slow.log", expected=204)
    assert (result.served, result.failed, dict(result.errors)) == (0, 1000, {"status 200": 1000})


def test_a_log_cut_short_is_not_believed() -> None:
    result = h2load.parse_h2load((CAPTURES / "h2load_h1_n.txt").read_text(), CAPTURES / "h2load.log.head.tsv")
    assert (result.served, result.latency, result.doubted) == (5000, None, ("latency",))
    assert result.doubts == ("the log holds 20 requests, the summary 5,000: it was cut short",)


def test_columns_added_later_do_no_harm(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("1\t200\t5\tnew\n2\t503\t7\tnew\textra\n")
    rows = h2load.read_log(log, 200)
    assert (rows.statuses, rows.latency.values_us) == ({200: 1, 503: 1}, (5.0,))


@pytest.mark.parametrize("row", ["1\t200", "1 200 5", "1\tok\t5", "1\t200\t5.5", "\0\0\0"], ids=repr)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"1\t200\t5\n{row}\n")
    with pytest.raises(LoadError, match=r"log:2: .* is not a row of h2load's log"):
        h2load.read_log(log, 200)


@pytest.mark.parametrize("line", ["finished in", "requests:", "status codes:", "traffic:", "time for request:"])
def test_a_missing_line_is_named(line: str) -> None:
    rest = "\n".join(row for row in TEXT.splitlines() if not row.startswith(line))
    with pytest.raises(LoadError, match=f"no readable line `{line}"):
        h2load.parse_h2load(rest)


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("wrk*.txt")), ids=lambda path: path.stem)
def test_another_tool_s_text_is_refused(path: Path) -> None:
    with pytest.raises(LoadError, match="not what h2load prints"):
        h2load.parse_h2load(path.read_text())


def test_exit_code_0_with_every_connection_refused_is_no_success() -> None:
    result = h2load.parse_h2load((CAPTURES / "h2load_refused.txt").read_text())
    assert (result.sent, result.served, result.failed, dict(result.errors)) == (0, 0, 40, {"not sent": 40})


def test_timeouts_and_unsent_requests_are_counted_separately() -> None:
    result = h2load.parse_h2load((CAPTURES / "h2load_never.txt").read_text())
    assert (result.sent, result.failed, dict(result.errors)) == (20, 50, {"not sent": 30, "timeout": 20})


def test_rps_is_per_client_so_it_is_no_fixed_rate() -> None:
    """4 clients x --rps=100 are 400 requests/s: the reason why mode rate is refused."""
    summary = h2load.read_summary((CAPTURES / "h2load_rps.txt").read_text())
    assert (summary.clients, summary.total, summary.rate) == (4, 1200, 400)
    assert "per client" in (h2load.refuses(LoadPlan(mode="rate", rate=400)) or "")


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"requests": 5}, "one request per connection"),
        ({"threads": 30}, "one connection per thread"),
        ({"request": {"method": "HEAD"}}, "body"),
        ({"request": {"headers": {"Host": "x"}}}, "the header Host itself"),
    ],
)
def test_what_h2load_cannot_do_is_refused_with_the_reason(plan: dict[str, Any], reason: str) -> None:
    require("h2load")
    with pytest.raises(Refused, match=reason):
        load.choose(LoadPlan(generator="h2load", **plan))


def run(server: Server | int, folder: Path, **plan: Any) -> LoadResult:
    require("h2load")
    port = server if isinstance(server, int) else server.port
    asked = LoadPlan(generator="h2load", **{"connections": 4, "timeout": 20, **plan})
    return load.run("h2load", asked, "127.0.0.1", port, cpus=(), folder=folder)


@pytest.mark.alone
@pytest.mark.real
def test_h2load_itself_sends_the_request_asked_for_and_is_exact(tmp_path: Path) -> None:
    seen = set()

    def answer(number: int, request: bytes) -> Answer:
        seen.add(request)
        return Answer(OK.replace(b"200 OK", b"503 No") if number % 10 == 0 else OK)

    request = {"method": "PUT", "path": "/a?b", "headers": {"X-A": "b"}, "body": "hi"}
    with Server(answer) as server:
        result = run(server, tmp_path, requests=500, request=request)
    assert len(seen) == 1
    head, _, body = seen.pop().partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /a?b HTTP/1.1\r\n")
    assert b"x-a: b" in head.split(b"\r\n")
    assert body == b"hi"
    assert (server.requests, result.sent, result.served, result.failed) == (500, 500, 450, 50)
    assert dict(result.errors) == {"status 503": 50}
    assert result.latency is not None
    assert result.latency.total == 450
    assert result.version.startswith("nghttp2/")


@pytest.mark.alone
@pytest.mark.real
def test_h2load_for_a_time(tmp_path: Path) -> None:
    with Server(lambda *_: Answer(delay=0.005)) as server:
        result = run(server, tmp_path, mode="closed", duration=0.4)
    assert result.sent is not None
    assert 0 < result.served <= result.sent <= server.requests + 4
    assert result.failed == 0


@pytest.mark.alone
@pytest.mark.real
@pytest.mark.parametrize("answer", [Answer(b"nonsense\r\n\r\n"), Answer(b"", close=True)], ids=["garbage", "hangs up"])
def test_h2load_s_failures_are_ours(tmp_path: Path, answer: Answer) -> None:
    with Server(lambda *_: answer) as server:
        result = run(server, tmp_path, requests=50)
    assert (result.served, result.failed) == (0, 50)
    assert sum(result.errors.values()) == 50


@pytest.mark.alone
@pytest.mark.real
def test_h2load_against_nobody(tmp_path: Path) -> None:
    result = run(unused_port(), tmp_path, requests=50)
    assert (result.served, result.sent, result.failed) == (0, 0, 50)


@pytest.mark.alone
@pytest.mark.real
def test_h2load_gives_up_at_the_timeout(tmp_path: Path) -> None:
    with Server(lambda *_: Answer(delay=60)) as server:
        result = run(server, tmp_path, requests=50, timeout=1)
    assert (result.served, dict(result.errors)) == (0, {"not sent": 46, "timeout": 4})


@pytest.mark.alone
@pytest.mark.real
def test_h2load_is_killed_when_it_would_go_on(tmp_path: Path) -> None:
    """Each answer comes in time, all of them do not: the timeout is the load's, not the request's."""
    with Server(lambda *_: Answer(delay=0.2)) as server:
        result = run(server, tmp_path, requests=400, timeout=1)
    assert result.sent is None
    assert result.served + result.failed == 400
    assert result.errors["timeout"] == result.failed
    assert result.doubts == ("h2load did not end within 1 s and was killed",)
    assert result.incomplete == "h2load did not end within 1 s and was killed"


@pytest.mark.alone
@pytest.mark.real
def test_an_h2load_without_a_summary_is_a_load_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "h2load"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'h2load: no such option' >&2\nexit 2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    assert shutil.which("h2load") == str(fake)
    with pytest.raises(LoadError, match=r"h2load failed \(exit code 2\) and printed no summary: .*no such option"):
        load.run("h2load", LoadPlan(), "127.0.0.1", 9, cpus=(), folder=tmp_path)
