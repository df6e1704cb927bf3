"""What finished results of load generators say: real outputs, each by its own reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from profpipe.errors import LoadError
from profpipe.load.results import RESULTS, read_file, read_text
from profpipe.model.run import LoadResult
from tests.support.command import profpipe
from tests.support.paths import DATA

CAPTURES = DATA / "load"


def read(name: str) -> LoadResult:
    return read_file(CAPTURES / name)


@pytest.mark.parametrize(
    ("name", "tool", "served", "failed", "connections"),
    [
        ("wrk_errors.txt", "wrk", 86_625, 9_625, 8),
        ("h2load_errors.txt", "h2load", 450, 50, 4),
        ("ab.txt", "ab", 24_844, 0, 8),
        ("ab_errors.txt", "ab", 3_600, 400, 8),
        ("hey.txt", "hey", 58_680, 0, None),
        ("hey_errors_qps.txt", "hey", 1_073, 119, None),
        ("hey_refused.txt", "hey", 0, 40, None),
        ("autocannon.json", "autocannon", 90_274, 0, 8),
        ("autocannon_rate_errors.json", "autocannon", 1_362, 152, 8),
        ("autocannon_refused.json", "autocannon", 0, 2_960, 4),
        ("locust.json", "locust", 882, 97, None),
        ("vegeta.json", "vegeta", 394, 6, None),
        ("vegeta_errors.json", "vegeta", 360, 40, None),
        ("bombardier.json", "bombardier", 61_822, 0, 8),
        ("bombardier_errors.json", "bombardier", 1_800, 200, 8),
        ("redis_benchmark.txt", "redis-benchmark", 20_000, 0, 20),
        ("redis_benchmark_two.txt", "redis-benchmark", 10_000, 0, 10),
    ],
)
def test_served_failed_and_connections(name: str, tool: str, served: int, failed: int, connections: int | None) -> None:
    found = read(name)
    assert (found.tool, found.served, found.failed, found.connections) == (tool, served, failed, connections)


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.[tj]*")), ids=lambda path: path.name)
def test_one_reader_at_most_recognises_a_text(path: Path) -> None:
    text = path.read_text()
    assert len([name for name, reader in RESULTS.parts() if reader.recognises(text)]) <= 1


def test_times_are_microseconds() -> None:
    assert dict(read("vegeta.json").percentiles_us)[99] == pytest.approx(26_929.4, abs=0.1)
    assert dict(read("bombardier.json").percentiles_us)[99] == 946
    assert dict(read("ab.txt").percentiles_us)[95] == 4_000
    assert dict(read("hey.txt").percentiles_us)[99] == pytest.approx(4_100)
    assert dict(read("redis_benchmark.txt").percentiles_us)[99] == pytest.approx(559)
    assert read("redis_benchmark.txt").mean_us == pytest.approx(187)
    locust = read("locust.json").latency
    assert locust is not None
    assert locust.percentile(99) == 8_000


def test_the_unit_of_redis_is_its_command() -> None:
    assert read("redis_benchmark.txt").unit == "SET"
    assert (read("redis_benchmark_two.txt").unit, read("redis_benchmark_two.txt").mean_us) == ("command", None)


def test_whole_milliseconds_are_too_coarse_for_quick_answers() -> None:
    found = read("autocannon.json")
    assert (found.mean_us, found.doubted) == (None, ("latency",))
    assert read("autocannon_rate_errors.json").correction == "intended-start"


K6 = {
    "metrics": {
        "http_reqs": {"count": 500, "rate": 100.0},
        "http_req_duration": {"avg": 2.0, "min": 1.0, "med": 1.5, "max": 9.0, "p(90)": 3.0, "p(95)": 4.5},
        "http_req_failed": {"passes": 20, "fails": 480, "value": 0.04},
        "dropped_iterations": {"count": 7, "rate": 1.4},
        "data_received": {"count": 250_000, "rate": 50_000.0},
    }
}
OHA = {
    "summary": {"successRate": 1.0, "total": 2.0, "average": 0.004, "requestsPerSec": 50.0, "totalData": 5_210},
    "latencyPercentiles": {"p50": 0.003, "p99": 0.02, "p99.9": None},
    "statusCodeDistribution": {"200": 90, "503": 8},
    "errorDistribution": {"connection refused": 2},
}
FORTIO = {
    "ActualQPS": 400.0,
    "ActualDuration": 2_000_000_000,
    "NumThreads": 8,
    "Version": "1.75.3",
    "DurationHistogram": {"Avg": 0.001, "Percentiles": [{"Percentile": 99, "Value": 0.004}]},
    "RetCodes": {"200": 790, "-1": 10},
}


@pytest.mark.parametrize(
    ("body", "tool", "served", "failed", "mean_us"),
    [(K6, "k6", 480, 20, 2_000), (OHA, "oha", 90, 10, 4_000), (FORTIO, "fortio", 790, 10, 1_000)],
    ids=["k6", "oha", "fortio"],
)
def test_results_by_the_documentation_of_tools_that_were_not_run(
    body: object, tool: str, served: int, failed: int, mean_us: float
) -> None:
    found = read_text(json.dumps(body))
    assert (found.tool, found.served, found.failed, found.mean_us) == (tool, served, failed, mean_us)


def test_a_summary_by_a_k6_script_has_its_values_one_level_deeper() -> None:
    deeper = {"metrics": {name: {"values": values} for name, values in K6["metrics"].items()}}
    assert read_text(json.dumps(deeper)) == read_text(json.dumps(K6))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no known load generator writes this"),
        ("4,000 requests, all fine", "no known load generator writes this"),
        ('{"spec": {"numberOfConnections": 1}, "result": {"timeTakenSeconds": 1}}', "the key 'req2xx' is missing"),
        (json.dumps(OHA | {"summary": []}), "this is not what oha writes"),
    ],
)
def test_what_is_no_result_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        read_text(text)


def test_a_text_that_is_cut_short_names_the_line_that_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "ab.txt"
    file.write_text((CAPTURES / "ab.txt").read_text().partition("Total transferred")[0])
    with pytest.raises(LoadError, match=rf"^{file}: this is not what ab prints: no readable line `Total transferred"):
        read_file(file)


def test_the_command_prints_the_result_and_its_checks() -> None:
    done = profpipe("load", CAPTURES / "bombardier.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "bombardier, closed loop, connections: 8",
        "served    61,822 requests in 2.00 s, 30,909 a second",
        "bytes     40.7 MiB, 690 a request",
        "latency   mean 258 µs, p50 162 µs, p90 237 µs, p95 295 µs, p99 946 µs",
        "4 of 4 checks passed",
        "  + 61,822 requests, each answered as expected",
        "  + 7.96 requests outstanding on average over 8 connections on bombardier",
        "  + 7.96 of 8 connections waited for an answer on average on bombardier",
        "  + no interim answer (1xx)",
        "  ? 6 more need a study, or what bombardier does not say",
    ]


def test_the_command_fails_where_a_check_does() -> None:
    done = profpipe("load", CAPTURES / "vegeta_errors.json")
    assert done.returncode == 1
    assert "x 40 of 400 requests on vegeta failed (status 503: 40)" in done.stdout
    assert "x vegeta counts latency from the actual start: a late request looks quick" in done.stdout


def test_a_file_of_no_tool_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    done = profpipe("load", tmp_path / "x.txt")
    assert done.returncode == 1
    assert f"{tmp_path / 'x.txt'}: no known load generator writes this" in done.stderr
